"""I2MC: two clusters, merged neighbours, and edges that lie far from the centre."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial
from gazetrack.events.i2mc import I2MC

STEP_MS = 4.0


def trial_of(x, noise=1.0, seed=0):
    """Return gaze at 250 Hz and 40 px to a degree, with noise in px on both axes."""
    x = np.asarray(x, float)
    rng = np.random.default_rng(seed)
    gone = np.where(np.isnan(x), np.nan, 0.0)
    y = 300 + rng.normal(0, noise, x.size) + gone
    return Trial(np.arange(x.size) * STEP_MS, x + rng.normal(0, noise, x.size), y, 40.0)


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@pytest.mark.parametrize("noise", [0.5, 5.0, 20.0])
def test_a_saccade_is_found_whatever_the_noise(noise):
    runs = pairs(I2MC().runs(trial_of(np.repeat([200.0, 800.0, 500.0], 150), noise)))
    assert len(runs) == 3
    middles = [(start + end) / 2 for start, end in runs]
    assert middles == pytest.approx([75, 225, 375], abs=15)


def test_the_result_is_always_the_same():
    trial = trial_of(np.repeat([200.0, 800.0], 150), 20.0)
    assert pairs(I2MC().runs(trial)) == pairs(I2MC().runs(trial))


def test_a_loss_is_filled_up_to_its_length():
    x = np.repeat([200.0, 800.0], 150)
    x[70:80] = np.nan  # 44 ms from known to known sample
    trial = trial_of(x)
    assert len(pairs(I2MC(fill_gap_ms=44.0, max_gap_ms=40.0).runs(trial))) == 2
    lost = pairs(I2MC(fill_gap_ms=43.0, max_gap_ms=40.0).runs(trial))
    assert len(lost) == 3
    assert lost[0][1] <= 70
    assert lost[1][0] >= 80


def test_neighbours_are_merged_when_near_in_time_and_in_space():
    x = np.repeat([200.0, 200.0 + 40.0], 150)  # a degree apart
    trial = trial_of(x, 0.1)
    first, second = pairs(I2MC(merge_distance_deg=0.95).runs(trial))
    between_ms = (second[0] - first[1]) * STEP_MS
    for merge_gap_ms, n in ((between_ms, 1), (between_ms - 0.1, 2)):
        detector = I2MC(merge_gap_ms=merge_gap_ms, merge_distance_deg=1.05)
        assert len(pairs(detector.runs(trial))) == n


def test_edges_far_from_the_centre_are_cut_off():
    # The median is 0. Distances from it are 4 but at the edges: median 4, deviation 0.
    x = np.where(np.arange(40) % 2, 4.0, -4.0)
    x[0] = 30.0
    x[38:] = -20.0
    x[20] = -50.0  # within, and so no edge
    trial = Trial(np.arange(40) * STEP_MS, x, np.zeros(40), 40.0)
    starts, ends = I2MC()._trimmed(trial, (np.array([0]), np.array([40])))
    assert (starts.tolist(), ends.tolist()) == ([1], [38])


def test_constant_gaze_is_one_fixation_and_lost_gaze_is_none():
    assert pairs(I2MC().runs(trial_of(np.full(200, 7.0), 0.0))) == [(0, 200)]
    assert pairs(I2MC().runs(trial_of(np.full(200, np.nan)))) == []


def test_fixations_shorter_than_the_least_duration_are_left_out():
    trial = trial_of(np.repeat([200.0, 800.0, 500.0], [150, 50, 150]))
    assert len(pairs(I2MC().runs(trial))) == 3
    assert len(pairs(I2MC(min_duration_ms=250.0).runs(trial))) == 2


@pytest.mark.parametrize("seed", [66, 687, 1919, 2783])  # of which rounding decided
def test_where_on_the_screen_gaze_is_decides_nothing(seed):
    rng = np.random.default_rng(seed)
    places = rng.choice([100.0, 104.0, 400.0, np.nan], 50, p=[0.4, 0.2, 0.2, 0.2])
    # Sixty-fourths shift exactly.
    x = np.repeat(places, 5) + np.round(rng.normal(0, 1, 250) * 64) / 64
    here = Trial(np.arange(x.size) * 16.0, x, x.copy(), 40.0)
    there = Trial(here.t_ms, x + 256.0, x.copy(), 40.0)
    assert pairs(I2MC().runs(here)) == pairs(I2MC().runs(there))


def test_edges_are_far_from_the_centre_wherever_the_centre_is():
    rng = np.random.default_rng(0)
    for axis in (0, 1):
        xy = rng.normal(0, 1, (2, 60))
        xy[axis, :3] = xy[axis, 55:] = 40.0
        for shift in (0.0, 500.0):
            trial = Trial(np.arange(60) * STEP_MS, *(xy + shift), 40.0)
            starts, ends = I2MC(edge_deviations=20.0)._trimmed(
                trial, (np.array([0]), np.array([60]))
            )
            assert (starts.tolist(), ends.tolist()) == ([3], [55])


def test_a_sample_alone_is_no_trouble():
    lost = np.full(30, np.nan)
    lost[12] = 5.0
    runs = pairs(I2MC(min_duration_ms=0.0).runs(trial_of(lost)))
    assert all(12 <= start < end <= 13 for start, end in runs)
