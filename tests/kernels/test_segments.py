"""slow_runs and still_stretches against their oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.segments import describe_runs, slow_runs, still_stretches
from tests import oracles

pytestmark = pytest.mark.kernel


@given(
    st.lists(
        st.tuples(
            st.sampled_from([2.0, 0.0, 75.0, 100.0, -9.0]),
            st.sampled_from([0.0, 1.0, 3.0, 5.0, np.nan]),  # one of them just the threshold
        ),
        max_size=40,
    )
)
@settings(deadline=None, max_examples=150)
def test_equals_the_oracle(samples):
    t = np.cumsum([step for step, _ in samples]) if samples else np.zeros(0)
    speed = np.array([value for _, value in samples], float)
    for fast, slow in zip(
        slow_runs(t, speed, 3.0, 75.0), oracles.slow_runs(t, speed, 3.0, 75.0), strict=True
    ):
        assert fast.tolist() == slow.tolist()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1.0, 2.0, 4.0, 4.0, 0.0, 90.0, -5.0]),
            st.sampled_from([0.0, 1.0, 2.0, 30.0, np.nan]),
            st.integers(0, 3),
        ),
        max_size=40,
    ),
    st.sampled_from([0.0, 5.0, 10.0]),
)
@settings(deadline=None, max_examples=200)
def test_still_stretches(samples, half_window):
    t = np.cumsum([step for step, _, _ in samples]) if samples else np.zeros(0)
    x, y = (np.array([sample[k] for sample in samples], float) for k in (1, 2))
    runs = (
        kernel(t, x, y, half_window, 75.0, 0.77)
        for kernel in (still_stretches, oracles.still_stretches)
    )
    for fast, slow in zip(*runs, strict=True):
        assert fast.tolist() == slow.tolist()


def test_a_sample_without_one_coordinate_is_no_known_one():
    x = np.array([1.0, np.nan, 5.0, 9.0, 11.0, 14.0, 2.0])
    y = np.array([2.0, 4.0, np.nan, 8.0, 9.0, 3.0, 7.0])
    runs = np.array([0, 1, 3]), np.array([7, 3, 7])
    found = describe_runs(x, y, *runs)
    np.testing.assert_allclose(found, oracles.describe_runs(x, y, *runs), atol=1e-9)
    assert found[:, 6].tolist() == [5, 0, 4]
    assert np.isnan(found[1, :6]).all()
