"""spread, widen and logistic against their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels.gaussian import spread, widen
from gazetrack.kernels.logistic import logistic
from gazetrack.maps.quadrature import pieces_and_nodes, unit_rules
from tests import oracles

pytestmark = pytest.mark.kernel

coordinate = st.floats(-20, 40)


@given(
    st.lists(st.tuples(coordinate, coordinate, st.floats(0, 900), st.booleans()), max_size=8),
    st.integers(0, 8),
    st.sampled_from([0.7, 2.0, 9.0]),
    st.sampled_from([1.0, 2.5]),
)
@example(points=[(0.0, 1e-20, 1.0, True), (0.0, 0.0, 0.0, False)], first=0, sigma=0.7, step=1.0)
@settings(deadline=None, max_examples=80)
def test_spread(points, first, sigma, step):
    places = np.array([p[:3] for p in points], float).reshape(-1, 3).T.copy()
    joined = np.array([p[3] for p in points], bool)
    joined[-1:] = False
    lines = lines_of(places, joined, sigma)
    levels = np.array([min(first, len(joined)), 0])
    fast, slow = np.zeros((2, 9, 33)), np.zeros((2, 9, 33))
    spread(places, lines, unit_rules(), levels, sigma, step, fast)
    oracles.spread(places, lines, unit_rules(), levels, sigma, step, slow)
    np.testing.assert_allclose(fast, slow, atol=900 * 2e-8 * max(len(joined), 1))


def lines_of(points, joined, sigma):
    lengths = np.zeros(len(joined))
    lengths[:-1] = np.hypot(*np.diff(points[:2])) / sigma
    return np.stack(pieces_and_nodes(lengths)) * [joined, np.ones_like(joined)]


def test_spread_over_lines_that_come_from_far_away():
    points = np.array([[-1e9, 3, 1e9, 5], [4, 4, 1e9, 4], [2, 2, 2, 2]], float)
    lines = lines_of(points, np.array([True, True, False, False]), 1.0)
    assert lines.max() > 1e7, "too many pieces to walk along"
    out, alone = np.zeros((2, 1, 9, 13))
    spread(points, lines, unit_rules(), np.array([0]), 1.0, 1.0, out)
    # Of the lines, next to nothing of the time lies here; the last point keeps all of its own.
    last = points[:, 3:].copy(), lines[:, 3:].copy()
    spread(*last, unit_rules(), np.array([0]), 1.0, 1.0, alone)
    np.testing.assert_allclose(out, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("nodes", "height", "width"), [(1, 3, 4), (5, 6, 9), (8, 7, 20), (11, 2, 33), (20, 40, 300)]
)
def test_widen(nodes, height, width):
    rng = np.random.default_rng(nodes)
    grids = rng.random((3, nodes + 1, nodes)).astype(np.float32)
    down, across = (
        rng.random((height, nodes + 1)).astype(np.float32),
        rng.random((nodes, width)).astype(np.float32),
    )
    across[np.abs(np.arange(width) * nodes / width - np.arange(nodes)[:, None]) > 2] = 0
    across[-1] = across[: nodes % 2] = across[1:2, 1:] = 0
    # One stretch of each row, in one row of the table nothing at all.
    first = rng.integers(0, nodes + 1, height)
    away = np.arange(nodes + 1) - first[:, None]
    down[(away < 0) | (away > 11)] = 0
    down[-1] = 0
    grids[0, nodes // 2] = 0
    grids[1] = 1
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
