"""I-VT on signals whose fixations are known."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial, detect, runs_of
from gazetrack.events.ivt import IVT, merge
from gazetrack.events.velocity import ESTIMATORS, speed
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


def drift(deg_s, n=60, px_per_deg=40.0):
    """Return gaze at 250 Hz that goes on at one speed."""
    t = np.arange(n) * 4.0
    x = 100 + deg_s * px_per_deg / 1000 * t
    return Trial(t, x, np.full(n, 300.0), px_per_deg)


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@pytest.mark.parametrize("estimator", ["window", "savgol"])
@pytest.mark.parametrize("px_per_deg", [20.0, 40.0])
def test_the_threshold_is_in_degrees_of_the_screen_at_hand(estimator, px_per_deg):
    for deg_s, is_slow in ((29.985, True), (30.015, False)):
        trial = drift(deg_s, px_per_deg=px_per_deg)
        detector = IVT(velocity=estimator)
        assert pairs(detector.runs(trial)) == ([(0, 60)] if is_slow else [])
        # Too short to be a fixation, it is no saccade all the same.
        long_ones = IVT(velocity=estimator, min_duration_ms=9999.0)
        found = long_ones.movements(trial)
        assert pairs(found["fixation"]) == []
        assert pairs(found["saccade"]) == ([] if is_slow else [(0, 60)])


def test_what_is_exactly_as_fast_as_the_threshold_is_a_saccade():
    found = IVT(velocity_threshold_deg_s=25.0).movements(drift(25.0))  # 1 px a ms
    assert pairs(found["fixation"]) == []
    assert pairs(found["saccade"]) == [(0, 60)]


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("window_ms", [9.0, 20.0, 33.0])
def test_fixations_are_what_is_slow_by_the_estimator_asked_for(estimator, window_ms):
    rng = np.random.default_rng(1)
    x, y = rng.normal(0, 1, (2, 300)).cumsum(1) + 80 * rng.integers(0, 4, 12).repeat(25)
    trial = Trial(np.cumsum(rng.choice([2.0, 4.0, 6.0], 300)), x, y, 40.0)
    nothing_else = {"merge_gap_ms": 0.0, "merge_distance_deg": 0.0, "min_duration_ms": 0.0}
    detector = IVT(velocity=estimator, window_ms=window_ms, **nothing_else)
    is_slow = speed(trial, estimator, window_ms, detector.max_gap_ms) < 30 * 40 / 1000
    assert 0.1 < is_slow.mean() < 0.99
    assert pairs(detector.runs(trial)) == pairs(runs_of(is_slow))


@pytest.mark.parametrize(("merge_gap_ms", "n"), [(40.0, 1), (39.9, 2)])
def test_runs_as_far_apart_in_time_as_told_are_merged(merge_gap_ms, n):
    still = np.full(60, 7.0)
    trial = Trial(np.arange(60) * 4.0, still, still, 40.0)
    # The first is over at 100 ms, when its last sample is; the second begins at 140.
    runs = np.array([0, 35]), np.array([25, 60])
    assert pairs(merge(trial, runs, merge_gap_ms, 0.5)) == ([(0, 60)] if n == 1 else pairs(runs))
