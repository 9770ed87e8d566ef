"""Means of groups in parts are those of the whole column to the bit."""

import numpy as np
import pandas as pd
import pytest

from gazetrack.readers.shared.group_means import group_means


@pytest.mark.parametrize("any_missing", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_means_of_some_groups_are_those_of_the_whole(any_missing, dtype):
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(30), rng.integers(1, 90, 30))
    values = rng.uniform(3, 900, groups.size).astype(dtype)
    if any_missing:
        values[groups == 17] = np.nan
    whole = pd.Series(values).groupby(groups).mean().to_numpy().astype(dtype)
    found = []
    for number in range(30):
        means = group_means(values[groups == number], groups[groups == number])
        found.append(means.some_missing if any_missing else means.none_missing)
    np.testing.assert_array_equal(np.concatenate(found).astype(dtype), whole)
