"""Each filter of pupil sizes against the guideline, one sample at a time."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.measures import pupil_filters
from tests.measures import kret_oracle as oracle

EDGES = {"gap_ms": 75.0, "longest_gap_ms": 2000.0, "pad_ms": 50.0}


def made(seed, n=300):
    """Uneven times, sizes, and which samples are trusted, with gaps of all lengths."""
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.choice([3.0, 4.0, 4.0, 5.0, 30.0], n))
    size = 4 + np.cumsum(rng.normal(0, 0.02, n))
    valid = np.ones(n, bool)
    for first in rng.integers(0, n, 8):
        valid[first : first + rng.integers(1, 30)] = False
    return t, size, valid


@pytest.mark.parametrize("seed", range(4))
def test_islands(seed):
    t, _, valid = made(seed)
    found = pupil_filters.islands(t, valid, 40.0, 50.0)
    assert (valid & ~found).tolist() == oracle.without_islands(t.tolist(), valid.tolist())
    assert not found[~valid].any()


def test_an_island_is_as_small_as_it_says():
    t = np.array([0.0, 10, 20, 100, 110, 149, 300, 310, 350])
    valid = np.ones(9, bool)
    found = pupil_filters.islands(t, valid, 40.0, 50.0)
    assert found.tolist() == [True] * 3 + [True] * 3 + [False] * 3
    assert not pupil_filters.islands(t[:2], valid[:2], 40.0, 50.0).any()


@pytest.mark.parametrize("seed", range(4))
def test_edges(seed):
    t, _, valid = made(seed)
    found = pupil_filters.beside_gaps(t, valid, **EDGES)
    assert (valid & ~found).tolist() == oracle.without_edges(t.tolist(), valid.tolist())
    assert found.any()


def test_longer_gaps_have_no_edges():
    t = np.r_[0:500:10, 3000:3500:10].astype(float)
    valid = np.ones(t.size, bool)
    assert not pupil_filters.beside_gaps(t, valid, **EDGES).any()
    longer = EDGES | {"longest_gap_ms": 3000.0}
    assert pupil_filters.beside_gaps(t, valid, **longer).sum() == 10
    assert not pupil_filters.beside_gaps(t, valid, **longer | {"pad_ms": 0.0}).any()


def test_where_the_tracker_was_off_no_lid_has_been():
    t = np.r_[0:500:10, 800:1300:10].astype(float)
    valid = np.ones(t.size, bool)
    off = t == 800.0
    assert pupil_filters.beside_gaps(t, valid, **EDGES).sum() == 10
    assert not pupil_filters.beside_gaps(t, valid, **EDGES, off=off).any()
    valid[20:30] = False  # a blink elsewhere is still one
    found = pupil_filters.beside_gaps(t, valid, **EDGES, off=off)
    assert np.flatnonzero(found).tolist() == [15, 16, 17, 18, 19, 30, 31, 32, 33, 34]


@pytest.mark.parametrize("seed", range(4))
def test_speeds(seed):
    t, size, valid = made(seed)
    found = pupil_filters.dilation_speeds(t, size, valid, 200.0)
    expected = oracle.speeds(t.tolist(), size.tolist(), valid.tolist())
    known = np.flatnonzero(np.isfinite(found))
    assert known.tolist() == sorted(expected)
    np.testing.assert_allclose(found[known], [expected[i] for i in known])


def test_no_speed_is_taken_in_no_time():
    t = np.array([0.0, 4, 4, 8])
    found = pupil_filters.dilation_speeds(t, np.array([1.0, 2, 9, 3]), np.ones(4, bool), 200.0)
    assert found.tolist() == [0.25, 0.25, 1.5, 1.5]


def test_the_limit_is_so_many_deviations_above_the_median():
    values = np.array([1.0, 2, 3, 4, 100, np.nan])
    assert pupil_filters.limit_by_mad(values, 16.0) == 3 + 16 * 1
    assert pupil_filters.limit_by_mad(np.array([2.0, 2, 2, 5]), 16.0) == np.inf
    assert pupil_filters.limit_by_mad(np.array([np.nan]), 16.0) == np.inf


@pytest.mark.parametrize("seed", range(3))
def test_the_trend(seed):
    t, size, valid = made(seed)
    found = pupil_filters.off_trend(t, size, valid, 100.0, 16.0)
    smooth = oracle.line(t, size, valid, 100.0, 16.0, 1)
    np.testing.assert_allclose(found, np.abs(size - smooth), atol=1e-9)


def test_the_line_has_no_delay_and_keeps_slow_changes():
    t = np.arange(0, 4000, 2.0)
    slow = 4 + 0.5 * np.sin(2 * np.pi * t / 2000)  # 0.5 Hz
    fast = 0.3 * np.sin(2 * np.pi * t / 50)  # 20 Hz
    valid = np.ones(t.size, bool)
    line = pupil_filters.smooth_line(t, slow + fast, valid, hz=1000.0, lowpass_hz=4.0, order=4)
    np.testing.assert_allclose(line[200:-200], slow[200:-200], atol=0.01)


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_line_through_next_to_nothing(n):
    t = np.arange(n) * 4.0
    line = pupil_filters.smooth_line(
        t, np.full(n, 3.0), np.ones(n, bool), hz=1000.0, lowpass_hz=4.0, order=4
    )
    np.testing.assert_allclose(line, 3.0)
    plain = pupil_filters.smooth_line(
        t, np.full(n, 3.0), np.ones(n, bool), hz=1000.0, lowpass_hz=0.0, order=4
    )
    assert plain.tolist() == [3.0] * n
