"""moving_precision against its oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.kernels.precision import moving_precision
from tests import oracles

pytestmark = pytest.mark.kernel


@given(
    st.lists(
        st.tuples(st.sampled_from([2.0, 0.0, 50.0]), st.sampled_from([0.0, 1.0, -3.5, np.nan])),
        max_size=30,
    ),
    st.integers(2, 8),
)
@settings(deadline=None, max_examples=150)
def test_equals_the_oracle(samples, n):
    t = np.cumsum([step for step, _ in samples]) if samples else np.zeros(0)
    x = np.array([value for _, value in samples], float)
    y = 2 * x[::-1] + 0 * x
    x[np.isnan(y)] = np.nan
    found = moving_precision(t, x, y, n, 20.0)
    np.testing.assert_allclose(found, oracles.moving_precision(t, x, y, n, 20.0), atol=1e-12)
