"""Every estimator of velocity against its formula, on uneven steps and across gaps."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial
from gazetrack.events.ivt import IVT
from gazetrack.events.velocity import ESTIMATORS, speed
from tests import oracles
from tests.events.test_detectors import gaze

WINDOW_MS, MAX_GAP_MS = 24.0, 40.0
every = pytest.mark.parametrize("estimator", ESTIMATORS)


def trial_of(t, x, y):
    return Trial(np.asarray(t, float), np.asarray(x, float), np.asarray(y, float), 40.0)


def uneven(n=80, seed=0):
    return np.cumsum(np.random.default_rng(seed).choice([2.0, 3.0, 5.0, 8.0], n))


def by_formula(trial, estimator):
    """Return the speed as the oracles of the kernels make it, each an obvious loop."""
    t, x, y = trial.t_ms, trial.x_px, trial.y_px
    if estimator == "five_point":
        return np.hypot(*(oracles.five_point_velocity(t, v, MAX_GAP_MS) for v in (x, y)))
    if estimator == "savgol":
        return np.hypot(*(oracles.local_slope(t, v, WINDOW_MS / 2, MAX_GAP_MS) for v in (x, y)))
    out = np.empty(len(t))
    oracles.windowed_speed(
        t, x, y, 0.0 if estimator == "neighbours" else WINDOW_MS / 2, MAX_GAP_MS, out
    )
    return out


@every
def test_a_steady_movement_has_its_speed_whatever_the_steps(estimator):
    t = uneven()
    found = speed(trial_of(t, 5 + 0.3 * t, 7 - 0.4 * t), estimator, WINDOW_MS, MAX_GAP_MS)
    known = slice(2, -2) if estimator == "five_point" else slice(None)
    assert found[known] == pytest.approx(0.5)
    assert np.isnan(np.delete(found, np.arange(len(t))[known])).all()


@every
def test_each_is_its_formula(estimator):
    t, rng = uneven(seed=1), np.random.default_rng(1)
    x, y = rng.normal(0, 9, (2, len(t))).cumsum(1)
    x[rng.random(len(t)) < 0.1] = np.nan
    y[np.isnan(x)] = np.nan
    t[40:] += 90.0
    trial = trial_of(t, x, y)
    np.testing.assert_allclose(
        speed(trial, estimator, WINDOW_MS, MAX_GAP_MS), by_formula(trial, estimator), rtol=1e-9
    )


def test_the_estimators_differ_where_their_windows_do():
    """Ten samples at rest and ten that move: how far from the change each of them sees it."""
    t = np.arange(20) * 4.0
    x = np.maximum(t - 36.0, 0.0)
    seen = {e: speed(trial_of(t, x, np.zeros(20)), e, WINDOW_MS, MAX_GAP_MS) for e in ESTIMATORS}
    first = {e: int(np.flatnonzero(v > 1e-9)[0]) for e, v in seen.items()}
    assert first == {"window": 7, "neighbours": 9, "five_point": 8, "savgol": 7}
    assert seen["neighbours"][9] == pytest.approx(0.5)
    assert seen["five_point"][8] == pytest.approx(4 / (6 * 4.0))
    assert seen["window"][7] == pytest.approx(4 / 24.0)


@every
def test_no_velocity_is_taken_across_a_pause(estimator):
    t = np.concatenate([np.arange(10), 30 + np.arange(10)]) * 4.0
    x = np.repeat([0.0, 500.0], 10)
    found = speed(trial_of(t, x, x), estimator, WINDOW_MS, MAX_GAP_MS)
    assert np.nanmax(found) == 0
    across = speed(trial_of(t, x, x), estimator, WINDOW_MS, 90.0)
    assert (
        np.nanmax(across) > 0 or estimator == "savgol"
    )  # its window of 12 ms to either side ends before


@every
def test_i_vt_finds_the_fixations_with_each(estimator):
    t, x, y = gaze(250)
    starts, ends = IVT(velocity=estimator, velocity_threshold_deg_s=100.0).runs(trial_of(t, x, y))
    assert [float(np.median(x[a:b])) for a, b in zip(starts, ends, strict=True)] == pytest.approx(
        [300, 900, 500], abs=2
    )


def test_an_unknown_estimator_is_refused():
    with pytest.raises(ConfigError, match="velocity = 'guess'"):
        IVT(velocity="guess")


def test_neighbours_are_one_sample_to_either_side_at_any_rate():
    rng = np.random.default_rng(0)
    for step in (0.1, 0.5, 4.0):
        t = np.arange(9) * step
        x, y = rng.normal(0, 1, (2, 9))
        found = speed(Trial(t, x, y, 40.0), "neighbours", 20.0, 75.0)
        expected = np.hypot(x[2:] - x[:-2], y[2:] - y[:-2]) / (2 * step)
        assert found[1:-1] == pytest.approx(expected)
