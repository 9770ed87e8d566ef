"""The permutohedral lattice against a slow one, and against the Gaussian it stands for."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels import lattice
from gazetrack.kernels.lattice import _rehash, _slot, lattice_build, lattice_filter
from tests import oracles

pytestmark = pytest.mark.kernel


def _jit_is_off():
    return bool(numba.config.DISABLE_JIT)


@pytest.fixture(autouse=True, scope="module")
def small_tables():
    """Let tables grow after a few points where kernels are not compiled.

    A compiled one has its constants in itself, and is quick enough for many points.
    """
    with pytest.MonkeyPatch.context() as patch:
        if _jit_is_off():
            patch.setattr(lattice, "_SLOTS", 8)
        yield


def filtered(features, values):
    out = np.empty(len(values), np.float32)
    lattice_filter(*lattice_build(features), values, out)
    return out


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 40),
    st.sampled_from([0.1, 1.0, 30.0]),
)
@settings(deadline=None, max_examples=40)
def test_equals_the_oracle(seed, d, n, spread):
    rng = np.random.default_rng(seed)
    features = rng.normal(0, spread, (n, d)).astype(np.float32)
    values = rng.uniform(-1, 1, n).astype(np.float32)
    np.testing.assert_allclose(
        filtered(features, values), oracles.lattice_filter(features, values), atol=2e-3
    )


def test_weights_are_barycentric():
    features = np.random.default_rng(0).normal(0, 3, (200, 5)).astype(np.float32)
    vertices, weights, neighbours = lattice_build(features)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-4)
    assert weights.min() > -1e-4
    assert vertices.min() >= 1
    assert vertices.max() == neighbours.shape[2] - 1
    for (before, after), axis in zip(neighbours, range(6), strict=True):
        there = np.flatnonzero(after)
        assert (before[after[there]] == there).all(), axis


def test_is_close_to_the_gaussian_after_normalisation():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:24, :24]
    colour = 60 * (x > 11) + rng.normal(0, 4, x.shape)
    features = np.stack([x / 6, y / 6, colour / 13], -1).reshape(-1, 3).astype(np.float32)
    values = (x + y > 24).ravel().astype(np.float32)
    ones = np.ones(len(values), np.float32)
    ours = filtered(features, values) / filtered(features, ones)
    exact = oracles.gaussian_filter_brute_force(
        features, values
    ) / oracles.gaussian_filter_brute_force(features, ones)
    assert np.abs(ours - exact).mean() < 0.02
    assert np.abs(ours - exact).max() < 0.12


def test_many_points_make_the_table_grow():
    features = (
        np.random.default_rng(0)
        .normal(0, 100, (300 if _jit_is_off() else 30_000, 5))
        .astype(np.float32)
    )
    vertices, _, neighbours = lattice_build(features)
    assert len(np.unique(vertices)) == neighbours.shape[2] - 1


@given(
    st.lists(st.tuples(*[st.integers(-9, 9)] * 2), min_size=2, max_size=32, unique=True),
    st.integers(1, 31),
    st.sampled_from([1, 2, 8]),
)
@settings(deadline=None, max_examples=100)
def test_the_table_holds_each_key_once(keys, count, size):
    count = min(count, len(keys) - 1)
    while size < 2 * count:
        size *= 2
    rows = np.array([(0, 0), *keys], np.int32)  # keys are counted from 1
    table = _rehash(rows, count, size)
    assert sorted(table[table != 0]) == [*range(1, count + 1)]
    found = [int(table[_slot(rows, table, row)]) for row in rows[1:]]
    assert found == [k if k <= count else 0 for k in range(1, len(rows))]


@pytest.mark.parametrize("unit", [1, 6])
def test_keys_are_spread_over_the_table(unit):
    """Neighbours must not share their slots: what looks for one would pass all the others."""
    keys = unit * np.stack(np.unravel_index(np.arange(1024), (8, 8, 4, 1, 4)), axis=1)
    empty = np.zeros(2048, np.int32)
    keys = keys.astype(np.int32)
    used = {_slot(keys, empty, key) for key in keys}
    of_chance = empty.size * (1 - np.exp(-len(keys) / empty.size))
    assert len(used) > 0.9 * of_chance
