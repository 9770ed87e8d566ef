"""Blinks: gaps with what the lid does beside them, as published, and their limits."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.events.base import Trial
from gazetrack.events.blinks import Blinks, _smoothed, _times, blinks_of, closed_runs
from tests.eye_signals import pupil_with_blinks

HERE = Path(__file__).parent
ANY = Blinks(min_duration_ms=0.0, max_duration_ms=1e9)


def trial_of(pupil=None, gaze=None, step=2.0):
    values = np.asarray(gaze if pupil is None else pupil, float)
    n = values.size
    x = np.full(n, 100.0) if gaze is None else np.asarray(gaze, float)
    if pupil is not None:
        pupil = np.where(values > 0, values, np.nan)
    return Trial(np.arange(n) * step, x, np.where(np.isnan(x), np.nan, 50.0), 40.0, pupil)


def pairs(runs):
    return [list(pair) for pair in zip(*(part.tolist() for part in runs), strict=True)]


def smoothed(values, half):
    """The moving average that MATLAB's smooth gives: fewer samples at either end."""
    n = len(values)
    out = []
    for i in range(n):
        reach = min(half, i, n - 1 - i)
        out.append(sum(values[i - reach : i + reach + 1]) / (2 * reach + 1))
    return [math.nan if value == 0 else value for value in out]


def oracle(pupil, half, merge, lid=math.inf):
    """Hershman et al. (2018) as their paper tells it, in samples: [first, end) of each blink.

    The lid moves for as many samples, to either side, as `lid` says at most.
    """
    n = len(pupil)
    flat = smoothed(pupil, half)
    found = []
    i = 0
    while i < n:
        if pupil[i] != 0:
            i += 1
            continue
        j = i
        while j < n and pupil[j] == 0:
            j += 1
        onset, offset = i, j
        if i > 0:
            onset = i - 1
            while onset - 1 > 0 and flat[onset] - flat[onset - 1] <= 0 and i - onset <= lid:
                onset -= 1
        while offset < n - 1 and flat[offset + 1] - flat[offset] >= 0 and offset - j < lid:
            offset += 1
        if found and onset - found[-1][1] <= merge:
            found[-1][1] = max(offset, found[-1][1])
        else:
            found.append([onset, offset])
        i = j
    return found


def test_blinks_are_those_of_the_published_code():
    _, size = pupil_with_blinks()
    held = json.loads((HERE / "peers_movements.json").read_text("utf-8"))["blinks"]
    trial = trial_of(size)
    assert pairs(closed_runs(trial, ANY)) == held
    assert len(held) == 6, "seven gaps, two of which are one blink"
    found = blinks_of(trial, ANY)
    assert found["onset_ms"].tolist() == [2.0 * first for first, _ in held]


@pytest.mark.parametrize("seed", range(6))
def test_blinks_are_those_of_the_paper(seed):
    rng = np.random.default_rng(seed)
    size = np.round(rng.normal(40, 2, 400))
    for start in rng.integers(0, 400, 6):
        size[start : start + rng.integers(1, 40)] = 0
    runs = closed_runs(trial_of(size), ANY)
    assert pairs(runs) == oracle(size.tolist(), half=2, merge=50)


def test_what_is_too_short_or_too_long_is_no_blink():
    gaze = np.full(1000, 100.0)
    for first, n in ((100, 20), (300, 50), (600, 300)):  # 40, 100 and 600 ms
        gaze[first : first + n] = np.nan
    found = blinks_of(trial_of(gaze=gaze), Blinks())
    assert found["onset_ms"].tolist() == [600.0]
    assert found["duration_ms"].tolist() == [100.0]
    more = blinks_of(trial_of(gaze=gaze), Blinks(min_duration_ms=40, max_duration_ms=600))
    assert more["duration_ms"].tolist() == [40.0, 100.0, 600.0]


