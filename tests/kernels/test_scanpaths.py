"""warping_path, frechet_distance, alignment_score, recurrence_counts, simplified_saccades."""

from __future__ import annotations

import tracemalloc

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gazetrack.kernels.scanpaths import (
    alignment_score,
    frechet_distance,
    recurrence_counts,
    warping_path,
)
from gazetrack.kernels.simplify import simplified_saccades
from tests import oracles

pytestmark = pytest.mark.kernel

# Whole numbers give ties, which must be decided alike.
PLACE = st.one_of(st.integers(0, 4).map(float), st.floats(0, 100, allow_subnormal=False))


def paths(most):
    places = st.lists(st.tuples(PLACE, PLACE), max_size=most)
    return places.map(lambda found: np.array(found, float).reshape(-1, 2).T.copy())


@given(paths(12), paths(12))
@example(np.zeros((2, 0)), np.zeros((2, 3)))
@settings(deadline=None, max_examples=100)
def test_warping_path(a, b):
    fast, slow = warping_path(*a, *b), oracles.warping_path(*a, *b)

    def cost(way):
        return sum(np.hypot(*(a[:, i] - b[:, j])) for i, j in way[1:])

    # Sums that differ by rounding alone may choose another of two equal ways.
    assert cost(fast) == pytest.approx(cost(slow))
    if len(fast):
        assert fast[0].tolist() == [0, 0]
        assert fast[-1].tolist() == [a.shape[1] - 1, b.shape[1] - 1]
        steps = np.diff(fast, axis=0)
        assert ((steps >= 0) & (steps <= 1)).all()
        assert (steps.sum(axis=1) >= 1).all()


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 9), (9, 1), (40, 37), (50, 64)])
def test_warping_path_across_its_blocks(n, m):
    a, b = (
        np.random.default_rng(n).uniform(0, 100, (2, n)),
        np.random.default_rng(m).uniform(0, 100, (2, m)),
    )
    assert warping_path(*a, *b).tolist() == oracles.warping_path(*a, *b).tolist()


@given(st.integers(1, 26), st.integers(1, 26), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_of_equal_ways_the_one_that_steps_in_both_is_taken(n, m, seed):
    """Along a line of whole numbers, sums are exact: ties are decided as the definition does."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.integers(0, 4, n).astype(float), rng.integers(0, 4, m).astype(float)
    way = warping_path(x1, np.zeros(n), x2, np.zeros(m))
    assert way.tolist() == oracles.warping_path(x1, np.zeros(n), x2, np.zeros(m)).tolist()
    assert warping_path(np.zeros(n), x1, np.zeros(m), x2).tolist() == way.tolist()


@pytest.mark.skipif(not numba.config.DISABLE_JIT, reason="only memory of Python's own is traced")
def test_memory_of_a_way_does_not_grow_with_both_paths():
    a, b = np.random.default_rng(0).uniform(0, 100, (2, 2, 100))
    tracemalloc.start()
    warping_path(*a, *b)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100 * 100 * 8


@given(paths(5), paths(5))
@settings(deadline=None, max_examples=60)
def test_frechet_distance(a, b):
    fast, slow = frechet_distance(*a, *b), oracles.frechet_distance(*a, *b)
    assert fast == pytest.approx(slow, nan_ok=True)


words = st.lists(st.integers(0, 3), max_size=5).map(lambda word: np.array(word, np.int64))


@given(words, words, st.sampled_from([0.0, -1.0, -0.25]), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_alignment_score(a, b, gap, seed):
    substitution = np.random.default_rng(seed).normal(size=(4, 4))
    fast = alignment_score(a, b, substitution, gap)
    assert fast == pytest.approx(oracles.alignment_score(a, b, substitution, gap))


@given(
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.integers(1, 4),
    st.booleans(),
)
@settings(deadline=None, max_examples=150)
def test_recurrence_counts(n, m, seed, radius, line, itself):
    rng = np.random.default_rng(seed)
    a, other = rng.integers(0, 3, (2, n)).astype(float), rng.integers(0, 3, (2, m)).astype(float)
    b = a if itself else other
    fast = recurrence_counts(*a, *b, radius, line, itself)
    assert fast.tolist() == oracles.recurrence_counts(*a, *b, radius, line, itself).tolist()


@given(
    st.integers(1, 25),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 2.5, 5.0, 60.0]),
    st.sampled_from([0.0, 50.0, 181.0]),
    st.sampled_from([0.0, 300.0, 1e9]),
)
@settings(deadline=None, max_examples=250)
def test_simplified_saccades(n, seed, amplitude, direction, longest):
    rng = np.random.default_rng(seed)
    path = np.cumsum(rng.integers(-4, 5, (2, n)), axis=1).astype(float)
    duration = 100.0 * rng.integers(1, 7, n)
    fast = simplified_saccades(*path, duration, amplitude, direction, longest)
    slow = oracles.simplified_saccades(*path, duration, amplitude, direction, longest)
    assert fast.shape == slow.shape
    assert np.allclose(fast, slow)


def test_a_round_may_leave_one_duration_too_many():
    path, duration = np.zeros((2, 12)), np.random.default_rng(0).uniform(50, 600, 12)
    fast = simplified_saccades(*path, duration, 2.5, 0.0, 300.0)
    slow = oracles.simplified_saccades(*path, duration, 2.5, 0.0, 300.0)
    assert np.allclose(fast, slow)
