"""Nyström & Holmqvist: the threshold that settles, and saccades with their glissades."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial, runs_of
from gazetrack.events.nystrom_holmqvist import NystromHolmqvist, _glissades
from gazetrack.kernels.movements import MOVING, STILL, UNKNOWN
from tests import oracles


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
    # Of 3 and 7: mean 5, deviation 2.
    assert NystromHolmqvist()._thresholds(np.array([3.0, 7.0] * 50)) == (17.0, 11.0)


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
    state[24:29] = [UNKNOWN, STILL, STILL, STILL, UNKNOWN]
    speed[26] = 20.0
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


@pytest.mark.parametrize(
    ("first", "speed", "found"),
    [
        (3.0, [1.0, 2.5, 2.5], 1.0),  # moved by exactly 1 deg/s the first time, and once more
        (2.5, [1.0, 2.2, 2.2], 1.8),  # moved by less: the three are not looked at again
        (3.0, [2.2, 3.0], 2.2),  # what is as fast as the threshold is not slower
    ],
)
def test_the_search_ends_when_the_threshold_moves_by_less_than_a_degree_a_second(
    first, speed, found
):
    detector = NystromHolmqvist(first_threshold_deg_s=first, peak_factor=0.0, onset_factor=0.0)
    peak, onset = detector._thresholds(np.array(speed))
    assert (peak, onset) == pytest.approx((found, found))


def test_a_glissade_follows_the_last_saccade_in_what_is_fast():
    # Of four saccades the first has a glissade, the second none; then two with what is between
    # them and behind the later one.
    saccades = np.array([10, 30, 50, 60]), np.array([15, 35, 55, 65])
    lengthened = np.array([10, 30, 50]), np.array([18, 35, 70])
    assert pairs(_glissades(saccades, lengthened)) == [(15, 18), (65, 70)]
    nothing = np.zeros(0, np.int64)
    assert pairs(_glissades((nothing, nothing), (nothing, nothing))) == []


def test_gaze_that_never_moves_is_as_slow_as_the_slowest_eye():
    n = 100
    trial = Trial(np.arange(n) * 2.0, np.full(n, 7.0), np.full(n, 7.0), 40.0)
    assert pairs(NystromHolmqvist(max_velocity_deg_s=0.0).runs(trial)) == [(0, n)]


def as_published(trial, detector):
    """Return the saccades by the oracles of the kernels, each an obvious loop."""
    t = trial.t_ms
    half = detector.window_ms / 2
    slopes = [oracles.local_slope(t, v, half, 100.0) for v in (trial.x_px, trial.y_px)]
    speed = np.hypot(*slopes) * 1000 / trial.px_per_deg
    speed[speed > detector.max_velocity_deg_s] = np.nan
    peak, onset = detector._thresholds(speed)
    state = oracles.moving_samples(t, speed, peak, onset, 0.0)
    step = float(np.median(np.diff(t)))
    saccades = []
    for start, end in pairs(runs_of(state == MOVING)):
        if t[end - 1] - t[start] + step >= detector.min_saccade_ms:
            saccades.append((start, end))
    return saccades


@pytest.mark.parametrize("window_ms", [6.0, 12.0, 20.0, 32.0])
def test_saccades_are_as_published(window_ms):
    rng = np.random.default_rng(4)
    x, y = rng.normal(0, 0.3, (2, 400))
    for start, size in ((80, 200.0), (160, -60.0), (230, 30.0), (300, 300.0)):
        x[start:] += size * np.clip(np.arange(400 - start) / 10, 0, 1)
        y[start:] -= size / 2 * np.clip(np.arange(400 - start) / 10, 0, 1)
    for turned in (False, True):
        trial = Trial(np.arange(400) * 2.0, *((y, x) if turned else (x, y)), 40.0)
        detector = NystromHolmqvist(window_ms=window_ms)
        saccades = as_published(trial, detector)
        assert len(saccades) >= 2
        assert pairs(detector.movements(trial)["saccade"]) == saccades


def test_a_saccade_ends_with_the_first_slow_sample_at_any_rate():
    # At 4000 Hz: two movements with less than a millisecond of rest between them.
    rng = np.random.default_rng(0)
    steps = np.zeros(400)
    steps[100:140] = steps[143:180] = 5.0
    x = np.cumsum(steps) + rng.normal(0, 1e-3, 400)
    trial = Trial(np.arange(400) * 0.25, x, rng.normal(0, 1e-3, 400), 40.0)
    detector = NystromHolmqvist(window_ms=0.5, min_saccade_ms=0.0, max_velocity_deg_s=9999.0)
    saccades = pairs(detector.movements(trial)["saccade"])
    assert len([run for run in saccades if run[1] - run[0] > 20]) == 2


def test_what_is_too_short_between_saccades_does_not_keep_them_from_their_glissades():
    state = np.full(90, STILL, np.int8)
    state[10:14] = state[30:40] = state[70:73] = MOVING
    speed = np.zeros(90)
    speed[45] = 20.0
    changed = with_glissades(state, speed)
    assert np.flatnonzero(changed == MOVING).tolist() == list(range(30, 46))


@pytest.mark.parametrize(("deg_s", "is_known"), [(29.985, True), (30.015, False)])
def test_what_is_too_fast_is_so_in_degrees_a_second(deg_s, is_known):
    t = np.arange(60) * 2.0
    trial = Trial(t, 100 + deg_s * 40 / 1000 * t, np.full(60, 300.0), 40.0)
    found = NystromHolmqvist(max_velocity_deg_s=30.0).movements(trial)
    assert any(starts.size for starts, _ in found.values()) == is_known
