"""Means of groups of float32, as pandas finds them in the whole of a column.

It adds up in single precision where a value of the column is missing, in double precision where
none is: whether one is, a part of the column does not tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]


class GroupMeans(NamedTuple):
    """Means of some groups, of which all values are known.

    Parameters
    ----------
    some_missing : ndarray, shape (n,)
        The means, where some value of the whole column is missing, in these groups or others.
    none_missing : ndarray, shape (n,)
        The means, where no value of the whole column is missing.
    """

    some_missing: Floats
    none_missing: Floats


def group_means(values: Floats, groups: npt.NDArray[np.integer]) -> GroupMeans:
    """Return the means of groups without missing values, NaN where all are, group by group.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
        The values, NaN where missing.
    groups : ndarray of int, shape (m,)
        The group of each, ascending.
    """
    with_missing = pd.Series(np.append(values, values.dtype.type(np.nan)))
    some = with_missing.groupby(np.append(groups, groups[-1] + 1)).mean().to_numpy()[:-1]
    if np.isnan(values).any():
        return GroupMeans(some, some)
    return GroupMeans(some, pd.Series(values).groupby(groups).mean().to_numpy())
