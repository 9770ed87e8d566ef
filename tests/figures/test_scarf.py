"""Scarf plots."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.figures.scarf import plot_scarf
from gazetrack.figures.style import BLUE, GREY, ORANGE
from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.looks import LOOKS
from tests.looks import looks


def bars(axis):
    """(from, to, height, colour) of every bar."""
    return [
        (
            patch.get_x(),
            patch.get_x() + patch.get_width(),
            patch.get_height(),
            to_hex(patch.get_facecolor()).upper(),
        )
        for patch in axis.patches
    ]


def test_a_band_is_what_was_looked_at_when():
    key = ("r", "p", "1", "a.png", 900.0)
    table = pd.DataFrame(
        [
            (*key, "lesion", 0, 0.0, 300.0),
            (*key, OUTSIDE, 1, 350.0, 500.0),
            (*key, "lesion", 2, 500.0, 800.0),
            (*key, "fold", 2, 500.0, 800.0),
            (*key, "nose", -1, np.nan, np.nan),
        ],
        columns=LOOKS,
    )
    axis = plot_scarf(table, title="a.png").axes[0]
    drawn = sorted(bars(axis))
    whole = drawn[0][2]
    assert [one[3] for one in drawn] == [ORANGE, GREY, *sorted([BLUE, ORANGE])]
    assert [one[0] for one in drawn] == pytest.approx([0, 0.35, 0.5, 0.5])
    assert [one[1] for one in drawn] == pytest.approx([0.3, 0.5, 0.8, 0.8])
    # Areas that overlap share the band.
    assert [one[2] for one in drawn] == pytest.approx([whole, whole, whole / 2, whole / 2])
    assert axis.lines[0].get_xdata()[0] == 0.9  # the end of the trial
    said = [text.get_text() for text in axis.figure.legends[0].get_texts()]
    assert said == ["fold", "lesion", "nose", "in no area"]


def test_every_trial_is_a_band_named_by_what_differs_the_first_on_top():
    axis = plot_scarf(looks(3, 2)).axes[0]
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels == [f"r{n} · p{n} · {trial}" for n in range(3) for trial in range(2)]
    assert axis.get_yticks().tolist() == [5, 4, 3, 2, 1, 0]
    assert axis.get_xlabel() == "time from the start of the trial (s)"


def test_nothing_too_much_and_missing_columns():
    empty = plot_scarf(looks(1, 1).head(0)).axes[0]
    assert [text.get_text() for text in empty.texts] == ["no trials"]
    with pytest.raises(ConfigError, match="scarf plot of 201 trials"):
        plot_scarf(looks(201, 1, 100.0))
    with pytest.raises(SchemaError, match="no column trial_ms"):
        plot_scarf(looks(1, 1).drop(columns="trial_ms"))


def test_more_areas_than_can_be_told_apart_are_refused():
    key = ("r", "p", "1", "a.png", 900.0)
    rows = [(*key, f"area {number}", number, 0.0, 10.0) for number in range(41)]
    with pytest.raises(ConfigError, match="a scarf plot of 41 areas - choose 40 at most"):
        plot_scarf(pd.DataFrame(rows, columns=LOOKS))
