"""The median step is that of all steps, wherever the chunks end."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.readers.shared.steps import median_of_counts, median_step


@given(
    steps=st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, 17.0]), min_size=1, max_size=30),
    cut=st.integers(0, 30),
)
def test_the_median_of_steps_across_chunks(steps, cut):
    times = np.cumsum([100.0, *steps])
    chunked = pa.chunked_array([times[:cut], times[cut:]], pa.float64())
    assert median_step(chunked) == pytest.approx(float(np.median(steps)))


@pytest.mark.parametrize("times", [[], [5.0]])
def test_fewer_than_two_times_have_no_step(times):
    assert median_step(pa.chunked_array([times], pa.float64())) == 0.0


def test_nothing_counted_has_no_median():
    assert median_of_counts({}) == 0.0