def test_padding_makes_a_blink_longer_and_not_likelier():
    gaze = np.full(500, 100.0)
    gaze[100:150] = np.nan
    gaze[150:] = 200.0
    found = blinks_of(trial_of(gaze=gaze), Blinks(pad_ms=30.0, max_duration_ms=100.0))
    assert (found["onset_ms"][0], found["duration_ms"][0]) == (170.0, 160.0)
    assert (found["x_px"][0], found["end_x_px"][0]) == (100.0, 200.0)


def test_zero_is_a_closed_lid_and_not_a_small_pupil():
    size = 3.4 + 0.01 * np.resize([0, 2, 1], 500)
    size[200:260] = 0.0
    found = blinks_of(trial_of(size), Blinks())
    assert found["onset_ms"].size == 1
    assert 120.0 <= found["duration_ms"][0] <= 140.0


def test_a_pupil_that_never_changes_is_no_blink_for_ever():
    size = np.full(500, 3.4)
    size[200:260] = 0.0
    found = blinks_of(trial_of(size), Blinks(lid_ms=40.0))
    assert found["onset_ms"].tolist() == [358.0]
    assert found["duration_ms"].tolist() == [202.0]


def test_a_pause_in_the_samples_is_a_gap():
    trial = trial_of(gaze=np.full(300, 100.0))
    keep = np.r_[0:100, 160:300]
    cut = Trial(trial.t_ms[keep], trial.x_px[keep], trial.y_px[keep], 40.0)
    found = blinks_of(cut, Blinks())
    assert found["onset_ms"].tolist() == [200.0]
    assert found["duration_ms"].tolist() == [120.0]


def test_where_blinks_are_looked_for():
    size = 5.0 + 0.01 * np.resize([0, 2, 1], 400)
    size[100:150] = 0
    gaze = np.full(400, 10.0)
    gaze[250:300] = np.nan
    trial = trial_of(size, gaze)
    onsets = {
        method: blinks_of(trial, Blinks(method=method))["onset_ms"].round().tolist()
        for method in ("auto", "pupil", "gaze")
    }
    assert onsets["gaze"] == [500.0]
    assert onsets["auto"] == onsets["pupil"]
    assert len(onsets["pupil"]) == 1
    assert onsets["pupil"][0] < 200.0
    # Without pupil sizes there is the gaze alone.
    assert blinks_of(trial_of(gaze=gaze), Blinks())["onset_ms"].tolist() == [500.0]
    assert blinks_of(trial_of(gaze=gaze), Blinks(method="pupil"))["onset_ms"].size == 0


@pytest.mark.parametrize("n", [0, 1, 2])
def test_next_to_nothing_has_no_blink(n):
    assert blinks_of(trial_of(gaze=np.full(n, 1.0)), ANY)["onset_ms"].size == 0
    lost = blinks_of(trial_of(gaze=np.full(n, np.nan)), Blinks())
    assert lost["onset_ms"].size == 0


def test_a_trial_without_any_gaze_is_lost_and_no_blink():
    found = blinks_of(trial_of(gaze=np.full(500, np.nan)), Blinks())
    assert found["onset_ms"].size == 0
    whole = blinks_of(trial_of(gaze=np.full(500, np.nan)), ANY)
    assert whole["duration_ms"].tolist() == [1000.0]
    assert math.isnan(whole["x_px"][0])


def test_parameters_are_checked():
    with pytest.raises(ConfigError, match="method = 'lid'"):
        Blinks(method="lid")
    with pytest.raises(ConfigError, match="pad_ms"):
        Blinks(pad_ms=-1.0)
    assert Blinks().facts()["merge_ms"] == 100.0


