"""Runs of samples that stay within a small area."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@jit
def compact_runs(
    t: Floats, x: Floats, y: Floats, dispersion: float, window: float, max_gap: float
) -> tuple[Integers, Integers]:
    """Return starts and ends (half open) of the runs that I-DT finds in t, x, y [N], without NaN.

    A run begins at the first sample from which on all samples up to `window` ms later lie within
    `dispersion`, and goes on while they do. A step longer than max_gap ends it. Time and memory are
    linear in N: the extremes of the window are the heads of four queues, of falling maxima and
    rising minima.
    """
    n = t.size
    queues = np.empty((4, n), np.int64)  # max x, max -x, max y, max -y
    heads = np.zeros(4, np.int64)
    tails = np.zeros(4, np.int64)
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    first = 0
    found = False  # whether the window [first, i] is a fixation
    for i in range(n):
        if i > 0 and t[i] - t[i - 1] > max_gap:
            if found:
                starts[count], ends[count] = first, i
                count += 1
            first, found = i, False
            heads[:] = tails
        _push(queues, heads, tails, x, y, i)
        if _size(queues, heads, x, y) > dispersion:
            if found:
                starts[count], ends[count] = first, i
                count += 1
                first, found = i, False
                heads[:] = tails - 1  # the sample that broke the run begins the next window
            while _size(queues, heads, x, y) > dispersion:
                first += 1
                for q in range(4):
                    if queues[q, heads[q]] < first:
                        heads[q] += 1
        found = found or t[i] - t[first] >= window
    if found:
        starts[count], ends[count] = first, n
        count += 1
    return starts[:count].copy(), ends[:count].copy()


@jit
def _push(queues: Integers, heads: Integers, tails: Integers, x: Floats, y: Floats, i: int) -> None:
    for q in range(4):
        v = x if q < 2 else y
        sign = 1.0 if q % 2 == 0 else -1.0
        while tails[q] > heads[q] and sign * v[queues[q, tails[q] - 1]] <= sign * v[i]:
            tails[q] -= 1
        queues[q, tails[q]] = i
        tails[q] += 1


@jit
def _size(queues: Integers, heads: Integers, x: Floats, y: Floats) -> float:
    wide: float = x[queues[0, heads[0]]] - x[queues[1, heads[1]]]
    high: float = y[queues[2, heads[2]]] - y[queues[3, heads[3]]]
    return wide + high
