"""Filters of a sampled signal that need no constant rate: windows are lengths of time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]
_FRESH = 128


@jit
def fill_gaps(t: Floats, v: Floats, max_gap: float) -> Floats:
    """Fill v [N] by straight lines where it is NaN between known samples max_gap apart at most.

    The times t [N] do not decrease.
    """
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
    """Return the median within half_window of each known sample of v [N]; NaN stays NaN.

    The window holds as many samples before as after, and at most max_samples to either side. Its
    known samples are kept in order, one leaves and one enters from sample to sample.
    """
    n = v.size
    out = np.full(n, np.nan)
    window = np.empty(2 * max_samples + 2)
    count = 0
    first = 0
    last = 0  # window holds what is known of [first, last)
    before = 0
    after = 0
    for i in range(n):
        while t[i] - t[before] > half_window:
            before += 1
        after = max(after, i)
        while after + 1 < n and t[after + 1] - t[i] <= half_window:
            after += 1
        if math.isnan(v[i]):
            continue
        reach = min(i - before, after - i, max_samples)
        if i - reach < first or i + reach + 1 < last or i - reach >= last:
            count = 0
            first = last = i - reach
        while first < i - reach:
            count = _take(window, count, v[first])
            first += 1
        while last <= i + reach:
            count = _put(window, count, v[last])
            last += 1
        middle = count // 2
        out[i] = window[middle] if count % 2 else 0.5 * (window[middle - 1] + window[middle])
    return out


@jit
def _put(ordered: Floats, count: int, value: float) -> int:
    if math.isnan(value):
        return count
    place = count
    while place > 0 and ordered[place - 1] > value:
        ordered[place] = ordered[place - 1]
        place -= 1
    ordered[place] = value
    return count + 1


@jit
def _take(ordered: Floats, count: int, value: float) -> int:
    if math.isnan(value):
        return count
    place = 0
    while ordered[place] != value:
        place += 1
    for k in range(place, count - 1):
        ordered[k] = ordered[k + 1]
    return count - 1


@jit
def local_slope(t: Floats, v: Floats, half_window: float, max_gap: float) -> Floats:
    """Return the slope of the line fitted to v [N] within half_window of each known sample.

    The window reaches at least one sample to either side, never across a missing sample or a step
    longer than max_gap; NaN where fewer than two different times are in it. Sums slide along, from
    a fresh start every few samples, so that rounding cannot add up.
    """
    n = v.size
    out = np.full(n, np.nan)
    begin = 0
    while begin < n:
        if math.isnan(v[begin]):
            begin += 1
            continue
        end = begin + 1
        while end < n and not math.isnan(v[end]) and t[end] - t[end - 1] <= max_gap:
            end += 1
        first = begin
        last = begin  # the window is [first, last)
        origin_t = origin_v = sum_t = sum_v = sum_tt = sum_tv = 0.0
        for i in range(begin, end):
            fresh = (i - begin) % _FRESH == 0
            if fresh:
                origin_t = t[i]
                origin_v = v[i]
            while first < i - 1 and t[i] - t[first] > half_window:
                if not fresh:
                    dt = t[first] - origin_t
                    dv = v[first] - origin_v
                    sum_t -= dt
                    sum_v -= dv
                    sum_tt -= dt * dt
                    sum_tv -= dt * dv
                first += 1
            start = last
            while last < end and (last <= i + 1 or t[last] - t[i] <= half_window):
                last += 1
            if fresh:
                start = first
                sum_t = sum_v = sum_tt = sum_tv = 0.0
            for j in range(start, last):
                dt = t[j] - origin_t
                dv = v[j] - origin_v
                sum_t += dt
                sum_v += dv
                sum_tt += dt * dt
                sum_tv += dt * dv
            if t[last - 1] > t[first]:
                count = last - first
                out[i] = (sum_tv - sum_t * sum_v / count) / (sum_tt - sum_t * sum_t / count)
        begin = end
    return out


@jit
def local_polynomial(
    t: Floats, v: Floats, half_window: float, order: int, max_gap: float
) -> Floats:
    """Return the polynomial fitted to v [N] within half_window of each sample, at that sample.

    No value of v is NaN. Least squares by polynomials orthogonal over the window's samples
    (Forsythe 1957, J. SIAM 5), of a lower degree where it holds fewer times. A step longer than
    max_gap ends a stretch; near the ends of a stretch the window is the outermost one of full
    length, so that for equal steps the result is that of Savitzky & Golay.
    """
    n = v.size
    out = v.copy()
    half = half_window * (
        1.0 + 1e-9
    )  # samples at the window's very edge are in it, whatever the rounding
    now = np.empty(n)
    before = np.empty(n)
    begin = 0
    while begin < n:
        end = begin + 1
        while end < n and t[end] - t[end - 1] <= max_gap:
            end += 1
        first = begin
        last = begin  # the window is [first, last)
        for i in range(begin, end):
            centre = max(min(t[i], t[end - 1] - half_window), t[begin] + half_window)
            if t[end - 1] - t[begin] < 2.0 * half_window:
                centre = 0.5 * (t[begin] + t[end - 1])
            while t[first] < centre - half:
                first += 1
            while last < end and t[last] <= centre + half:
                last += 1
            out[i] = _polynomial_at(
                t[first:last] - centre, v[first:last], t[i] - centre, order, now, before
            )
        begin = end
    return out


@jit
def _polynomial_at(
    u: Floats, v: Floats, at: float, order: int, now: Floats, before: Floats
) -> float:
    n = u.size
    span = max(abs(u[0]), abs(u[n - 1]))
    now[:n] = 1.0
    before[:n] = 0.0
    now_at, before_at = 1.0, 0.0
    size_before = 1.0
    value = 0.0
    for degree in range(order + 1):
        size = along = product = 0.0
        for j in range(n):
            square = now[j] * now[j]
            size += square
            along += u[j] * square
            product += v[j] * now[j]
        if size <= 1e-18 * n * span ** (2 * degree):  # no times are left that it could tell apart
            break
        value += product / size * now_at
        shift = along / size
        share = size / size_before if degree > 0 else 0.0
        for j in range(n):
            now[j], before[j] = (u[j] - shift) * now[j] - share * before[j], now[j]
        now_at, before_at = (at - shift) * now_at - share * before_at, now_at
        size_before = size
    return value