@pytest.mark.parametrize(
    ("smooth_ms", "half"), [(0.0, 0), (5.0, 0), (6.0, 1), (14.0, 3), (19.0, 4)]
)
def test_the_pupil_is_smoothed_as_long_as_asked_for(smooth_ms, half):
    rng = np.random.default_rng(half)
    size = np.round(rng.normal(40, 3, 300))
    for start in (0, 40, 140, 290):
        size[start : start + 9] = 0
    chosen = Blinks(smooth_ms=smooth_ms, merge_ms=20.0, min_duration_ms=0.0, max_duration_ms=1e9)
    assert pairs(closed_runs(trial_of(size), chosen)) == oracle(size.tolist(), half, merge=10)


def test_gaze_before_and_after_a_blink_is_told_in_either_axis():
    t = np.arange(60) * 10.0
    x = np.where(t < 300, 10.0 + t, 500.0)
    y = np.where(t < 300, 70.0 - t / 10, 900.0)
    for first, end in ((0, 6), (24, 30), (54, 60)):
        x[first:end] = y[first:end] = np.nan
    found = blinks_of(Trial(t, x, y, 40.0), Blinks())
    assert found["onset_ms"].tolist() == [0, 240, 540]
    assert found["duration_ms"].tolist() == [60, 60, 60]
    np.testing.assert_array_equal(found["x_px"], [np.nan, 240, 500])
    np.testing.assert_array_equal(found["y_px"], [np.nan, 47, 900])
    np.testing.assert_array_equal(found["end_x_px"], [70, 500, np.nan])
    np.testing.assert_array_equal(found["end_y_px"], [64, 900, np.nan])


@pytest.mark.parametrize(
    ("lid_ms", "onset", "end"), [(0.0, 98, 112), (6.0, 92, 118), (20.0, 80, 130)]
)
def test_the_lid_moves_no_longer_than_told(lid_ms, onset, end):
    # A pupil that shrinks all the time before the gap, and grows all the time behind it.
    size = np.r_[100.0 - np.arange(50), np.zeros(6), 50.0 + np.arange(50)]
    chosen = Blinks(lid_ms=lid_ms, smooth_ms=0.0, min_duration_ms=0.0)
    found = blinks_of(trial_of(size), chosen)
    assert found["onset_ms"][0] == pytest.approx(onset, abs=2)
    assert found["onset_ms"][0] + found["duration_ms"][0] == pytest.approx(end, abs=2)


@pytest.mark.parametrize(("merge_ms", "n"), [(40.0, 1), (39.9, 2), (0.0, 2)])
def test_blinks_as_far_apart_as_told_are_one(merge_ms, n):
    gaze = np.full(200, 5.0)
    gaze[50:80] = gaze[100:130] = np.nan
    found = blinks_of(trial_of(gaze=gaze), Blinks(merge_ms=merge_ms))
    assert found["duration_ms"].tolist() == ([160.0] if n == 1 else [60.0, 60.0])


@pytest.mark.parametrize(("n", "is_one"), [(24, False), (25, True), (250, True), (251, False)])
def test_a_blink_of_exactly_the_least_or_the_longest_duration_is_one(n, is_one):
    gaze = np.full(400, 5.0)
    gaze[50 : 50 + n] = np.nan
    assert blinks_of(trial_of(gaze=gaze), Blinks())["onset_ms"].size == is_one


@pytest.mark.parametrize(("step", "is_gap"), [(14.9, False), (15.0, False), (15.1, True)])
def test_a_step_of_one_and_a_half_is_a_pause(step, is_gap):
    t = np.cumsum([0.0, *[10.0] * 20, step, *[10.0] * 20])
    trial = Trial(t, t * 0, t * 0, 40.0)
    found = blinks_of(trial, Blinks(min_duration_ms=0.0))
    assert found["onset_ms"].size == is_gap
    if is_gap:
        assert found["onset_ms"].tolist() == [210]
        assert found["duration_ms"].tolist() == [pytest.approx(5.1)]


