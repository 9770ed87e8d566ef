"""Preparation of samples, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, DataError
from gazetrack.events.prepare import Preparation, prepare
from gazetrack.tables.schema import SAMPLES, conform
from gazetrack.tables.screen import Screen


def table(x, t=None, **columns):
    x = np.asarray(x, float)
    t = np.arange(len(x)) * 10.0 if t is None else t
    return conform({"t_ms": t, "x_px": x, "y_px": x} | columns, SAMPLES)


def x_of(samples):
    return samples["x_px"].to_numpy().tolist()


NAN = np.nan


def test_nothing_happens_unless_asked_for():
    before = table([1, NAN, 3, 500])
    assert prepare(before, None, Preparation()).to_pandas().equals(before.to_pandas())


@pytest.mark.parametrize(
    ("eye", "expected"),
    [
        ("left", [1, 2, NAN, NAN]),
        ("right", [3, NAN, 5, NAN]),
        ("average", [2, 2, 5, NAN]),
        ("strict", [2, NAN, NAN, NAN]),
        ("exported", [9, 9, 9, 9]),
    ],
)
def test_eyes(eye, expected):
    left, right = [1, 2, NAN, NAN], [3, NAN, 5, NAN]
    samples = table([9] * 4, left_x_px=left, left_y_px=left, right_x_px=right, right_y_px=right)
    assert x_of(prepare(samples, None, Preparation(eye=eye))) == pytest.approx(
        expected, nan_ok=True
    )


@pytest.mark.parametrize("eye", ["left", "right", "average", "strict"])
def test_an_eye_that_is_not_there(eye):
    with pytest.raises(DataError, match="no samples of"):
        prepare(table([1, 2]), None, Preparation(eye=eye))


def test_gaze_beside_the_screen_is_taken_out():
    screen = Screen(100, 100)
    samples = table([-11, -9, 50, 109, 111])
    assert x_of(prepare(samples, screen, Preparation(off_screen=0.1))) == pytest.approx(
        [NAN, -9, 50, 109, NAN], nan_ok=True
    )
    with pytest.raises(ConfigError, match="without a screen"):
        prepare(samples, None, Preparation(off_screen=0.1))


def test_blinks_are_padded_and_flicker_is_not():
    x = np.arange(30.0)
    x[5] = NAN  # 20 ms from known to known
    x[15:20] = NAN  # 60 ms
    out = np.array(x_of(prepare(table(x), None, Preparation(pad_ms=20, pad_gap_ms=50))))
    assert np.flatnonzero(np.isnan(out)).tolist() == [5, *range(12, 23)]


@pytest.mark.parametrize(("least_ms", "padded"), [(50, True), (50.01, False)])
def test_a_gap_of_exactly_the_least_length_is_padded(least_ms, padded):
    x = np.arange(30.0)
    x[10:14] = NAN  # 50 ms from known to known
    out = np.array(x_of(prepare(table(x), None, Preparation(pad_ms=20, pad_gap_ms=least_ms))))
    assert np.flatnonzero(np.isnan(out)).tolist() == (
        list(range(7, 17)) if padded else [10, 11, 12, 13]
    )


def test_steps_longer_than_a_blink_are_no_gaps():
    x = np.arange(30.0)
    slow = prepare(table(x, x * 66.7), None, Preparation(pad_ms=20))  # 15 Hz
    assert x_of(slow) == x.tolist()
    assert x_of(prepare(table(x), None, Preparation(pad_ms=20, pad_gap_ms=0))) == x.tolist()


def test_gaps_at_the_ends_are_padded():
    x = np.arange(30.0)
    x[:8] = x[-8:] = NAN
    out = np.array(x_of(prepare(table(x), None, Preparation(pad_ms=20))))
    assert np.flatnonzero(np.isfinite(out)).tolist() == list(range(11, 19))


def test_short_gaps_are_filled_and_long_ones_are_not():
    out = x_of(prepare(table([0, NAN, 20, NAN, NAN, NAN, 60]), None, Preparation(max_gap_ms=25)))
    assert out == pytest.approx([0, 10, 20, NAN, NAN, NAN, 60], nan_ok=True)


def test_a_gap_between_trials_is_nobodys():
    samples = table([0, NAN, 20], trial=np.array(["a", "a", "b"], object))
    assert np.isnan(x_of(prepare(samples, None, Preparation(max_gap_ms=100)))[1])
    reset = table([0, NAN, 20], t=np.array([100.0, 110.0, 0.0]))
    assert np.isnan(x_of(prepare(reset, None, Preparation(max_gap_ms=1000)))[1])


def test_the_moving_median_takes_out_a_spike():
    assert (
        x_of(prepare(table([1, 1, 9, 1, 1]), None, Preparation(smooth="median", smooth_ms=20)))
        == [1] * 5
    )


def test_savitzky_golay_keeps_parabolas_and_lowers_noise():
    t = np.arange(200) * 4.0
    curve = 0.01 * (t / 10) ** 2
    chosen = Preparation(smooth="savgol", smooth_ms=40)
    assert x_of(prepare(table(curve, t), None, chosen)) == pytest.approx(curve, abs=1e-4)
    noisy = np.random.default_rng(0).normal(0, 1, 200)
    assert np.std(x_of(prepare(table(noisy, t), None, chosen))) < 0.6
    short = table([1, NAN, 5, 2, NAN])
    assert x_of(prepare(short, None, chosen)) == pytest.approx([1, NAN, 5, 2, NAN], nan_ok=True)


def test_savitzky_golay_goes_by_times():
    t = np.cumsum(np.random.default_rng(0).uniform(1, 8, 300))
    curve = 0.001 * (t - 600) ** 2
    assert x_of(
        prepare(table(curve, t), None, Preparation(smooth="savgol", smooth_ms=60))
    ) == pytest.approx(curve, abs=1e-3)


@pytest.mark.parametrize("smooth", ["median", "savgol"])
def test_nothing_is_smoothed_across_a_pause(smooth):
    t = np.concatenate([np.arange(50), 1000 + np.arange(50)]) * 4.0
    x = np.repeat([0.0, 500.0], 50)
    assert x_of(
        prepare(table(x, t), None, Preparation(smooth=smooth, smooth_ms=40))
    ) == pytest.approx(x, abs=1e-4)


@pytest.mark.parametrize("smooth", ["median", "savgol"])
def test_a_window_of_more_than_a_thousand_samples_is_refused(smooth):
    samples = table(np.arange(3000.0), np.arange(3000) * 0.5)
    assert prepare(samples, None, Preparation(smooth=smooth, smooth_ms=512)).num_rows == 3000
    with pytest.raises(ConfigError, match="1,027 samples at once"):
        prepare(samples, None, Preparation(smooth=smooth, smooth_ms=513))


@pytest.mark.parametrize(
    "wrong",
    [
        {"eye": "third"},
        {"smooth": "much"},
        {"pad_ms": -1},
        {"max_gap_ms": NAN},
        {"order": 2.5},
        {"order": 9},
    ],
)
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ConfigError):
        Preparation(**wrong)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 1.0, -50.0, 3000.0, NAN]), max_size=40),
    st.sampled_from(["none", "median", "savgol"]),
    st.sampled_from([0.0, 1.0, 10.0]),
)
def test_rows_stay_and_gaze_appears_in_short_gaps_only(values, smooth, step):
    samples = table(values, np.arange(len(values)) * step)
    chosen = Preparation(off_screen=0.5, pad_ms=10, smooth=smooth)
    out = prepare(samples, Screen(1000, 1000), chosen)
    assert out.num_rows == len(values)
    x, y = out["x_px"].to_numpy(), out["y_px"].to_numpy()
    assert (np.isnan(x) == np.isnan(y)).all()
    assert np.isnan(x[np.isnan(np.array(values, float))]).all()


def xy_of(samples):
    return np.stack([samples["x_px"].to_numpy(), samples["y_px"].to_numpy()])


def test_either_axis_has_its_own_edge_of_the_screen():
    x = [-21.0, 221, 50, 50, 100, 200, 0, -20, 220]
    y = [50.0, 50, -11, 111, 100, 100, 0, -10, 110]
    samples = conform({"t_ms": np.arange(9.0), "x_px": x, "y_px": y}, SAMPLES)
    out = xy_of(prepare(samples, Screen(200, 100), Preparation(off_screen=0.1)))
    assert np.isnan(out[:, :4]).all()
    np.testing.assert_array_equal(out[:, 4:], [x[4:], y[4:]])


def test_eyes_are_averaged_in_either_axis_and_half_a_position_is_none():
    columns = {
        "left_x_px": [1.0, 1, NAN, 1],
        "left_y_px": [10.0, NAN, 10, 10],
        "right_x_px": [3.0, 3, 3, 3],
        "right_y_px": [30.0, 30, 30, NAN],
    }
    samples = table([9] * 4, **columns)
    average = xy_of(prepare(samples, None, Preparation(eye="average")))
    np.testing.assert_array_equal(average, [[2, 3, 3, 1], [20, 30, 30, 10]])
    strict = xy_of(prepare(samples, None, Preparation(eye="strict")))
    np.testing.assert_array_equal(strict, [[2, NAN, NAN, NAN], [20, NAN, NAN, NAN]])
    left = xy_of(prepare(samples, None, Preparation(eye="left")))
    np.testing.assert_array_equal(left, [[1, NAN, NAN, 1], [10, NAN, NAN, 10]])


def test_both_axes_are_padded_filled_and_smoothed():
    x = np.arange(30.0)
    y = 100 + x[::-1] ** 2
    y[10:20] = NAN
    samples = conform({"t_ms": np.arange(30) * 10.0, "x_px": x, "y_px": y}, SAMPLES)
    padded = xy_of(prepare(samples, None, Preparation(pad_ms=20)))
    assert np.isnan(padded[:, 7:23]).all()
    assert np.isfinite(padded[:, [6, 23]]).all()
    filled = xy_of(prepare(samples, None, Preparation(max_gap_ms=110)))
    np.testing.assert_allclose(filled[0], x)
    np.testing.assert_allclose(filled[1, 9:21], np.linspace(y[9], y[20], 12), rtol=1e-6)
    y[5] = 9999
    samples = conform({"t_ms": np.arange(30) * 10.0, "x_px": x, "y_px": y}, SAMPLES)
    median = xy_of(prepare(samples, None, Preparation(smooth="median", smooth_ms=20)))
    assert median[1, 5] == y[4]


@pytest.mark.parametrize("name", ["recording", "trial", "stimulus"])
def test_nothing_reaches_from_one_part_of_a_table_into_the_next(name):
    samples = table([0, NAN, 20, NAN, 40], **{name: np.array(list("aabbb"), object)})
    out = x_of(prepare(samples, None, Preparation(max_gap_ms=100)))
    assert out == pytest.approx([0, NAN, 20, 30, 40], nan_ok=True)


def test_samples_of_one_time_are_no_step_back():
    samples = table([0, NAN, NAN, 30], t=np.array([0.0, 10, 10, 30]))
    out = x_of(prepare(samples, None, Preparation(max_gap_ms=100)))
    assert out == pytest.approx([0, 10, 10, 30])


def test_the_highest_degree_is_five():
    assert Preparation(order=5).order == 5
    with pytest.raises(ConfigError, match="whole number up to 5"):
        Preparation(order=6)
    t = np.arange(60) * 4.0
    curve = ((t - 100) / 40) ** 5
    chosen = Preparation(smooth="savgol", smooth_ms=60, order=5)
    assert x_of(prepare(table(curve, t), None, chosen)) == pytest.approx(curve, abs=1e-3)


@pytest.mark.parametrize(("least_ms", "padded"), [(50, True), (50.1, False)])
def test_a_gap_at_an_end_begins_a_step_before_the_first_sample(least_ms, padded):
    x = np.arange(30.0)
    x[:4] = x[-4:] = NAN
    out = np.array(x_of(prepare(table(x), None, Preparation(pad_ms=20, pad_gap_ms=least_ms))))
    first, last = (7, 22) if padded else (4, 25)
    assert np.flatnonzero(np.isfinite(out))[[0, -1]].tolist() == [first, last]


def test_lengths_may_be_less_than_a_millisecond():
    t = np.arange(12) * 0.25
    x = np.arange(12.0)
    x[4:6] = NAN  # 0.75 ms from known to known
    filled = x_of(prepare(table(x, t), None, Preparation(max_gap_ms=0.75)))
    assert filled == pytest.approx(np.arange(12))
    assert np.isnan(x_of(prepare(table(x, t), None, Preparation(max_gap_ms=0.74)))[4:6]).all()
    padded = np.array(x_of(prepare(table(x, t), None, Preparation(pad_ms=0.5, pad_gap_ms=0.5))))
    assert np.flatnonzero(np.isnan(padded)).tolist() == list(range(1, 9))
    whole = table(np.arange(12.0), t)
    assert x_of(prepare(whole, None, Preparation(pad_ms=0.5, pad_gap_ms=0.0))) == list(range(12))


def test_a_pause_of_one_step_and_a_half_is_no_gap():
    for pause, padded in ((15.0, []), (15.1, [9, 10])):
        t = np.cumsum([0.0, *[10.0] * 9, pause, *[10.0] * 9])
        out = x_of(prepare(table(np.arange(20.0), t), None, Preparation(pad_ms=5, pad_gap_ms=0)))
        assert np.flatnonzero(np.isnan(out)).tolist() == padded


def test_samples_of_one_time_say_nothing_about_the_rate():
    t = np.repeat(np.arange(8) * 10.0, 3)
    x = np.arange(24.0)
    assert x_of(prepare(table(x, t), None, Preparation(pad_ms=5, pad_gap_ms=0))) == x.tolist()
