"""The pupil before and after."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from gazetrack.errors import SchemaError
from gazetrack.figures.pupil import plot_pupil
from gazetrack.figures.style import BLUE, GREY, VERMILION
from tests.figure_cases import pupil_samples


def test_both_sizes_are_lines_and_what_was_filled_is_a_line_of_its_own():
    samples = pupil_samples()
    axis = plot_pupil(samples, title="one").axes[0]
    raw, made, filled = axis.lines
    assert [line.get_color() for line in axis.lines] == [GREY, BLUE, VERMILION]
    np.testing.assert_array_equal(raw.get_ydata(), samples["raw_pupil"])
    np.testing.assert_array_equal(made.get_ydata(), samples["pupil"])
    np.testing.assert_array_equal(np.isfinite(filled.get_ydata()), samples["is_filled"])
    np.testing.assert_allclose(raw.get_xdata(), samples["t_ms"] / 1000)


def test_what_was_taken_out_is_shaded_by_its_reason():
    samples = pupil_samples()
    axis = plot_pupil(samples).axes[0]
    reasons = sorted(set(samples["removed_by"]) - {""})
    assert len(axis.collections) == len(reasons) == 2
    for shade, reason in zip(axis.collections, reasons, strict=True):
        times = samples.loc[samples["removed_by"] == reason, "t_ms"] / 1000
        xs = np.concatenate([path.vertices[:, 0] for path in shade.get_paths()])
        assert (xs.min(), xs.max()) == pytest.approx((times.min(), times.max() + 0.004))
        assert to_hex(shade.get_facecolor()[0]).upper() not in (BLUE, VERMILION)
    said = [text.get_text() for text in axis.get_legend().get_texts()]
    assert said[:3] == ["as exported", "after all steps", "gap filled"]
    assert said[3:] == [f"taken out: {name.replace('_', ' ')}" for name in reasons]


def test_each_eye_has_a_panel():
    samples = pupil_samples()
    both = plot_pupil(pd.concat([samples.assign(eye="left"), samples.assign(eye="right")]))
    assert [axis.get_ylabel().split(":")[0] for axis in both.axes] == ["left", "right"]


def test_nothing_and_missing_columns():
    empty = plot_pupil(pupil_samples().head(0)).axes[0]
    assert [text.get_text() for text in empty.texts] == ["no pupil sizes"]
    with pytest.raises(SchemaError, match="no column removed_by"):
        plot_pupil(pupil_samples().drop(columns="removed_by"))
