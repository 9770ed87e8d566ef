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
def moving_samples(
    t: Floats, speed: Floats, high: float, low: float, quiet: float
) -> npt.NDArray[np.int8]:
    """Return `STILL`, `MOVING` or `UNKNOWN` (no speed) for each sample.

    A movement begins where speed [N] passes `high`, reaches back as long as it was above `low`, and
    ends when it has stayed at or below `low` for longer than `quiet`, which so bridges the dip
    before a post-saccadic oscillation.
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
def still_runs(t: Floats, state: npt.NDArray[np.int8], max_gap: float) -> tuple[Integers, Integers]:
    """Return starts and ends (half open) of the runs of `STILL`.

    A step of t [N] longer than max_gap ends one.
    """
    n = state.size
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    for i in range(n):
        if state[i] != STILL:
            continue
        if i == 0 or state[i - 1] != STILL or t[i] - t[i - 1] > max_gap:
            starts[count] = i
            count += 1
        ends[count - 1] = i + 1
    return starts[:count].copy(), ends[:count].copy()


@jit
def merge_runs(
    t: Floats,
    x: Floats,
    y: Floats,
    starts: Integers,
    ends: Integers,
    max_gap: float,
    max_distance: float,
    edge: float,
) -> tuple[Integers, Integers]:
    """Merge each run with the one before where little time and distance are between them.

    The distance is between the mean positions of the last and of the first `edge` ms of the
    neighbours, so that slow drift within a long fixation does not count; t, x, y [N] without NaN
    inside runs.
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
                apart = math.hypot(
                    before_x / before - after_x / after, before_y / before - after_y / after
                )
                if apart <= max_distance:
                    merged_ends[count - 1] = ends[k]
                    continue
        merged_starts[count] = starts[k]
        merged_ends[count] = ends[k]
        count += 1
    return merged_starts[:count].copy(), merged_ends[:count].copy()


@jit
def merge_centred(
    t: Floats,
    x: Floats,
    y: Floats,
    starts: Integers,
    ends: Integers,
    max_step: float,
    max_distance: float,
) -> tuple[Integers, Integers]:
    """Merge each run with the one before where neither much time nor much distance is between them.

    The time is from the last sample of the one to the first of the other, the distance between the
    mean positions of the known samples from first to last; t, x, y [N].
    """
    merged_starts = np.empty(starts.size, np.int64)
    merged_ends = np.empty(starts.size, np.int64)
    count = 0
    before_x = before_y = 0.0
    before = 0
    for k in range(starts.size):
        own_x = own_y = 0.0
        own = 0
        for i in range(starts[k], ends[k]):
            if not math.isnan(x[i]):
                own_x += x[i]
                own_y += y[i]
                own += 1
        if count > 0 and t[starts[k]] - t[merged_ends[count - 1] - 1] <= max_step:
            apart = math.hypot(before_x / before - own_x / own, before_y / before - own_y / own)
            if apart <= max_distance:
                for i in range(merged_ends[count - 1], starts[k]):
                    if not math.isnan(x[i]):
                        before_x += x[i]
                        before_y += y[i]
                        before += 1
                before_x += own_x
                before_y += own_y
                before += own
                merged_ends[count - 1] = ends[k]
                continue
        merged_starts[count] = starts[k]
        merged_ends[count] = ends[k]
        before_x, before_y, before = own_x, own_y, own
        count += 1
    return merged_starts[:count].copy(), merged_ends[:count].copy()


@jit
def joined_runs(
    t: Floats, fast: npt.NDArray[np.bool_], group: Integers, join: float
) -> tuple[Integers, Integers]:
    """Return the runs of `fast` [N], joined over pauses of at most `join` ms in a group [N].

    A pause lasts from a run's last sample to the last one that is not fast; none is shorter than a
    negative `join`.
    """
    n = t.size
    starts = np.empty(n, np.int64)
    ends = np.empty(n, np.int64)
    count = 0
    for i in range(n):
        if not fast[i]:
            continue
        last = ends[count - 1] - 1 if count > 0 else -1
        goes_on = (
            last >= 0 and group[last] == group[i] and (last == i - 1 or t[i - 1] - t[last] <= join)
        )
        if not goes_on:
            starts[count] = i
            count += 1
        ends[count - 1] = i + 1
    return starts[:count].copy(), ends[:count].copy()


@jit
def net_and_way(
    t: Floats, x: Floats, y: Floats, starts: Integers, ends: Integers, leg: float
) -> Floats:
    """Return the net distance and the length of the path of each run, [n, 2] in px.

    The net distance is from the first to the last sample of the run; the path is walked in legs of
    `leg` ms. The first and the last sample of a run are known; missing ones in between are passed
    over.
    """
    out = np.zeros((starts.size, 2))
    for k in range(starts.size):
        first = starts[k]
        last = ends[k] - 1
        out[k, 0] = math.hypot(x[last] - x[first], y[last] - y[first])
        at = first
        for i in range(first + 1, last + 1):
            if not math.isnan(x[i]) and (t[i] - t[at] >= leg or i == last):
                out[k, 1] += math.hypot(x[i] - x[at], y[i] - y[at])
                at = i
    return out
