"""The default detector: thresholds from noise, merged neighbours, and smooth pursuit."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.auto import BEHIND_CAMERA, Auto, _deviation, _median_length
from gazetrack.events.base import Trial, detect, runs_of
from gazetrack.events.detectors import DETECTORS
from gazetrack.kernels.movements import MOVING
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen
from tests import oracles

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


def turned(trial):
    return Trial(trial.t_ms, trial.y_px, trial.x_px, trial.px_per_deg)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("n", "is_one"), [(3, True), (4, False), (10, False)])
def test_a_spike_of_less_than_half_the_median_is_ironed_out(axis, n, is_one):
    x = np.full(400, 300.0)
    x[200 : 200 + n] += 300.0
    trial = trial_of(x, 0.2)  # seven samples are in the window of 14 ms
    found = Auto(merge_gap_ms=0.0).runs(turned(trial) if axis else trial)
    assert (pairs(found) == [(0, 400)]) == is_one


@pytest.mark.parametrize("axis", [0, 1])
def test_neighbours_are_merged_up_to_the_longest_time_between_them(axis):
    x = np.full(400, 300.0)
    x[200:225] = np.nan
    trial = trial_of(x)
    trial = turned(trial) if axis else trial
    apart = {"fill_gap_ms": 0.0}
    first, second = pairs(Auto(merge_gap_ms=0.0, **apart).runs(trial))
    between_ms = 2.0 * (second[0] - first[1])
    assert pairs(Auto(merge_gap_ms=between_ms, **apart).runs(trial)) == [(0, 400)]
    assert len(pairs(Auto(merge_gap_ms=between_ms - 1.0, **apart).runs(trial))) == 2


def test_saccades_are_told_and_hold_no_sample_of_a_fixation():
    found = Auto().movements(trial_of(jump()))
    ((start, end),) = pairs(found["saccade"])
    assert start == pytest.approx(200, abs=6)
    assert end == pytest.approx(210, abs=6)
    (_, first_end), (second_start, _) = pairs(found["fixation"])
    assert first_end <= start < end <= second_start
    assert pairs(found["smooth_pursuit"]) == []


def pursued(speed=16.0, n=500, noise=0.1, bend=0.0):
    """Return a rest and then a drift in px a second, bent sideways back and forth, at 500 Hz."""
    way = np.clip(np.arange(n) - 200, 0, None) * speed / 500
    trial = trial_of(300 + way, noise)
    return Trial(trial.t_ms, trial.x_px, trial.y_px + bend * np.abs((way % 40) - 20), 40.0)


def test_pursuit_is_faster_longer_and_farther_than_told():
    trial = pursued(speed=200.0)  # 5 degrees a second for 600 ms: 3 degrees
    ((start, end),) = pairs(Auto().movements(trial)["smooth_pursuit"])
    assert start == pytest.approx(200, abs=25)
    assert end == 500

    def is_found(**changes):
        return len(pairs(Auto(**changes).movements(trial)["smooth_pursuit"])) == 1

    assert is_found(pursuit_velocity_deg_s=4.7)
    assert not is_found(pursuit_velocity_deg_s=5.3)
    assert is_found(pursuit_duration_ms=2.0 * (end - start))
    assert not is_found(pursuit_duration_ms=2.0 * (end - start) + 1.0)
    assert is_found(pursuit_distance_deg=2.6)
    assert not is_found(pursuit_distance_deg=3.2)
    vertical = pairs(Auto().movements(turned(trial))["smooth_pursuit"])
    assert vertical == [(start, end)]


def test_pursuit_is_as_straight_as_told():
    trial = pursued(speed=200.0, bend=2.0)  # for each px on, two to the side and back
    assert pairs(Auto().movements(trial)["smooth_pursuit"]) == []
    crooked = Auto(pursuit_straightness=0.3).movements(trial)["smooth_pursuit"]
    assert len(pairs(crooked)) == 1


def test_of_a_fixation_that_is_mostly_pursuit_nothing_is_left():
    trial = pursued(speed=200.0)
    fixations = pairs(Auto(pursuit_share=1.0).movements(trial)["fixation"])
    pursuit = pairs(Auto().movements(trial)["smooth_pursuit"])
    assert fixations == [(0, pursuit[0][0])]
    share = (pursuit[0][1] - pursuit[0][0]) / 500
    assert pairs(Auto(pursuit_share=share + 0.01).movements(trial)["fixation"]) == fixations
    assert pairs(Auto(pursuit_share=share - 0.01).movements(trial)["fixation"]) == []


def test_the_noise_of_velocity_is_taken_from_medians_about_its_median():
    assert _deviation(np.array([3.0, 4.0, 5.0])) == pytest.approx(0.0)
    assert _deviation(np.array([-2.0, -1.0, 0.0, 1.0, 2.0])) == pytest.approx(1.0)
    assert _deviation(np.array([1.0, 2.0, 3.0, 6.0, 7.0])) == pytest.approx(0.0)
    assert _deviation(np.array([-3.0, 1.0, 2.0, 5.0])) == pytest.approx(np.sqrt(6.5 - 2.25))
    assert _deviation(np.full(3, np.nan)) == 0.0


def test_the_noise_of_positions_is_the_median_step():
    assert _median_length(np.array([3.0, -4.0, np.nan, 12.0])) == 4.0
    assert _median_length(np.array([np.nan])) == 0.0


@pytest.mark.parametrize("step", [2.0, 8.0])
def test_the_slope_of_noise_is_that_of_a_line_through_it(step):
    n = round(180 / step)
    rng = np.random.default_rng(0)
    t = np.arange(n) * step
    slopes = [np.polyfit(t, rng.normal(0, 3.0, n), 1)[0] for _ in range(2000)]
    trial = trial_of(np.zeros(50), step=step)
    assert Auto()._slope_of_noise(trial, 3.0) == pytest.approx(np.std(slopes), rel=0.06)
    assert Auto()._slope_of_noise(trial_of(np.zeros(1)), 3.0) == 0.0
    slow = trial_of(np.zeros(9), step=500.0)  # three samples at least
    assert Auto()._slope_of_noise(slow, 3.0) == pytest.approx(3 * np.sqrt(12) / (500 * 3**1.5))


@pytest.mark.parametrize("window_ms", [100.0, 180.0, 300.0])
def test_pursuit_begins_where_a_line_in_the_window_is_steep_enough(window_ms):
    trial = pursued(speed=200.0, noise=0.0)
    half = round(window_ms / 4)  # samples of 2 ms
    slope = [
        np.polyfit(trial.t_ms[k - half : k + half + 1], trial.x_px[k - half : k + half + 1], 1)[0]
        for k in range(160, 240)
    ]
    first = 160 + int(np.argmax(np.array(slope) > 1.5 * 40 / 1000))  # px a ms
    detector = Auto(pursuit_window_ms=window_ms, pursuit_velocity_deg_s=1.5)
    ((start, _),) = pairs(detector.movements(trial)["smooth_pursuit"])
    assert start == pytest.approx(first, abs=2)


def test_a_fixation_with_exactly_the_share_of_pursuit_is_left_out():
    trial = pursued(speed=200.0)
    ((start, end),) = pairs(Auto().movements(trial)["smooth_pursuit"])
    share = (end - start) / 500
    assert pairs(Auto(pursuit_share=share - 1e-9).movements(trial)["fixation"]) == []
    just_more = Auto(pursuit_share=share + 0.001)
    assert pairs(just_more.movements(trial)["fixation"]) == [(0, start)]


def drift(deg_s, n=400):
    """Return gaze at 500 Hz that goes on at one speed, without any noise."""
    x = 300 + deg_s * 40 / 1000 * 2.0 * np.arange(n)
    return Trial(np.arange(n) * 2.0, x, np.full(n, 300.0), 40.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_velocities_are_in_degrees_of_the_screen_at_hand(axis):
    def movements(deg_s, **changes):
        trial = turned(drift(deg_s)) if axis else drift(deg_s)
        found = Auto(**changes).movements(trial)
        return {kind: pairs(runs) for kind, runs in found.items() if runs[0].size}

    no_pursuit = {"pursuit_velocity_deg_s": 1000.0}
    assert movements(11.994, **no_pursuit) == {"fixation": [(0, 400)]}
    assert movements(12.006, **no_pursuit) == {"saccade": [(0, 400)]}
    assert movements(2.4987) == {"fixation": [(0, 400)]}
    assert movements(2.5013) == {"smooth_pursuit": [(0, 400)]}


def test_what_does_not_move_is_no_pursuit_whatever_is_asked_for():
    nothing = dict.fromkeys(
        ("pursuit_velocity_deg_s", "pursuit_noise", "pursuit_distance_deg"), 0.0
    )
    found = Auto(**nothing, pursuit_duration_ms=0.0).movements(drift(0.0))
    assert pairs(found["smooth_pursuit"]) == []
    assert pairs(found["fixation"]) == [(0, 400)]


def test_pursuit_may_be_just_as_far_and_as_straight_as_told():
    trial = pursued(speed=250.0, noise=0.0)  # half a pixel a sample: sums are exact
    ((start, end),) = pairs(Auto().movements(trial)["smooth_pursuit"])
    far = float(trial.x_px[end - 1] - trial.x_px[start]) / 40
    assert far * 40 == trial.x_px[end - 1] - trial.x_px[start]

    def found(**changes):
        return pairs(Auto(**changes).movements(trial)["smooth_pursuit"])

    assert found(pursuit_straightness=1.0, pursuit_distance_deg=far) == [(start, end)]
    assert found(pursuit_straightness=1.001) == found(pursuit_distance_deg=far + 0.001) == []


@pytest.mark.parametrize("window_ms", [120.0, 180.0])
def test_the_path_of_pursuit_is_walked_in_legs_of_half_the_window(window_ms):
    trial = pursued(speed=200.0, bend=1.0, noise=0.0)
    fixed = {"pursuit_window_ms": window_ms, "pursuit_noise": 0.0}
    anyhow = Auto(pursuit_straightness=0.0, **fixed).movements(trial)["smooth_pursuit"]
    ((start, end),) = pairs(anyhow)
    xy = [oracles.moving_median(trial.t_ms, v, 7.0, 64) for v in (trial.x_px, trial.y_px)]
    ((net, way),) = oracles.net_and_way(trial.t_ms, *xy, *anyhow, window_ms / 2)
    for share, n in ((0.999, 1), (1.001, 0)):
        detector = Auto(pursuit_straightness=share * net / way, **fixed)
        assert len(pairs(detector.movements(trial)["smooth_pursuit"])) == n
    assert end - start > 200


@pytest.mark.parametrize("window_ms", [6.0, 16.0, 30.0])
@pytest.mark.parametrize("axis", [0, 1])
def test_saccades_are_what_the_thresholds_say_of_the_velocity(axis, window_ms):
    trial = trial_of(np.concatenate([jump(size=300.0), jump(size=-40.0)[100:] + 290]))
    trial = turned(trial) if axis else trial
    t = trial.t_ms
    xy = [oracles.moving_median(t, v, 7.0, 64) for v in (trial.x_px, trial.y_px)]
    vx, vy = (oracles.local_slope(t, v, window_ms / 2, 100.0) for v in xy)
    deviation = np.hypot(*(np.sqrt(np.median(v**2) - np.median(v) ** 2) for v in (vx, vy)))
    low = max(4 * deviation, 12 * 40 / 1000)
    high = max(9 * deviation, low)
    state = oracles.moving_samples(t, np.hypot(vx, vy), high, low, 18.0)
    unmerged = dict.fromkeys(("merge_gap_ms", "merge_distance_deg", "merge_noise"), 0.0)
    detector = Auto(velocity_window_ms=window_ms, **unmerged)
    expected = pairs(runs_of(state == MOVING))
    assert len(expected) >= 2
    assert pairs(detector.movements(trial)["saccade"]) == expected


def test_exactly_the_share_of_pursuit_is_enough_to_leave_a_fixation_out():
    quiet = {"pursuit_noise": 0.0}
    ((start, _),) = pairs(Auto(**quiet).movements(pursued(200.0, noise=0.0))["smooth_pursuit"])
    trial = pursued(200.0, n=2 * start, noise=0.0)
    found = Auto(pursuit_share=0.5, **quiet).movements(trial)
    assert pairs(found["smooth_pursuit"]) == [(start, 2 * start)]
    assert pairs(found["fixation"]) == []


def test_the_share_of_pursuit_is_that_in_the_fixation_itself():
    before = np.full(300, 300.0)
    rest = np.full(200, 500.0)
    trial = trial_of(np.concatenate([before, rest, 500 + 0.4 * np.arange(200)]), noise=0.1)
    found = Auto(pursuit_share=1.0).movements(trial)
    first, (start, _) = pairs(found["fixation"])
    assert start == pytest.approx(300, abs=5)
    ((begins, end),) = pairs(found["smooth_pursuit"])
    share = (end - begins) / (700 - start)
    assert 0.4 < share < 0.6
    assert pairs(Auto(pursuit_share=share - 0.01).movements(trial)["fixation"]) == [first]
    more = Auto(pursuit_share=share + 0.01).movements(trial)["fixation"]
    assert pairs(more) == [first, (start, begins)]
