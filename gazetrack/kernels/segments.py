"""Runs of samples."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit


@jit
def slow_runs(
    t: npt.NDArray[np.float64], speed: npt.NDArray[np.float64], threshold: float, max_gap: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return starts and ends (half open) of the runs of samples whose speed is known and below threshold.

    A run also ends at a step back in time and at a step longer than max_gap. t, speed [N].
    """
    n = t.size
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    inside = False
    for i in range(n):
        slow = not math.isnan(speed[i]) and speed[i] < threshold
        if inside and (not slow or not (0.0 <= t[i] - t[i - 1] <= max_gap)):
            ends[count - 1] = i
            inside = False
        if slow and not inside:
            starts[count] = i
            count += 1
            inside = True
    if inside:
        ends[count - 1] = n
    return starts[:count].copy(), ends[:count].copy()