@pytest.mark.parametrize(
    ("first", "end"), [(0, 1), (0, 2), (1, 2), (1, 30), (2, 3), (98, 99), (99, 100)]
)
def test_a_gap_at_the_very_end_of_a_trial_is_one(first, end):
    size = np.resize([40.0, 44.0, 42.0], 100)
    size[first:end] = 0
    runs = closed_runs(trial_of(size), ANY)
    assert pairs(runs) == oracle(size.tolist(), half=2, merge=50)
    gaze = np.full(100, 5.0)
    gaze[first:end] = np.nan
    assert pairs(closed_runs(trial_of(gaze=gaze), ANY)) == [[first, end]]
    found = blinks_of(trial_of(gaze=gaze), ANY)
    np.testing.assert_array_equal(found["x_px"], [5.0 if first else np.nan])
    np.testing.assert_array_equal(found["end_x_px"], [5.0 if end < 100 else np.nan])
    assert (found["onset_ms"][0], found["duration_ms"][0]) == (2.0 * first, 2.0 * (end - first))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 6, 7, 8, 9, 20])
@pytest.mark.parametrize("half", [0, 1, 2, 3, 4])
def test_the_moving_average_is_of_fewer_samples_at_either_end(n, half):
    values = np.random.default_rng(n).uniform(1, 9, n)
    expected = smoothed(values, half) if n > 2 * half else values
    assert _smoothed(values, 2.0 * (2 * half + 1), 2.0) == pytest.approx(np.array(expected))
    assert _smoothed(values, 10.0, 0.0).tolist() == values.tolist()


@pytest.mark.parametrize("lid", [0, 1, 2, 5, 400])
@pytest.mark.parametrize("half", [0, 1])
def test_a_pupil_shrinks_and_grows_as_the_paper_tells_and_no_longer_than_the_lid_moves(lid, half):
    rng = np.random.default_rng(lid)
    for _ in range(20):
        # From one gap to the next, it grows for a while and then shrinks.
        size = np.concatenate(
            [
                [*np.sort(rng.integers(1, 60, n)), *-np.sort(-rng.integers(1, 60, n)), *[0] * m]
                for n, m in zip(rng.integers(0, 9, 6), rng.integers(1, 5, 6), strict=True)
            ]
        ).astype(float)
        size = size[rng.integers(0, 3) : -rng.integers(1, 9)]
        if not size.any():
            continue
        chosen = Blinks(smooth_ms=2.0 * (2 * half + 1), lid_ms=2.0 * lid, merge_ms=0.0)
        expected = oracle(size.tolist(), half, 0, lid)
        assert pairs(closed_runs(trial_of(size), chosen)) == expected
        # Whatever the unit that sizes are in.
        assert pairs(closed_runs(trial_of(size / 64), chosen)) == expected


def test_a_pause_behind_the_very_first_sample_is_a_gap():
    t = np.r_[0.0, 100 + 10 * np.arange(20)]
    found = blinks_of(Trial(t, t * 0, t * 0, 40.0), Blinks())
    assert found["onset_ms"].tolist() == [10.0]
    assert found["duration_ms"].tolist() == [90.0]
    assert found["x_px"].tolist() == found["end_x_px"].tolist() == [0.0]


def test_without_pupil_sizes_or_samples_there_are_no_gaps_at_all():
    for trial in (trial_of(gaze=np.ones(9)), trial_of(np.zeros(9)), trial_of(gaze=[])):
        first, end = closed_runs(trial, Blinks(method="pupil"))
        assert first.size == end.size == 0
    empty = trial_of(gaze=[])
    onset, stop = _times(empty, closed_runs(empty, Blinks()))
    assert onset.size == stop.size == 0


def test_a_sample_is_lost_however_short_its_step_is():
    t = np.cumsum([0.0, *[10.0] * 9, 4.0, 4.0, *[10.0] * 9])
    gaze = np.full(t.size, 5.0)
    gaze[10] = np.nan
    assert pairs(closed_runs(Trial(t, gaze, gaze, 40.0), ANY)) == [[10, 11]]
