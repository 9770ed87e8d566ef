"""What the eye does: saccades by two thresholds, fixations between them, slow pursuit within."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
STILL, MOVING, UNKNOWN = 0, 1, 2


@jit
def moving_samples(t: Floats, speed: Floats, high: float, low: float, quiet: float) -> npt.NDArray[np.int8]:
    """Return `STILL`, `MOVING` or `UNKNOWN` (no speed) for each sample.

    A movement begins where speed [N] passes `high`, reaches back as long as it was above `low`, and ends when it has
    stayed at or below `low` for longer than `quiet`, which so bridges the dip before a post-saccadic oscillation.
    """
    n = speed.size
    state = np.zeros(n, np.int8)
    for i in range(n):
        if math.isnan(speed[i]):
            state[i] = UNKNOWN
    i = 0
    while i < n:
        if state[i] != STILL or speed[i] <= high:
            i += 1
            continue
        first = i
        while first > 0 and state[first - 1] == STILL and speed[first - 1] > low:
            first -= 1
        last = i
        j = i + 1
        while j < n and state[j] != UNKNOWN:
            if speed[j] > low:
                last = j
            elif t[j] - t[last] > quiet:
                break
            j += 1
        state[first : last + 1] = MOVING
        i = last + 1
    return state


@jit
def still_runs(state: npt.NDArray[np.int8]) -> tuple[Integers, Integers]:
    """Return starts and ends (half open) of the runs of `STILL`."""
    n = state.size
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    for i in range(n):
        if state[i] != STILL:
            continue
        if i == 0 or state[i - 1] != STILL:
            starts[count] = i
            count += 1
        ends[count - 1] = i + 1
    return starts[:count].copy(), ends[:count].copy()


@jit
def merge_runs(
    t: Floats, x: Floats, y: Floats, starts: Integers, ends: Integers, max_gap: float, max_distance: float, edge: float
) -> tuple[Integers, Integers]:
    """Merge each run with the one before where the time between them and the distance between them are small.

    The distance is between the mean positions of the last and of the first `edge` ms of the neighbours, so that slow
    drift within a long fixation does not count; t, x, y [N] without NaN inside runs.
    """
    merged_starts = np.empty(starts.size, np.int64)
    merged_ends = np.empty(starts.size, np.int64)
    count = 0
    for k in range(starts.size):
        if count > 0:
            end = merged_ends[count - 1]
            if t[starts[k]] - t[end - 1] <= max_gap:
                before_x = 0.0
                before_y = 0.0
                before = 0
                j = end - 1
                while j >= merged_starts[count - 1] and t[end - 1] - t[j] <= edge:
                    if not math.isnan(x[j]):
                        before_x += x[j]
                        before_y += y[j]
                        before += 1
                    j -= 1
                after_x = 0.0
                after_y = 0.0
                after = 0
                j = starts[k]
                while j < ends[k] and t[j] - t[starts[k]] <= edge:
                    if not math.isnan(x[j]):
                        after_x += x[j]
                        after_y += y[j]
                        after += 1
                    j += 1
                apart = math.hypot(before_x / before - after_x / after, before_y / before - after_y / after)
                if apart <= max_distance:
                    merged_ends[count - 1] = ends[k]
                    continue
        merged_starts[count] = starts[k]
        merged_ends[count] = ends[k]
        count += 1
    return merged_starts[:count].copy(), merged_ends[:count].copy()


@jit
def pursuit_samples(
    t: Floats,
    x: Floats,
    y: Floats,
    speed: Floats,
    starts: Integers,
    ends: Integers,
    threshold: float,
    join: float,
    min_duration: float,
    min_distance: float,
    straightness: float,
    leg: float,
    share: float,
) -> npt.NDArray[np.bool_]:
    """Return which samples of the runs are smooth pursuit.

    A stretch of a run pursues where `speed` [N], taken over a long window, stays above `threshold` but for pauses of at
    most `join` ms, for at least `min_duration` ms, from end to end over at least `min_distance`, and over at least
    `straightness` of the way walked in legs of `leg` ms. A run of which at least `share` pursues does so altogether.
    """
    pursues = np.zeros(t.size, np.bool_)
    for k in range(starts.size):
        total = 0
        i = starts[k]
        while i < ends[k]:
            if not speed[i] > threshold:
                i += 1
                continue
            first = i
            last = i
            while i < ends[k]:
                if speed[i] > threshold:
                    last = i
                elif t[i] - t[last] > join:
                    break
                i += 1
            net = math.hypot(x[last] - x[first], y[last] - y[first])
            way = 0.0
            at = first
            for j in range(first + 1, last + 1):
                if not math.isnan(x[j]) and (t[j] - t[at] >= leg or j == last):
                    way += math.hypot(x[j] - x[at], y[j] - y[at])
                    at = j
            if t[last] - t[first] >= min_duration and net >= min_distance and net >= straightness * way:
                pursues[first : last + 1] = True
                total += last + 1 - first
        if total > 0 and total >= share * (ends[k] - starts[k]):
            pursues[starts[k] : ends[k]] = True
    return pursues
