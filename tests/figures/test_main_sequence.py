"""The main sequence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import SchemaError
from gazetrack.figures.main_sequence import fit_power_law, plot_main_sequence
from tests.figure_cases import saccades


def test_the_power_law_is_found_again():
    amplitude = np.geomspace(0.5, 20, 30)
    law = fit_power_law(amplitude, 55 * amplitude**0.63)
    np.testing.assert_allclose(law, (55, 0.63, 1), rtol=1e-9)
    assert fit_power_law(amplitude[:2], amplitude[:2]) is None
    assert fit_power_law(np.full(5, 2.0), np.arange(1.0, 6)) is None


def test_the_fit_is_that_of_a_line_through_the_logarithms():
    table = saccades()
    law = fit_power_law(table["amplitude_deg"].to_numpy(), table["peak_velocity_deg_s"].to_numpy())
    slope, intercept = np.polyfit(
        np.log(table["amplitude_deg"]), np.log(table["peak_velocity_deg_s"]), 1
    )
    np.testing.assert_allclose((law.exponent, np.log(law.factor)), (slope, intercept))
    assert 0.9 < law.r < 1


def test_saccades_and_microsaccades_are_drawn_on_logarithmic_axes_with_their_line():
    table = saccades()
    other = pd.DataFrame(
        {
            "kind": ["fixation", "saccade", "saccade", "blink"],
            "amplitude_deg": [1.0, np.nan, 0.0, 3.0],
            "peak_velocity_deg_s": [50.0, 50.0, 50.0, 50.0],
        }
    )
    axis = plot_main_sequence(pd.concat([table, other]), title="one").axes[0]
    counts = table["kind"].value_counts()
    assert [len(points.get_offsets()) for points in axis.collections] == [
        counts["saccade"],
        counts["microsaccade"],
    ]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("amplitude (deg)", "peak velocity (deg/s)")
    said = axis.get_legend().get_texts()[-1].get_text()
    assert "amplitude$^{0.5" in said or "amplitude$^{0.6" in said


def test_no_saccades_and_missing_columns():
    axis = plot_main_sequence(saccades().head(0)).axes[0]
    assert "no saccades" in axis.texts[0].get_text()
    with pytest.raises(SchemaError, match="no column peak_velocity_deg_s"):
        plot_main_sequence(saccades()[["kind", "amplitude_deg"]])
