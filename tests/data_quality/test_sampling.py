"""What time stamps say: rates, loss and gaps."""

from __future__ import annotations

from itertools import chain, pairwise
from statistics import fmean, median, pstdev

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gazetrack.data_quality.gaze import Gaze
from gazetrack.data_quality.sampling import sampling, sampling_at_rates
from gazetrack.tables.rates import rate_of_pairs


def gaze_of(t, lost=()):
    t = np.asarray(t, float)
    x = np.zeros(t.size)
    x[list(lost)] = np.nan
    return Gaze(t, x, x, np.zeros(t.size, np.int64))


def test_a_second_at_250_hz_with_a_gap_of_five_samples():
    facts = sampling(gaze_of(np.arange(250) * 4, lost=range(100, 105)))
    assert facts["duration_ms"] == 1000.0
    assert facts["rate_hz"] == 250.0
    assert facts["effective_rate_hz"] == 245.0
    assert facts["loss"] == pytest.approx(0.02)
    assert facts["loss_expected"] == pytest.approx(0.02)
    assert (facts["n_gaps"], facts["longest_gap_ms"], facts["gaps_ms"]) == (1, 20.0, 20.0)


def test_without_samples_nothing_is_known():
    facts = sampling(gaze_of([]))
    assert facts["n_samples"] == 0
    assert np.isnan([facts["rate_hz"], facts["loss"], facts["onset_ms"]]).all()


def test_each_rate_has_its_own_expected_samples():
    slow = np.arange(100) * 4.0
    fast = 400 + np.arange(400) * 1.0
    facts = sampling_at_rates(gaze_of(np.concatenate([slow, fast])), [400.0])
    assert facts["duration_ms"] == pytest.approx(800.0)
    assert facts["rate_hz"] == pytest.approx(625.0)
    assert facts["loss_expected"] == pytest.approx(0.0)
    assert facts["jitter_ms"] == pytest.approx(0.0)


def test_samples_of_two_eyes_that_take_turns_are_all_expected_and_all_there():
    number = np.arange(400)
    facts = sampling(gaze_of((number // 2) * 8.333 + (number % 2) * 0.13))
    assert facts["rate_hz"] == pytest.approx(2000 / 8.333)
    assert facts["loss_expected"] == pytest.approx(0.0, abs=0.01)


def plainly(pieces):
    """Measure pieces of (time, whether there is gaze), sample by sample, as the page says."""
    steps = [b - a for piece in pieces for (a, _), (b, _) in pairwise(piece) if b > a]
    step = median(steps) if steps else 0.0
    ordinary = [one for one in steps if one < 1.5 * step]
    known = [gaze for piece in pieces for _, gaze in piece]
    duration = sum(piece[-1][0] - piece[0][0] + step for piece in pieces)
    gaps = []
    for piece in pieces:
        edge = piece[0][0]
        for time, gaze in piece:
            if gaze:
                gaps.append(time - edge)
                edge = time + step
        gaps.append(piece[-1][0] + step - edge)
    gaps = [gap for gap in gaps if step and gap >= 0.5 * step]
    different = sum(len({time for time, gaze in piece if gaze}) for piece in pieces)
    facts = {"onset_ms": pieces[0][0][0], "duration_ms": duration, "n_samples": len(known)}
    facts |= {"loss": 1 - fmean(known), "n_gaps": len(gaps), "gaps_ms": sum(gaps)}
    facts["longest_gap_ms"] = max(gaps, default=0.0)
    if steps:
        facts["rate_hz"] = 1000 / fmean(ordinary)
        facts["jitter_ms"] = pstdev(ordinary)
    else:
        facts |= {"rate_hz": np.nan, "jitter_ms": np.nan}
    if duration:
        facts["effective_rate_hz"] = 1000 * sum(known) / duration
        facts["loss_expected"] = 1 - different / (duration / 1000 * facts["rate_hz"])
    else:
        facts |= {"effective_rate_hz": np.nan, "loss_expected": np.nan}
    return facts


def rows(step):
    return st.lists(st.tuples(st.sampled_from(step), st.booleans()), min_size=1, max_size=12)


@settings(deadline=None, max_examples=60)
@given(st.lists(rows([0.0, 9.0, 10.0, 10.0, 10.0, 15.0, 40.0]), min_size=1, max_size=3))
@example([[(0.0, True)], [(0.0, False)]])
@example([[(0.0, True), (10.0, True), (10.0, True), (15.0, True)]])
@example([[(0.0, True), (0.0, True), (10.0, False)], [(0.0, True), (10.0, True)]])
def test_equals_what_is_counted_sample_by_sample(pieces):
    pieces = [
        [(1000.0 * number + time, gaze) for time, (_, gaze) in zip(times, piece, strict=True)]
        for number, piece in enumerate(pieces)
        for times in [np.cumsum([step for step, _ in piece])]
    ]
    of = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    t, known = (np.array(column) for column in zip(*chain(*pieces), strict=True))
    x = np.where(known, 5.0, np.nan)
    gaze = Gaze(t, x, x, of)
    assume(gaze.steps_ms.size == 0 or rate_of_pairs(gaze.steps_ms) is None)
    assert sampling(gaze) == pytest.approx(plainly(pieces), nan_ok=True, abs=1e-9)


def test_measures_at_two_rates_are_put_together_by_time_and_by_samples():
    slow = np.cumsum([0.0, *[9.5, 10.5] * 50])  # 101 samples, 100 Hz, half a ms of jitter
    fast = 1010 + 4 * np.arange(100.0)
    there = np.r_[slow, fast[:50], fast[70:]]  # of 201 expected samples, 20 are missing …
    lost = [50, *range(110, 120)]  # … and eleven more are without gaze
    facts = sampling_at_rates(gaze_of(there, lost=lost), [0.0, 1010.0])
    assert facts == pytest.approx(
        {
            "onset_ms": 0.0,
            "duration_ms": 1410.0,
            "n_samples": 181,
            "rate_hz": 1000 * 201 / 1410,
            "effective_rate_hz": 1000 * 170 / 1410,
            "jitter_ms": 0.5 * np.sqrt(101 / 181),
            "loss": 11 / 181,
            "loss_expected": 31 / 201,
            "n_gaps": 3,
            "longest_gap_ms": 80.0,
            "gaps_ms": 10.0 + 40.0 + 80.0,
        }
    )


def test_a_stretch_of_less_than_a_millisecond_counts():
    slow = np.arange(10) * 4.0
    facts = sampling_at_rates(gaze_of([*slow, 40.0, 40.25]), [40.0])
    assert (facts["duration_ms"], facts["n_samples"]) == (40.5, 12)
    assert facts["rate_hz"] == pytest.approx(1000 * 12 / 40.5)


def test_a_stretch_of_a_single_sample_says_nothing_about_rates():
    slow = np.arange(10) * 4.0
    quick = 41 + np.arange(10) * 1.0
    facts = sampling_at_rates(gaze_of([*slow, 40.0, *quick]), [40.0, 41.0])
    assert (facts["duration_ms"], facts["n_samples"], facts["rate_hz"]) == (50, 20, 400)


@pytest.mark.parametrize("rate_hz", [450, 500, 1200])
def test_whole_milliseconds_have_the_rate_of_the_tracker_and_no_gaps(rate_hz):
    facts = sampling(gaze_of(np.floor(np.arange(3000) * 1000 / rate_hz)))
    assert facts["rate_hz"] == pytest.approx(rate_hz, rel=1e-3)
    assert facts["n_gaps"] == 0
    assert facts["loss_expected"] == pytest.approx(0.0, abs=2e-3)
