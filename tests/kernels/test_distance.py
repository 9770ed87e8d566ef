"""suffix_distance against its oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.distance import suffix_distance
from tests import oracles

pytestmark = pytest.mark.kernel


@st.composite
def tracks(draw):
    n = draw(st.integers(0, 6))
    coordinate = st.floats(-5, 15, width=32)
    xs, ys = (
        np.array(draw(st.lists(coordinate, min_size=n, max_size=n)), np.float32) for _ in range(2)
    )
    joined = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), np.bool_)
    firsts = np.array(
        sorted(draw(st.lists(st.integers(0, n), min_size=1, max_size=3)), reverse=True), np.int64
    )
    tapered = draw(st.booleans())
    radii = np.full(n, 2.0, np.float32)
    if tapered:
        radii = np.array(
            draw(st.lists(st.floats(0, 4, width=32), min_size=n, max_size=n)), np.float32
        )
    return xs, ys, radii, joined, firsts, tapered


@given(tracks(), st.sampled_from([np.inf, 3.0]))
@settings(deadline=None, max_examples=60)
def test_equals_the_oracle_within_reach(track, reach):
    firsts = track[4]
    fast, slow = (np.empty((len(firsts), 7, 9), np.float32) for _ in range(2))
    suffix_distance(*track, reach, fast)
    oracles.suffix_distance(*track, slow)
    near = slow + track[2].max(initial=0.0) < reach
    np.testing.assert_allclose(fast[near], slow[near], atol=2e-4)
    assert (fast >= slow - 2e-4).all()
    assert (fast[1:] <= fast[:-1]).all()


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(deadline=None, max_examples=40)
def test_equals_the_oracle_near_long_segments(seed, tapered):
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 5)
    xs, ys = rng.uniform(-8, 16, (2, n)).astype(np.float32)
    radii = (rng.uniform(0, 2, n) if tapered else np.ones(n)).astype(np.float32)
    track = xs, ys, radii, rng.random(n) < 0.8, np.array([n - 2, 0]), tapered
    fast, slow = (np.empty((2, 9, 7), np.float32) for _ in range(2))
    suffix_distance(*track, 3.0, fast)
    oracles.suffix_distance(*track, slow)
    near = slow + radii.max() < 3.0
    np.testing.assert_allclose(fast[near], slow[near], atol=2e-4)


@pytest.mark.parametrize("side", [5, 40])
@pytest.mark.parametrize("tapered", [False, True])
def test_many_fixations(tapered, side):
    rng = np.random.default_rng(0)
    n = 300
    xs, ys = rng.uniform(-side, side + 9, (2, n)).astype(np.float32)
    # A few are so large that they are the nearest from afar.
    radii = (rng.exponential(side / 5, n) if tapered else np.ones(n)).astype(np.float32)
    track = xs, ys, radii, rng.random(n) < 0.3, np.array([250, 0]), tapered
    fast, slow = (np.empty((2, 7, 9), np.float32) for _ in range(2))
    suffix_distance(*track, np.inf, fast)
    oracles.suffix_distance(*track, slow)
    np.testing.assert_allclose(fast, slow, atol=2e-4)


@pytest.mark.parametrize("tapered", [False, True])
def test_one_fixation_is_as_far_as_its_rim(tapered):
    x, y, radius = (np.full(1, value, np.float32) for value in (3.0, 2.0, 1.5))
    out = np.empty((1, 5, 7), np.float32)
    joined, firsts = np.zeros(1, np.bool_), np.zeros(1, np.int64)
    suffix_distance(x, y, radius, joined, firsts, tapered, np.inf, out)
    rows, columns = np.indices(out.shape[1:]) + 0.5
    np.testing.assert_allclose(out[0], np.hypot(columns - 3.0, rows - 2.0) - 1.5, atol=1e-5)


def test_no_fixation_is_infinitely_far():
    empty = np.zeros(0, np.float32)
    out = np.empty((2, 3, 4), np.float32)
    suffix_distance(
        empty, empty, empty, np.zeros(0, np.bool_), np.zeros(2, np.int64), False, np.inf, out
    )
    assert np.isposinf(out).all()
