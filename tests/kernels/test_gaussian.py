"""splat, widen and logistic against their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.gaussian import splat, widen
from gazetrack.kernels.logistic import logistic
from tests import oracles

pytestmark = pytest.mark.kernel

coordinate = st.one_of(st.floats(-20, 40), st.sampled_from([-1e12, 1e12]))


@given(
    st.lists(st.tuples(coordinate, coordinate, st.floats(0, 900)), max_size=8),
    st.sampled_from([0.7, 2.0, 9.0]),
    st.sampled_from([1.0, 2.5]),
)
@settings(deadline=None, max_examples=80)
def test_splat(points, sigma, step):
    x, y, weights = (np.array([p[k] for p in points], float) for k in range(3))
    fast, slow = np.ones((9, 13)), np.ones((9, 13))
    splat(x, y, weights, sigma, step, fast)
    oracles.splat(x, y, weights, sigma, step, slow)
    np.testing.assert_allclose(fast, slow, atol=900 * 2e-8 * max(len(x), 1))


@pytest.mark.parametrize(
    ("nodes", "height", "width"), [(1, 3, 4), (5, 6, 9), (8, 7, 20), (11, 2, 33)]
)
def test_widen(nodes, height, width):
    rng = np.random.default_rng(nodes)
    grids = rng.random((3, nodes + 1, nodes)).astype(np.float32)
    down, across = (
        rng.random((height, nodes + 1)).astype(np.float32),
        rng.random((nodes, width)).astype(np.float32),
    )
    across[np.abs(np.arange(width) * nodes / width - np.arange(nodes)[:, None]) > 2] = 0
    across[-1] = 0
    down[down < 0.3] = 0
    fast, slow = (np.empty((3, height, width), np.float32) for _ in range(2))
    widen(grids, down, across, fast)
    oracles.widen(grids, down, across, slow)
    np.testing.assert_allclose(fast, slow, rtol=2e-6)


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), max_size=30),
    st.sampled_from([-3.0, 0.01, 1.0]),
    st.floats(-9, 9),
)
@settings(deadline=None, max_examples=80)
def test_logistic(values, scale, shift):
    fast, slow = np.array(values, np.float32), np.array(values, np.float32)
    scale, shift = np.float32(scale), np.float32(shift)
    logistic(fast, scale, shift)
    oracles.logistic(slow, scale, shift)
    np.testing.assert_allclose(fast, slow, atol=1e-6)


def test_logistic_of_the_infinite():
    ends = np.array([-np.inf, np.inf], np.float32)
    logistic(ends, np.float32(-1), np.float32(0))
    assert ends.tolist() == [1, 0]
