"""Medians by counting are those by sorting, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.medians import median_and_square, middles
from tests import oracles

pytestmark = pytest.mark.kernel

number = st.one_of(
    st.floats(-1e100, 1e100), st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, np.nan])
)


@given(st.lists(number, max_size=40))
@settings(deadline=None, max_examples=200)
def test_middles(values):
    values = np.array(values, float)
    np.testing.assert_array_equal(middles(values.copy()), oracles.middles(values))


def test_medians_of_nothing_are_nan():
    assert np.isnan(median_and_square(np.full(3, np.nan))).all()


@pytest.mark.parametrize("n", [9_999, 10_000])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_medians_of_many_that_differ_little_or_much(n, scale):
    random = np.random.default_rng(n)
    values = random.normal(random.normal(0, scale), 1, n)
    values[::7] = values[0]
    values[::11] = np.nan
    before = values.copy()
    known = values[~np.isnan(values)]
    assert median_and_square(values) == (np.median(known), np.median(known**2))
    np.testing.assert_array_equal(values, before)
