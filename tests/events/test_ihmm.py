"""I-HMM: two states of speed, trained on the trial itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gazetrack.events.base import Trial
from gazetrack.events.ihmm import IHMM

FIXATION, SACCADE = 0, 1


def states(speed, **parameters):
    return IHMM(**parameters)._states(np.asarray(speed, float)).tolist()


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def test_speeds_that_are_far_apart_have_a_state_each():
    speed = [5, 6, 4, 5, 200, 210, 190, 205, 5, 4, 6, 5]
    assert states(speed) == [FIXATION] * 4 + [SACCADE] * 4 + [FIXATION] * 4


def test_training_finds_the_typical_speeds_that_the_parameters_miss():
    # 50 deg/s are nearer to the speed of fixations as stated, and to that of the saccades here.
    slow = np.tile([1.0, 2.0], 30)
    speed = np.concatenate([slow, np.tile([50.0, 54.0, 90.0, 120.0, 70.0], 6), slow])
    assert states(speed, iterations=0.0)[60:63] == [FIXATION, FIXATION, SACCADE]
    assert states(speed) == [FIXATION] * 60 + [SACCADE] * 30 + [FIXATION] * 60


def test_one_state_alone_is_left_as_it_is():
    assert states([1.0, 2.0, 3.0]) == [FIXATION] * 3
    assert states([500.0, 600.0]) == [SACCADE] * 2
    assert states([]) == []


def test_states_tend_to_stay():
    slow = np.tile([12.0, 28.0], 100)  # mean 20, deviation 8
    slow[100] = 50.0  # nearer to the saccades' speed, but between slow ones
    speed = np.concatenate([slow, np.tile([70.0, 110.0], 10)])
    typical = {"fixation_deg_s": 20.0, "saccade_deg_s": 70.0}
    by_speed_alone = [FIXATION] * 100 + [SACCADE] + [FIXATION] * 99 + [SACCADE] * 20
    assert states(speed, iterations=0.0, **typical) == by_speed_alone
    assert states(speed, **typical) == [FIXATION] * 200 + [SACCADE] * 20
    # Where it is as probable to change as to stay, nothing keeps the one sample from changing.
    assert states(speed, iterations=1.0, stay=0.5, **typical) == by_speed_alone


def gaze(places=(300.0, 700.0), n=100, ramp=6):
    """Return a trial at 250 Hz: `n` samples at each place, with `ramp` samples from one to next."""
    middle = np.linspace(places[0], places[1], ramp + 2)[1:-1]
    x = np.concatenate([np.full(n, places[0]), middle, np.full(n, places[1])])
    x = x + np.random.default_rng(0).normal(0, 0.3, x.size)
    return Trial(np.arange(x.size) * 4.0, x, np.full(x.size, 300.0), 40.0)


def test_fixations_are_the_runs_of_the_slow_state():
    first, second = pairs(IHMM().runs(gaze()))
    assert first == (0, pytest.approx(100, abs=3))
    assert second == (pytest.approx(106, abs=3), 206)


def test_a_step_longer_than_the_gap_ends_a_fixation():
    trial = gaze()
    t = trial.t_ms.copy()
    t[50:] += 70.0
    later = Trial(t, trial.x_px, trial.y_px, 40.0)
    assert len(pairs(IHMM(max_gap_ms=75.0).runs(later))) == 2
    assert len(pairs(IHMM(max_gap_ms=70.0).runs(later))) == 3


def test_gaze_that_never_moves_is_one_fixation_and_none_is_none():
    t = np.arange(50) * 4.0
    assert pairs(IHMM().runs(Trial(t, np.ones(50), np.ones(50), 40.0))) == [(0, 50)]
    lost = np.full(50, np.nan)
    assert pairs(IHMM().runs(Trial(t, lost, lost, 40.0))) == []


def test_the_first_states_are_by_the_speed_midway_between_the_two_typical_ones():
    assert states([54.9, 55.0, 55.1], iterations=0.0) == [FIXATION, FIXATION, SACCADE]


@pytest.mark.parametrize("stay", [0.999999, 1.0])
def test_a_state_that_hardly_ever_ends_does_so_where_speeds_are_far_apart(stay):
    speed = np.array([5, 6, 4, 5, 900, 910, 890, 905, 5, 4, 6, 5], float)
    assert states(speed, stay=stay) == [FIXATION] * 4 + [SACCADE] * 4 + [FIXATION] * 4


def drift(deg_s, n=60, px_per_deg=40.0):
    """Return gaze at 250 Hz that goes on at one speed."""
    t = np.arange(n) * 4.0
    x = 100 + deg_s * px_per_deg / 1000 * t
    return Trial(t, x, np.full(n, 300.0), px_per_deg)


@pytest.mark.parametrize(("deg_s", "is_slow"), [(54.98, True), (55.02, False)])
def test_speeds_are_in_degrees_of_the_screen_at_hand(deg_s, is_slow):
    for px_per_deg in (20.0, 40.0):
        found = IHMM(iterations=0.0).movements(drift(deg_s, px_per_deg=px_per_deg))
        fixations, saccades = found["fixation"], found["saccade"]
        assert pairs(fixations) == ([(0, 60)] if is_slow else [])
        assert pairs(saccades) == ([] if is_slow else [(0, 60)])


@pytest.mark.parametrize(("window_ms", "reach"), [(9.0, 1), (20.0, 2), (28.0, 3)])
def test_the_speed_is_taken_over_the_window_asked_for(window_ms, reach):
    # Still but for one step, which as many samples see as reach across it.
    x = np.repeat([300.0, 700.0], 50)
    trial = Trial(np.arange(100) * 4.0, x, np.zeros(100), 40.0)
    found = IHMM(window_ms=window_ms).movements(trial)
    assert pairs(found["fixation"]) == [(0, 50 - reach), (50 + reach, 100)]
    assert pairs(found["saccade"]) == [(50 - reach, 50 + reach)]


def viterbi(speed, means, deviations, stay):
    """Return the most probable states, by trying all sequences of them."""
    best, chosen = -np.inf, None
    for states_ in itertools.product((0, 1), repeat=len(speed)):
        found = 0.0
        for k, state in enumerate(states_):
            found -= np.log(deviations[state])
            found -= ((speed[k] - means[state]) / deviations[state]) ** 2 / 2
            if k:
                before = states_[k - 1]
                found += np.log(stay[before] if state == before else 1 - stay[before])
        if found > best:
            best, chosen = found, states_
    return np.array(chosen)


# Of most of them the states would be others if it stayed as probable that one goes on.
@pytest.mark.parametrize("seed", [1, 2, 9, 10, 12, 15, 17, 24])
def test_training_is_as_told_step_by_step(seed):
    rng = np.random.default_rng(seed)
    speed = np.where(rng.random(9) < 0.5, rng.normal(30, 18, 9), rng.normal(75, 20, 9))
    speed = np.abs(speed)
    state = (speed > 55).astype(int)
    stay = np.full(2, 0.95)
    for _ in range(3):
        if len(set(state.tolist())) == 1:
            break
        parts = [speed[state == k] for k in (0, 1)]
        means = [part.mean() for part in parts]
        deviations = [max(part.std(), 0.1) for part in parts]
        state = viterbi(speed, means, deviations, stay)
        for k in (0, 1):
            nexts = state[1:][state[:-1] == k]
            if nexts.size:
                stay[k] = min(max((nexts == k).mean(), 0.5), 1 - 1e-6)
    assert states(speed, iterations=3.0) == state.tolist()
