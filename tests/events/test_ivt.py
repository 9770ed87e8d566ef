"""I-VT on signals whose fixations are known."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.base import detect
from gazetrack.events.ivt import IVT
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)


def samples(x, t=None, trial="1"):
    t = np.arange(len(x)) * 4.0 if t is None else t
    columns = {
        "recording": "r",
        "trial": trial,
        "stimulus": "s",
        "t_ms": t,
        "x_px": x,
        "y_px": np.zeros(len(x)) + 500,
    }
    return conform(columns, SAMPLES)


def step_signal(levels, n=75):
    return np.repeat(np.asarray(levels, np.float32), n)


def test_finds_every_plateau():
    table, facts = detect(samples(step_signal([200, 900, 400])), SCREEN, IVT())
    assert table["x_px"].to_pylist() == pytest.approx([200, 900, 400])
    assert table["index"].to_pylist() == [1, 2, 3]
    assert table["duration_ms"].to_numpy() == pytest.approx([300, 300, 300], abs=25)
    assert facts["name"] == "ivt"
    assert facts["px_per_deg_assumed"] is False


def test_missing_gaze_ends_a_fixation_and_is_never_inside_its_position():
    x = step_signal([300, 300], 100)
    x[80:120] = np.nan
    table, _ = detect(samples(x), SCREEN, IVT(merge_gap_ms=0))
    assert table.num_rows == 2
    assert table["x_px"].to_pylist() == [300, 300]
    assert table["n_samples"].to_pylist() == [80, 80]


def test_neighbours_in_time_and_place_are_merged():
    x = step_signal([300, 303], 50)
    x[48:52] = np.nan
    merged, _ = detect(samples(x), SCREEN, IVT())
    apart, _ = detect(samples(x), SCREEN, IVT(merge_gap_ms=0))
    assert (merged.num_rows, apart.num_rows) == (1, 2)


def test_short_runs_are_discarded():
    table, _ = detect(samples(step_signal([200, 900], 10)), SCREEN, IVT())
    assert table.num_rows == 0


@pytest.mark.parametrize("x", [[], [5.0], [np.nan] * 50])
def test_signals_without_any_fixation(x):
    table, _ = detect(samples(np.array(x, np.float32)), SCREEN, IVT())
    assert table.num_rows == 0


def test_constant_gaze_is_one_fixation():
    table, _ = detect(samples(np.full(500, 7.0, np.float32)), SCREEN, IVT())
    assert table.num_rows == 1
    assert table["duration_ms"].to_pylist() == [2000.0]
    assert table["dispersion_px"].to_pylist() == [0.0]


def test_a_step_back_in_time_splits():
    t = np.concatenate([np.arange(100) * 4.0, np.arange(100) * 4.0])
    table, _ = detect(samples(np.full(200, 7.0, np.float32), t), SCREEN, IVT(merge_gap_ms=0))
    assert table.num_rows == 2


def test_without_a_screen_the_scale_is_assumed_and_said():
    _, facts = detect(samples(step_signal([200, 900])), None, IVT())
    assert facts["px_per_deg_assumed"] is True


def test_parameters_must_be_numbers_of_zero_or_more():
    with pytest.raises(ConfigError, match="window_ms"):
        IVT(window_ms=-1)
