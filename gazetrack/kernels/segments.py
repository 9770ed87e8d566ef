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
    """Return starts and ends (half open) of the runs of samples slower than a threshold.

    Samples without a known speed are in no run. A run also ends at a step back in time and at a
    step longer than max_gap. t, speed [N].
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


@jit
def still_stretches(
    t: npt.NDArray[np.float64],
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    half_window: float,
    max_gap: float,
    threshold: float,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return what `slow_runs` finds in the speeds of `signal.windowed_speed`, in one pass.

    The speeds are never written down.
    """
    n = t.size
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    begin = 0
    while begin < n:
        if math.isnan(x[begin]) or math.isnan(y[begin]):
            begin += 1
            continue
        first = begin
        last = begin
        inside = False
        linked = True  # whether the sample after `last` belongs to the same stretch
        i = begin
        while i <= last:
            while first < i - 1 and t[first] < t[i] - half_window:
                first += 1
            while linked and (last <= i or t[last + 1] <= t[i] + half_window):
                linked = last + 1 < n and 0.0 <= t[last + 1] - t[last] <= max_gap
                linked = linked and not (math.isnan(x[last + 1]) or math.isnan(y[last + 1]))
                if not linked:
                    break
                last += 1
                if last + 1 >= n:
                    linked = False
            reach = threshold * (t[last] - t[first])
            dx = x[last] - x[first]
            dy = y[last] - y[first]
            slow = reach > 0.0 and dx * dx + dy * dy < reach * reach
            if slow and not inside:
                starts[count] = i
            if inside and not slow:
                ends[count] = i
                count += 1
            inside = slow
            i += 1
        if inside:
            ends[count] = i
            count += 1
        begin = i
    return starts[:count].copy(), ends[:count].copy()


@jit
def describe_runs(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return [n, 7] for runs [start, end) of samples x, y [N] px, NaN when missing.

    Columns: mean x, mean y, median x, median y, (max x - min x) + (max y - min y), RMS of the steps
    between neighbouring known samples (NaN without any), number of known samples. All but the last
    are NaN in a run without gaze.
    """
    out = np.full((starts.size, 7), np.nan)
    for k in range(starts.size):
        known_x = np.empty(ends[k] - starts[k])
        known_y = np.empty(ends[k] - starts[k])
        count = 0
        steps = 0
        squares = 0.0
        for i in range(starts[k], ends[k]):
            if math.isnan(x[i]) or math.isnan(y[i]):
                continue
            if i > starts[k] and not (math.isnan(x[i - 1]) or math.isnan(y[i - 1])):
                squares += (x[i] - x[i - 1]) ** 2 + (y[i] - y[i - 1]) ** 2
                steps += 1
            known_x[count] = x[i]
            known_y[count] = y[i]
            count += 1
        out[k, 6] = count
        if count > 0:
            known_x = known_x[:count]
            known_y = known_y[:count]
            out[k, 0] = known_x.mean()
            out[k, 1] = known_y.mean()
            out[k, 2] = np.median(known_x)
            out[k, 3] = np.median(known_y)
            out[k, 4] = known_x.max() - known_x.min() + known_y.max() - known_y.min()
        if steps > 0:
            out[k, 5] = math.sqrt(squares / steps)
    return out
