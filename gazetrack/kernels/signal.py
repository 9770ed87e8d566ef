"""Gaze velocity."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit


@jit
def windowed_speed(
    t: npt.NDArray[np.float64],
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    half_window: float,
    max_gap: float,
    out: npt.NDArray[np.float64],
) -> None:
    """Write the speed at each sample into out [N].

    It is the displacement over the time between the outermost samples within half_window of the
    sample. t [N] ms, not decreasing within a trial; x, y [N] px, NaN when missing; out [N] px per
    ms, NaN where the sample is missing or alone. The window reaches at least one sample to either
    side, never across a missing sample, a step back in time or a step longer than max_gap.
    """
    n = t.size
    first = 0
    last = 0
    start = 0
    for i in range(n):
        known = not (math.isnan(x[i]) or math.isnan(y[i]))
        broken = (
            i == 0
            or not (0.0 <= t[i] - t[i - 1] <= max_gap)
            or math.isnan(x[i - 1])
            or math.isnan(y[i - 1])
        )
        if broken:
            start = i
            first = i
        if not known:
            out[i] = np.nan
            last = i + 1
            continue
        while first < i - 1 and t[first] < t[i] - half_window:
            first += 1
        first = max(first, start)
        last = max(last, i)
        while last + 1 < n:
            step = t[last + 1] - t[last]
            inside = last < i + 1 or t[last + 1] <= t[i] + half_window
            if (
                not inside
                or not (0.0 <= step <= max_gap)
                or math.isnan(x[last + 1])
                or math.isnan(y[last + 1])
            ):
                break
            last += 1
        span = t[last] - t[first]
        out[i] = math.hypot(x[last] - x[first], y[last] - y[first]) / span if span > 0.0 else np.nan


@jit
def five_point_velocity(
    t: npt.NDArray[np.float64], v: npt.NDArray[np.float64], max_gap: float
) -> npt.NDArray[np.float64]:
    """Return the velocity of v [N] over five samples, per ms.

    NaN where one of them is missing or a step too long. (v[i+2] + v[i+1] - v[i-1] - v[i-2]) over
    the same sum of times, which for equal steps is six of them.
    """
    n = v.size
    out = np.full(n, np.nan)
    for i in range(2, n - 2):
        longest = max(t[i + 2] - t[i + 1], t[i + 1] - t[i], t[i] - t[i - 1], t[i - 1] - t[i - 2])
        time = t[i + 2] + t[i + 1] - t[i - 1] - t[i - 2]
        if time > 0.0 and longest <= max_gap and not math.isnan(v[i]):
            out[i] = (v[i + 2] + v[i + 1] - v[i - 1] - v[i - 2]) / time
    return out
