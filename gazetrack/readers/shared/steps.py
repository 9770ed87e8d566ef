"""The steps between the times of samples, which lie in chunks that need not fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def median_step(times: pa.ChunkedArray) -> float:
    """Return the median step from one time to the next, 0 with fewer than two of them.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        Times in ms, none missing; few of the steps between them are different.
    """
    counts: dict[float, int] = {}
    last = np.empty(0)  # the last time of the chunk before: steps reach across chunks
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        last = t[-1:]
        for step, count in zip(*np.unique(np.diff(t), return_counts=True), strict=True):
            counts[float(step)] = counts.get(float(step), 0) + int(count)
    return median_of_counts(counts)


def median_of_counts(counts: dict[float, int]) -> float:
    """Return the median of values that are there so many times, 0 without any.

    Parameters
    ----------
    counts : dict of float to int
        How often each value is there.
    """
    if not counts:
        return 0.0
    values, numbers = np.array(sorted(counts.items())).T
    # The median of n values is the mean of those at (n - 1) // 2 and n // 2 in order.
    below = np.cumsum(numbers)
    n = below[-1]
    middle = np.searchsorted(below, [(n - 1) // 2, n // 2], side="right")
    return float(values[middle].mean())
