"""The guideline of Kret & Sjak-Shie (2019) one sample at a time, as its text and equations say it.

Nothing of gazetrack is imported here.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.signal import butter, filtfilt


def median(values):
    ordered = sorted(values)
    n = len(ordered)
    return ordered[n // 2] if n % 2 else (ordered[n // 2 - 1] + ordered[n // 2]) / 2


def limit(values, n):
    middle = median(values)
    return middle + n * median([abs(value - middle) for value in values])


def without_islands(t, valid, separation=40.0, width=50.0):
    places = [i for i, ok in enumerate(valid) if ok]
    if len(places) < 3:
        return list(valid)
    groups = [[places[0]]]
    for before, i in itertools.pairwise(places):
        if t[i] - t[before] > separation:
            groups.append([])
        groups[-1].append(i)
    kept = list(valid)
    for group in groups:
        if t[group[-1]] - t[group[0]] < width:
            for i in group:
                kept[i] = False
    return kept


def speeds(t, size, valid, longest=200.0):
    places = [i for i, ok in enumerate(valid) if ok]
    found = {}
    for k, i in enumerate(places):
        beside = [places[j] for j in (k - 1, k + 1) if 0 <= j < len(places)]
        near = [j for j in beside if abs(t[i] - t[j]) <= longest]
        own = [abs(size[i] - size[j]) / abs(t[i] - t[j]) for j in near]
        if own:
            found[i] = max(own)
    return found


def without_edges(t, valid, least=75.0, most=2000.0, pad=50.0):
    places = [i for i, ok in enumerate(valid) if ok]
    kept = list(valid)
    for a, b in itertools.pairwise(places):
        if least < t[b] - t[a] < most:
            for i in places:
                if t[a] - pad < t[i] < t[b] + pad:
                    kept[i] = False
    return kept


def between(x, xs, ys):
    """The straight line between neighbours; the nearest value beyond either end."""
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    k = max(i for i in range(len(xs)) if xs[i] <= x)
    return ys[k] + (ys[k + 1] - ys[k]) * (x - xs[k]) / (xs[k + 1] - xs[k])


def line(t, size, valid, hz, cutoff, order):
    xs = [t[i] for i, ok in enumerate(valid) if ok]
    ys = [size[i] for i, ok in enumerate(valid) if ok]
    grid = [t[0]]
    while grid[-1] < t[-1] - 1e-6:
        grid.append(t[0] + len(grid) * 1000.0 / hz)
    values = np.interp(grid, xs, ys)
    spot = len(grid) // 3  # the library function is what `between` is
    assert math.isclose(values[spot], between(grid[spot], xs, ys), rel_tol=1e-12)
    b, a = butter(order, cutoff / (hz / 2))
    return np.interp(t, grid, filtfilt(b, a, values, padlen=3 * order))


def valid_samples(t, size, least, most):
    """Which samples are valid in the end; also after each of the steps before."""
    t = [float(x) for x in t]
    valid = [math.isfinite(v) and v > 0 and least <= v <= most for v in size]
    valid = without_islands(t, valid)
    steps = {"size": list(valid)}
    fast = speeds(t, size, valid)
    bound = limit(list(fast.values()), 16)
    valid = [ok and i in fast and fast[i] <= bound for i, ok in enumerate(valid)]
    valid = without_islands(t, valid)
    valid = without_edges(t, valid)
    steps["speed"] = list(valid)
    start = list(valid)
    for _ in range(4):
        smooth = line(t, size, valid, 100.0, 16.0, 1)
        off = [abs(size[i] - smooth[i]) for i in range(len(t))]
        bound = limit([off[i] for i, ok in enumerate(start) if ok], 16)
        near = [ok and off[i] <= bound for i, ok in enumerate(start)]
        valid = without_islands(t, near)
    steps["trend"] = list(valid)
    return steps


def signal(t, size, valid, longest=250.0):
    """Smoothed at 4 Hz, with gaps of up to 250 ms filled, NaN elsewhere."""
    smooth = line(t, size, valid, 1000.0, 4.0, 4)
    places = [i for i, ok in enumerate(valid) if ok]
    out = []
    for i in range(len(t)):
        if valid[i]:
            out.append(smooth[i])
            continue
        before = [k for k in places if k < i]
        after = [k for k in places if k > i]
        short = before and after and t[after[0]] - t[before[-1]] <= longest
        out.append(smooth[i] if short else math.nan)
    return out
