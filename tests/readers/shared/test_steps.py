"""The median step is that of all steps, wherever the chunks end."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.readers.shared import steps
from gazetrack.readers.shared.steps import (
    GroupSteps,
    median_of_counts,
    median_of_positive,
    median_step,
    steps_within,
)


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


@pytest.mark.parametrize("n", [0, 1, 2, 5, 999, 1000])
def test_the_median_of_many_is_that_of_all(monkeypatch, n):
    rng = np.random.default_rng(n)
    values = np.exp(rng.normal(0, 20, n)).round(3)
    parts = np.array_split(np.r_[values, -values[:5], np.nan, 0.0], 7)
    positive = values[values > 0]
    expected = np.median(positive) if positive.size else np.nan
    assert median_of_positive(lambda: parts) == pytest.approx(expected, abs=0, nan_ok=True)
    monkeypatch.setattr(steps, "_MOST_AT_ONCE", 3)
    assert median_of_positive(lambda: parts) == pytest.approx(expected, abs=0, nan_ok=True)


def test_steps_reach_across_parts():
    t = np.array([0.0, 1, 3, 6, 10])
    found = np.concatenate(list(steps_within([t[:1], t[1:3], t[3:3], t[3:]])))
    assert found.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("length", [1, 3, 40])
def test_steps_of_groups_are_those_that_pandas_finds(length):
    rng = np.random.default_rng(1)
    values = rng.normal(size=40)
    groups = rng.integers(0, 3, 40)
    found = GroupSteps()
    parts = [
        found.take(values[at : at + length], groups[at : at + length])
        for at in range(0, 40, length)
    ]
    expected = pd.Series(values).groupby(groups).diff().to_numpy()
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    assert found.take(np.empty(0), np.empty(0, int)).size == 0
