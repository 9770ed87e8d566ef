"""Filters and movements against their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter

from gazetrack.kernels import movements, segments, smooth
from tests import oracles

pytestmark = pytest.mark.kernel

STEPS = [0.0, 2.0, 4.0, 4.0, 4.0, 4.0, 30.0, 200.0]
quick = settings(deadline=None, max_examples=120)


@st.composite
def signals(draw, most=60):
    """Levels that last a few samples, with whole numbers around them, so that limits are met."""
    n = draw(st.integers(0, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    t = np.cumsum(rng.choice(draw(st.sampled_from([STEPS, STEPS[:4], [0.0, 0.0, 4.0]])), n))
    level = np.cumsum(rng.random(n) < draw(st.sampled_from([0.1, 0.3, 1.0])))
    high, noise = draw(st.sampled_from([(6, 1), (48, 1), (48, 4)]))
    x, y = rng.integers(0, high, (2, n + 1))[:, level] + rng.integers(0, noise, (2, n))
    x, y = x.astype(float), y.astype(float)
    missing = rng.random(n) < draw(st.sampled_from([0.0, 0.1, 0.5]))
    x[missing] = y[missing] = np.nan
    return t, x, y


@given(signals(), st.sampled_from([0.0, 8.0, 40.0]))
@quick
def test_fill_gaps(signal, max_gap):
    t, x, _ = signal
    np.testing.assert_allclose(
        smooth.fill_gaps(t, x, max_gap), oracles.fill_gaps(t, x, max_gap), atol=1e-9
    )


@given(signals(), st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([1, 3, 64]))
@quick
def test_moving_median(signal, half, most):
    t, x, _ = signal
    np.testing.assert_array_equal(
        smooth.moving_median(t, x, half, most), oracles.moving_median(t, x, half, most)
    )


@given(signals(), st.sampled_from([0.0, 5.0, 20.0]), st.sampled_from([4.0, 30.0]))
@quick
def test_local_slope(signal, half, max_gap):
    t, x, _ = signal
    slope = smooth.local_slope(t, x, half, max_gap)
    np.testing.assert_allclose(slope, oracles.local_slope(t, x, half, max_gap), atol=1e-8)


@pytest.mark.parametrize("half", [8.0, 90.0])
def test_local_slope_of_long_signals_far_from_time_zero(half):
    """Longer than the sums run along before they are taken anew.

    There are losses, repeated stamps and pauses.
    """
    rng = np.random.default_rng(7)
    t = 1e9 + np.cumsum(rng.choice([0.0, 2.0, 2.0, 2.0, 4.0], 1500))
    t[700:] += 150.0
    x = 900.0 + np.cumsum(rng.normal(0.0, 2.0, t.size))
    x[rng.random(t.size) < 0.002] = np.nan
    np.testing.assert_allclose(
        smooth.local_slope(t, x, half, 100.0), oracles.local_slope(t, x, half, 100.0), atol=1e-8
    )


@given(signals(), st.sampled_from([4.0, 10.0, 60.0]), st.integers(0, 3))
@quick
def test_local_polynomial(signal, half, order):
    t, x, _ = signal
    t, x = t[np.isfinite(x)], x[np.isfinite(x)]
    expected = oracles.local_polynomial(t, x, half, order, half)
    np.testing.assert_allclose(
        smooth.local_polynomial(t, x, half, order, half), expected, atol=1e-6
    )


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5])
def test_local_polynomial_is_savitzky_golay_where_steps_are_equal(order):
    v = np.random.default_rng(0).normal(0, 1, 300).cumsum()
    ours = smooth.local_polynomial(np.arange(300) * 3.3333, v, 5 * 3.3333, order, 20.0)
    np.testing.assert_allclose(ours, savgol_filter(v, 11, order), atol=1e-9)


@given(
    signals(),
    st.sampled_from([(30.0, 5.0), (10.0, 10.0), (4.0, 2.0), (3.0, 0.0)]),
    st.sampled_from([0.0, 6.0, 8.0]),
)
@quick
def test_moving_samples(signal, limits, quiet):
    t, speed, _ = signal
    expected = oracles.moving_samples(t, speed, *limits, quiet)
    np.testing.assert_array_equal(movements.moving_samples(t, speed, *limits, quiet), expected)


@given(signals(), st.sampled_from([0.13, 3.13, 5.13, 12.13]))
@quick
def test_describe_merge_and_pursuit(signal, apart):
    t, x, y = signal
    moves = np.isnan(x) | (x > 35) | (np.arange(t.size) % 7 == 6)
    state = np.where(moves, movements.MOVING, movements.STILL).astype(np.int8)
    still = movements.still_runs(t, state, 50.0)
    np.testing.assert_allclose(
        segments.describe_runs(x, y, *still), oracles.describe_runs(x, y, *still), atol=1e-9
    )
    merged = movements.merge_runs(t, x, y, *still, 20.0, apart, 10.0)
    for fast, slow in zip(
        merged, oracles.merge_runs(t, x, y, *still, 20.0, apart, 10.0), strict=True
    ):
        assert fast.tolist() == slow.tolist()
    centred = movements.merge_centred(t, x, y, *still, 20.0, apart)
    for fast, slow in zip(
        centred, oracles.merge_centred(t, x, y, *still, 20.0, apart), strict=True
    ):
        assert fast.tolist() == slow.tolist()
    owner = np.full(len(t), -1)
    for k, (a, b) in enumerate(zip(*merged, strict=True)):
        owner[a:b] = k
    fast = (np.nan_to_num(y) > 20) & (owner >= 0)
    for join in (-1.0, 0.0, 6.0, 50.0):
        runs = movements.joined_runs(t, fast, owner, join)
        for ours, slow in zip(runs, oracles.joined_runs(t, fast, owner, join), strict=True):
            assert ours.tolist() == slow.tolist()
        np.testing.assert_allclose(
            movements.net_and_way(t, x, y, *runs, 8.0), oracles.net_and_way(t, x, y, *runs, 8.0)
        )


@given(signals(), st.sampled_from([2.0, 4.0, 30.0]))
@quick
def test_still_runs(signal, max_gap):
    t, x, _ = signal
    state = np.nan_to_num(x % 3, nan=movements.UNKNOWN).astype(np.int8)
    for ours, slow in zip(
        movements.still_runs(t, state, max_gap), oracles.still_runs(t, state, max_gap), strict=True
    ):
        assert ours.tolist() == slow.tolist()


@pytest.mark.parametrize(("gap", "apart", "is_one"), [(8, 5, True), (7, 5, False), (8, 4, False)])
def test_what_is_at_a_limit_of_time_and_distance_is_merged(gap, apart, is_one):
    t = np.arange(6) * 4.0
    x, y = np.array([1.0, 1, 9, 4, 4, 4]), np.array([2.0, 2, 9, 6, 6, 6])
    runs = np.array([0, 3]), np.array([2, 5])
    expected = [[0], [5]] if is_one else [[0, 3], [2, 5]]
    for merged in (
        movements.merge_runs(t, x, y, *runs, float(gap), float(apart), 4.0),
        movements.merge_centred(t, x, y, *runs, float(gap), float(apart)),
    ):
        assert [part.tolist() for part in merged] == expected
