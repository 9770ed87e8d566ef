"""Nyström & Holmqvist: the threshold that settles, and saccades with their glissades."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial
from gazetrack.events.nystrom_holmqvist import NystromHolmqvist
from gazetrack.kernels.movements import MOVING, STILL, UNKNOWN


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def still(n=100):
    """Return a trial at 500 Hz, whose positions nobody looks at."""
    return Trial(np.arange(n) * 2.0, np.zeros(n), np.zeros(n), 40.0)


def test_the_thresholds_are_means_and_deviations_of_what_is_slower():
    # Of 4 and 6: mean 5, deviation 1. From 100 the search leads to 5 + 6 * 1, and stays there.
    speed = np.array([4.0, 6.0] * 50 + [400.0] * 5)
    assert NystromHolmqvist()._thresholds(speed) == (11.0, 8.0)
    changed = NystromHolmqvist(peak_factor=4.0, onset_factor=2.0)
    assert changed._thresholds(speed) == (9.0, 7.0)


def test_the_search_goes_on_until_the_threshold_hardly_moves():
    speed = np.concatenate([np.tile([4.0, 6.0], 500), [30.0, 60.0, 90.0]])
    peak, onset = NystromHolmqvist()._thresholds(speed)
    # The three are slower than 100, and no longer so in the rounds after it.
    assert (peak, onset) == pytest.approx((11.0, 8.0))


def test_without_slower_samples_the_first_threshold_stays():
    nothing = np.full(3, np.nan)
    assert NystromHolmqvist()._thresholds(nothing) == (100.0, 0.0)
    detector = NystromHolmqvist(first_threshold_deg_s=50.0)
    assert detector._thresholds(np.array([60.0, 70.0])) == (50.0, 0.0)


def with_glissades(state, speed, **parameters):
    """Return the changed states, where what is above 10 deg/s is fast."""
    state = np.array(state, np.int8)
    trial = still(state.size)
    detector = NystromHolmqvist(**parameters)
    return detector._with_glissades(trial, np.asarray(speed, float), state, 10.0)


def test_what_is_fast_soon_after_a_saccade_is_its_glissade():
    state = np.full(60, STILL, np.int8)
    state[10:20] = MOVING
    speed = np.zeros(60)
    speed[[25, 39, 40]] = 20.0  # the last sample of the saccade is 19, and 40 ms are 20 samples
    changed = with_glissades(state, speed)
    assert np.flatnonzero(changed == MOVING).tolist() == list(range(10, 40))
    shorter = with_glissades(state, speed, glissade_ms=38.0)
    assert np.flatnonzero(shorter == MOVING).tolist() == list(range(10, 26))
    none = with_glissades(state, np.full(60, 10.0))
    assert none.tolist() == state.tolist()


def test_a_glissade_does_not_reach_across_a_loss():
    state = np.full(60, STILL, np.int8)
    state[10:20] = MOVING
    state[24:26] = UNKNOWN
    speed = np.zeros(60)
    speed[[22, 30]] = 20.0
    changed = with_glissades(state, speed)
    assert np.flatnonzero(changed == MOVING).tolist() == list(range(10, 23))


def test_saccades_that_are_too_short_are_part_of_the_fixation():
    state = np.full(60, STILL, np.int8)
    state[10:14] = MOVING  # 8 ms
    state[30:35] = MOVING  # 10 ms
    changed = with_glissades(state, np.zeros(60))
    assert np.flatnonzero(changed == MOVING).tolist() == [30, 31, 32, 33, 34]


def gaze(jump=200.0, n=150):
    ramp = np.linspace(0, jump, 12)[1:-1]
    x = 300 + np.concatenate([np.zeros(n), ramp, np.full(n, jump)])
    rng = np.random.default_rng(0)
    x = x + rng.normal(0, 0.2, x.size)
    return Trial(np.arange(x.size) * 2.0, x, 300 + rng.normal(0, 0.2, x.size), 40.0)


def test_fixations_are_what_lies_between_saccades():
    first, second = pairs(NystromHolmqvist().runs(gaze()))
    assert first[1] == pytest.approx(150, abs=6)
    assert second[0] == pytest.approx(160, abs=6)


def test_samples_faster_than_an_eye_are_in_no_fixation():
    trial = gaze()
    x = trial.x_px.copy()
    x[75] += 1e6  # noise of a sample: the line fitted to 20 ms is steep wherever it is in them
    runs = pairs(NystromHolmqvist().runs(Trial(trial.t_ms, x, trial.y_px, 40.0)))
    assert not any(start <= 75 < end for start, end in runs)
    assert any(start < 70 for start, _ in runs)
    assert any(75 < start < 90 for start, _ in runs)
    # Noise makes every sample faster than nothing.
    assert pairs(NystromHolmqvist(max_velocity_deg_s=0.0).runs(trial)) == []


def test_fixations_shorter_than_the_least_duration_are_left_out():
    assert len(pairs(NystromHolmqvist(min_duration_ms=280.0).runs(gaze()))) == 2
    assert pairs(NystromHolmqvist(min_duration_ms=310.0).runs(gaze())) == []


def test_a_glissade_is_what_follows_a_saccade_while_it_is_fast():
    trial = gaze()
    found = NystromHolmqvist().movements(trial)
    ((start, end),) = pairs(found["saccade"])
    assert (start, end) == (pytest.approx(150, abs=6), pytest.approx(160, abs=6))
    assert pairs(found["pso"]) == []
    x = trial.x_px.copy()
    x[end : end + 10] += 12 * np.sin(np.arange(10) / 10 * np.pi)  # a bump of 20 ms behind it
    found = NystromHolmqvist().movements(Trial(trial.t_ms, x, trial.y_px, 40.0))
    ((begins, ends),) = pairs(found["pso"])
    (saccade,) = pairs(found["saccade"])
    assert begins == saccade[1]
    assert end + 5 < ends < end + 20
    without = NystromHolmqvist(glissade_ms=0.0).movements(Trial(trial.t_ms, x, trial.y_px, 40.0))
    assert pairs(without["pso"]) == []
