"""The default detector: thresholds from noise, merged neighbours, and smooth pursuit."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.auto import BEHIND_CAMERA, Auto
from gazetrack.events.base import Trial, detect
from gazetrack.events.detectors import DETECTORS
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)


def table_of(t, x, y):
    return conform({"recording": "r", "t_ms": t, "x_px": x, "y_px": y}, SAMPLES)


def trial_of(x, noise=0.3, step=2.0, seed=0):
    """Return gaze with noise in px on both axes, 40 px to a degree."""
    x = np.asarray(x, float)
    rng = np.random.default_rng(seed)
    y = 300 + rng.normal(0, noise, x.size) + np.where(np.isnan(x), np.nan, 0.0)
    return Trial(np.arange(x.size) * step, x + rng.normal(0, noise, x.size), y, 40.0)


def pairs(runs):
    starts, ends = runs
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def jump(before=200, after=200, size=200.0):
    """Return a saccade of 20 ms at 500 Hz between two places."""
    ramp = np.linspace(0, size, 12)[1:-1]
    return 300 + np.concatenate([np.zeros(before), ramp, np.full(after, size)])


def test_smooth_pursuit_is_no_fixation():
    t = np.arange(0, 1500, 2.0)
    x = np.where(t < 700, 300.0, 300 + (t - 700) * 0.4) + np.random.default_rng(0).normal(
        0, 0.5, len(t)
    )
    table, _ = detect(table_of(t, x, np.full(len(t), 500.0)), SCREEN, Auto())
    assert table.num_rows == 1
    assert table["duration_ms"][0].as_py() == pytest.approx(700, abs=120)
    by_speed, _ = detect(table_of(t, x, np.full(len(t), 500.0)), SCREEN, DETECTORS["ivt"]())
    assert by_speed["duration_ms"][0].as_py() > 1400


def test_behind_a_moving_camera_nothing_is_smooth_pursuit():
    t = np.arange(750) * 2.0
    trial = trial_of(300 + np.maximum(t - 700, 0) * 0.4)
    assert pairs(Auto().runs(trial))[0][1] == pytest.approx(350, abs=60)
    assert pairs(BEHIND_CAMERA.runs(trial)) == [(0, 750)]


@pytest.mark.parametrize("noise", [0.2, 2.0, 8.0])
def test_the_thresholds_follow_the_noise(noise):
    first, second = pairs(Auto().runs(trial_of(jump(size=400.0), noise)))
    assert first[1] == pytest.approx(200, abs=10)
    assert second[0] == pytest.approx(210, abs=10)


def test_neither_threshold_is_lower_than_the_least_velocity():
    # 20 px in 20 ms are 25 degrees a second, and there is no noise at all.
    trial = trial_of(jump(size=20.0), 0.0)
    apart = {"merge_gap_ms": 0.0}
    assert len(pairs(Auto(**apart).runs(trial))) == 2
    assert len(pairs(Auto(min_velocity_deg_s=40.0, **apart).runs(trial))) == 1


def test_neighbours_are_merged_when_near_in_time_and_in_space():
    trial = trial_of(jump(size=20.0), 0.0)  # half a degree apart
    assert len(pairs(Auto(merge_distance_deg=0.45).runs(trial))) == 2
    assert len(pairs(Auto(merge_distance_deg=0.55).runs(trial))) == 1
    assert len(pairs(Auto(merge_distance_deg=0.55, merge_gap_ms=10.0).runs(trial))) == 2


def test_losses_are_filled_up_to_their_length():
    x = np.full(400, 300.0)
    x[200:225] = np.nan  # 52 ms from known to known sample
    trial = trial_of(x)
    unmerged = {"merge_gap_ms": 0.0}
    assert pairs(Auto(fill_gap_ms=52.0, **unmerged).runs(trial)) == [(0, 400)]
    first, second = pairs(Auto(fill_gap_ms=51.0, **unmerged).runs(trial))
    assert first[1] <= 200
    assert second[0] >= 225


def test_fixations_shorter_than_the_least_duration_are_left_out():
    trial = trial_of(jump(before=40))  # about 80 ms, and about 400
    assert len(pairs(Auto().runs(trial))) == 2
    assert len(pairs(Auto(min_duration_ms=120.0).runs(trial))) == 1


@pytest.mark.parametrize("value", [-1, np.nan, np.inf])
def test_parameters_are_checked(value):
    with pytest.raises(ConfigError, match="quiet_ms"):
        Auto(quiet_ms=value)


def test_gaze_that_never_moves_is_one_fixation_and_none_is_none():
    assert pairs(Auto().runs(trial_of(np.full(100, 7.0), 0.0))) == [(0, 100)]
    assert pairs(Auto().runs(trial_of(np.full(100, np.nan)))) == []
