"""What is said of a movement: from where to where, how far, whither and how fast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.events.base import Trial, clear_of
from gazetrack.events.saccades import described, direction, means, peaks, speed_of, unbroken

SCALE = 40.0


def step_to(dx, dy, n=120, hz=500.0, at=60, lasts=20):
    """Gaze that rests, moves by (dx, dy) px in `lasts` samples, and rests."""
    way = np.clip((np.arange(n) - at) / lasts, 0, 1)
    return Trial(np.arange(n) * 1000 / hz, 300 + dx * way, 200 + dy * way, SCALE)


def runs(*pairs):
    starts, ends = zip(*pairs, strict=True)
    return np.array(starts), np.array(ends)


@pytest.mark.parametrize(
    ("dx", "dy", "angle"),
    [(80, 0, 0), (0, -80, 90), (-80, 0, 180), (0, 80, -90), (60, -60, 45), (-60, 60, -135)],
)
def test_directions_are_as_seen_on_the_screen(dx, dy, angle):
    assert direction(np.array([float(dx)]), np.array([float(dy)])) == pytest.approx([angle])


def test_no_step_has_no_direction_and_half_a_turn_has_one_name():
    assert np.isnan(direction(np.zeros(1), np.zeros(1)))[0]
    assert direction(np.array([-5.0, -5.0]), np.array([0.0, -0.0])).tolist() == [180.0, 180.0]


def test_a_saccade_is_described_by_its_samples():
    trial = step_to(120, -160)  # 200 px are 5 degrees, in 40 ms: 125 deg/s
    speed = speed_of(trial, 4.0)
    found = described(trial, speed, "saccade", runs((61, 80)))
    values = {name: value[0] for name, value in found.items()}
    assert (values["x_px"], values["y_px"]) == (300, 200)
    assert (values["end_x_px"], values["end_y_px"]) == (420, 40)
    assert values["amplitude_deg"] == pytest.approx(5.0)
    assert values["direction_deg"] == pytest.approx(np.degrees(np.arctan2(160, 120)))
    assert values["peak_velocity_deg_s"] == pytest.approx(125.0)
    assert values["mean_velocity_deg_s"] == pytest.approx(125.0, rel=0.02)
    assert (values["onset_ms"], values["duration_ms"]) == (122.0, 38.0)


def test_a_saccade_of_one_sample_has_a_length():
    trial = Trial(np.arange(5) * 16.0, np.array([0, 0, 40, 80, 80.0]), np.zeros(5), SCALE)
    found = described(trial, speed_of(trial, 20.0), "saccade", runs((2, 3)))
    assert found["amplitude_deg"].tolist() == [2.0]


def test_a_fixation_has_a_mean_position_and_no_end():
    trial = step_to(0, 0)
    found = described(trial, speed_of(trial, 20.0), "fixation", runs((0, 50)))
    assert found["x_px"].tolist() == [300.0]
    assert not {"end_x_px", "amplitude_deg", "direction_deg"} & set(found)


def test_the_speed_is_that_of_the_window():
    trial = step_to(160, 0, at=40, lasts=40)  # 80 ms, 4 degrees: 50 deg/s
    assert speed_of(trial, 20.0)[60] == pytest.approx(50.0)
    assert speed_of(trial, 20.0)[10] == 0.0


def test_what_touches_a_loss_is_cut_off():
    trial = step_to(100, 0)
    x = trial.x_px.copy()
    x[[30, 90]] = np.nan
    lost = Trial(trial.t_ms, x, trial.y_px, SCALE)
    asked = runs((0, 5), (10, 20), (25, 30), (31, 40), (50, 60), (85, 95), (110, 120))
    starts, ends = unbroken(lost, asked)
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [(10, 20), (50, 60)]


def test_what_a_pause_interrupts_is_cut_off():
    trial = step_to(100, 0)
    t = trial.t_ms.copy()
    t[60:] += 400.0  # between samples 59 and 60
    paused = Trial(t, trial.x_px, trial.y_px, SCALE)
    asked = runs((50, 58), (55, 65), (60, 70), (61, 70))
    starts, _ = unbroken(paused, asked)
    assert starts.tolist() == [50, 61]


def test_runs_that_share_a_sample_are_left_out():
    starts, ends = clear_of(runs((0, 5), (8, 12), (20, 30), (40, 41)), runs((5, 8), (25, 26)))
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == [(0, 5), (8, 12), (40, 41)]
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    assert clear_of(runs((3, 4)), nothing)[0].tolist() == [3]
    assert clear_of(nothing, runs((3, 4)))[0].size == 0


def test_missing_values_do_not_count():
    values = np.array([1.0, np.nan, 3.0, np.nan, np.nan])
    asked = runs((0, 3), (3, 5))
    assert means(values, asked)[0] == 2.0
    assert peaks(values, asked)[0] == 3.0
    assert np.isnan([means(values, asked)[1], peaks(values, asked)[1]]).all()
    assert np.isnan(means(None, asked)).all()


def test_smooth_pursuit_leads_from_its_first_known_sample_to_its_last():
    t = np.arange(10) * 10.0
    x = np.array([np.nan, 10, 20, 30, np.nan, 50, np.nan, 70, 80, 90])
    y = np.where(np.isnan(x), np.nan, 5 * np.arange(10.0))
    trial = Trial(t, x, y, 20.0, pupil=np.arange(10.0))
    found = described(trial, np.arange(10.0), "smooth_pursuit", runs((0, 7), (7, 10)))
    assert found["onset_ms"].tolist() == [0, 70]
    assert found["duration_ms"].tolist() == [70, 30]
    assert (found["x_px"].tolist(), found["y_px"].tolist()) == ([10, 70], [5, 35])
    assert (found["end_x_px"].tolist(), found["end_y_px"].tolist()) == ([50, 90], [25, 45])
    np.testing.assert_allclose(found["amplitude_deg"], np.hypot([40, 20], [20, 10]) / 20)
    assert found["direction_deg"] == pytest.approx([-np.degrees(np.arctan2(20, 40))] * 2)
    assert found["pupil"].tolist() == [3, 8]
    assert found["mean_velocity_deg_s"].tolist() == [3, 8]
    assert found["peak_velocity_deg_s"].tolist() == [6, 9]
    lost = described(Trial(t, x * np.nan, y, 20.0), t, "smooth_pursuit", runs((2, 4)))
    assert np.isnan(lost["x_px"]).all()


def test_a_saccade_at_the_ends_of_a_trial_has_no_sample_beyond_them():
    t = np.arange(6) * 10.0
    trial = Trial(t, np.arange(6) * 40.0, np.arange(6) * 30.0, 50.0)
    found = described(trial, t, "saccade", runs((0, 2), (2, 3), (4, 6)))
    assert found["x_px"].tolist() == [0, 40, 120]
    assert found["end_x_px"].tolist() == [80, 120, 200]
    assert found["end_y_px"].tolist() == [60, 90, 150]
    assert found["amplitude_deg"].tolist() == [2, 2, 2]


@pytest.mark.parametrize("axis", [0, 1])
def test_the_speed_is_of_both_axes_and_of_any_window(axis):
    t = np.cumsum(np.random.default_rng(0).uniform(2, 6, 200))
    ways = [3 * t, np.full(200, 7.0)]
    trial = Trial(t, ways[axis], ways[1 - axis], 40.0)  # 3 px/ms are 75 deg/s
    for window_ms in (4.0, 20.0, 100.0):
        np.testing.assert_allclose(speed_of(trial, window_ms)[1:-1], 75.0)
    both = Trial(t, 3 * t, -4 * t, 40.0)
    np.testing.assert_allclose(speed_of(both, 20.0)[1:-1], 125.0)


def test_the_window_is_as_long_as_asked_for():
    t = np.arange(100) * 2.0
    x = np.zeros(100)
    x[50] = 40.0
    for window_ms, reach in ((4.0, 1), (12.0, 3), (20.0, 5)):
        moved = np.flatnonzero(speed_of(Trial(t, x, x * 0, 40.0), window_ms) > 1e-9)
        assert (moved.min(), moved.max()) == (50 - reach, 50 + reach)


@pytest.mark.parametrize(("step", "is_known"), [(100.0, True), (100.1, False)])
def test_a_step_of_a_tenth_of_a_second_is_no_pause(step, is_known):
    t = np.cumsum([0.0, 10, 10, 10, step, 10, 10, 10])
    trial = Trial(t, t * 0, t * 0, 40.0)
    starts, _ = unbroken(trial, runs((2, 6)))
    assert starts.size == is_known


@given(st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=3, max_size=20), st.data())
def test_unbroken_runs_are_those_whose_samples_are_known_one_by_one(kinds, data):
    kinds = np.array(kinds)  # 1 is a lost sample, 2 one that comes late
    n = kinds.size
    t = np.cumsum(np.where(kinds == 2, 500.0, 10.0))
    x = np.where(kinds == 1, np.nan, 1.0)
    start = data.draw(st.integers(0, n - 1))
    end = data.draw(st.integers(start + 1, n))
    has_sides = start > 0 and end < n
    around = range(start - 1, end + 1)
    is_whole = has_sides and not any(np.isnan(x[k]) for k in around)
    is_whole = is_whole and not any(t[k] - t[k - 1] > 100 for k in around[1:])
    starts, _ = unbroken(Trial(t, x, x, 40.0), runs((start, end)))
    assert starts.size == is_whole
