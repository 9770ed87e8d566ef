"""Filters of a sampled signal that need no constant rate: windows are lengths of time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]


@jit
def fill_gaps(t: Floats, v: Floats, max_gap: float) -> Floats:
    """Interpolate v [N] linearly where it is NaN between known samples at most max_gap apart. t [N], not decreasing."""
    out = v.copy()
    last = -1
    for i in range(v.size):
        if math.isnan(v[i]):
            continue
        if last >= 0 and i - last > 1 and 0.0 < t[i] - t[last] <= max_gap:
            slope = (v[i] - v[last]) / (t[i] - t[last])
            for j in range(last + 1, i):
                out[j] = v[last] + slope * (t[j] - t[last])
        last = i
    return out


@jit
def moving_median(t: Floats, v: Floats, half_window: float, max_samples: int) -> Floats:
    """Return the median of the known samples within half_window of each known sample of v [N]; NaN stays NaN.

    The window holds as many samples before as after, and at most max_samples to either side.
    """
    n = v.size
    out = np.full(n, np.nan)
    window = np.empty(2 * max_samples + 1)
    for i in range(n):
        if math.isnan(v[i]):
            continue
        reach = 0
        while reach < max_samples and i - reach > 0 and i + reach + 1 < n:
            if t[i] - t[i - reach - 1] > half_window or t[i + reach + 1] - t[i] > half_window:
                break
            reach += 1
        count = 0
        for j in range(i - reach, i + reach + 1):
            if math.isnan(v[j]):
                continue
            place = count  # insertion sort: windows are short
            while place > 0 and window[place - 1] > v[j]:
                window[place] = window[place - 1]
                place -= 1
            window[place] = v[j]
            count += 1
        middle = count // 2
        out[i] = window[middle] if count % 2 else 0.5 * (window[middle - 1] + window[middle])
    return out


@jit
def local_slope(t: Floats, v: Floats, half_window: float, max_gap: float) -> Floats:
    """Return the slope of the straight line fitted to v [N] within half_window of each known sample.

    The window reaches at least one sample to either side, never across a missing sample or a step longer than max_gap;
    NaN where fewer than two different times are in it.
    """
    n = v.size
    out = np.full(n, np.nan)
    for i in range(n):
        if math.isnan(v[i]):
            continue
        first = i
        while first > 0 and not math.isnan(v[first - 1]) and t[first] - t[first - 1] <= max_gap:
            if first < i and t[i] - t[first - 1] > half_window:
                break
            first -= 1
        last = i
        while last + 1 < n and not math.isnan(v[last + 1]) and t[last + 1] - t[last] <= max_gap:
            if last > i and t[last + 1] - t[i] > half_window:
                break
            last += 1
        count = last - first + 1
        mean_t = 0.0
        mean_v = 0.0
        for j in range(first, last + 1):
            mean_t += t[j] - t[i]
            mean_v += v[j]
        mean_t /= count
        mean_v /= count
        along = 0.0
        spread = 0.0
        for j in range(first, last + 1):
            offset = t[j] - t[i] - mean_t
            spread += offset * offset
            along += offset * (v[j] - mean_v)
        if spread > 0.0:
            out[i] = along / spread
    return out
