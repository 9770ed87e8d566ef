"""Two-means clustering of gaze in a moving window."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_ROUNDS = 100


@jit
def change_weights(
    t: Floats, x: Floats, y: Floats, window: float, step: float, averaged: Integers
) -> Floats:
    """Return, per sample [N], how much it looks like a change between two clusters.

    It is NaN where no whole window covers the sample. In each window of `window` ms, moved on by
    `step` ms, without a missing sample, x and y [N] are averaged over every n samples for each n of
    `averaged`, and split in two clusters. The samples at which the cluster changes share a weight
    of 1, so that many changes (noise) weigh little each. The result is the mean over windows and n.
    """
    size = t.size
    total = np.zeros(size)
    windows = np.zeros(size)
    labels = np.empty(size, np.int8)
    first = 0
    last = 0
    while first < size:
        last = max(last, first)
        while last < size and t[last] - t[first] < window:
            last += 1
        if last >= size and t[size - 1] - t[first] < window - step:
            break
        missing = -1
        for i in range(first, last):
            if math.isnan(x[i]):
                missing = i
        if missing >= 0:
            first = missing + 1
            continue
        for n in averaged:
            blocks = (last - first) // n
            if blocks < 3:
                continue
            two_means(x, y, first, n, blocks, labels)
            changes = 0
            for b in range(1, blocks):
                changes += labels[b] != labels[b - 1]
            if changes == 0:
                continue
            for b in range(1, blocks):
                if labels[b] != labels[b - 1]:
                    for i in range(first + (b - 1) * n + n // 2, first + b * n + n // 2 + 1):
                        total[i] += 1.0 / (changes * averaged.size)
        for i in range(first, last):
            windows[i] += 1.0
        begin = first
        while first < size and t[first] - t[begin] < step:
            first += 1
        first = max(first, begin + 1)
    for i in range(size):
        total[i] = total[i] / windows[i] if windows[i] > 0 else np.nan
    return total


@jit
def two_means(
    x: Floats, y: Floats, first: int, n: int, blocks: int, labels: npt.NDArray[np.int8]
) -> None:
    """Write to labels the cluster (0 or 1) of each of `blocks` means over n samples.

    The first mean begins with the sample `first`.
    """
    mx = np.empty(blocks)
    my = np.empty(blocks)
    for b in range(blocks):
        mx[b] = x[first + b * n : first + (b + 1) * n].mean()
        my[b] = y[first + b * n : first + (b + 1) * n].mean()
    along = mx if mx.max() - mx.min() >= my.max() - my.min() else my
    a, c = along.argmin(), along.argmax()
    ax, ay, cx, cy = mx[a], my[a], mx[c], my[c]
    labels[:blocks] = -1
    for _ in range(_ROUNDS):
        changed = False
        sums = np.zeros((2, 3))
        for b in range(blocks):
            near_a = (mx[b] - ax) ** 2 + (my[b] - ay) ** 2
            near_c = (mx[b] - cx) ** 2 + (my[b] - cy) ** 2
            k = 1 if near_c < near_a else 0
            changed = changed or labels[b] != k
            labels[b] = k
            sums[k, 0] += mx[b]
            sums[k, 1] += my[b]
            sums[k, 2] += 1.0
        if not changed or sums[0, 2] == 0.0 or sums[1, 2] == 0.0:
            break  # or all further rounds would be as this one
        ax, ay = sums[0, 0] / sums[0, 2], sums[0, 1] / sums[0, 2]
        cx, cy = sums[1, 0] / sums[1, 2], sums[1, 1] / sums[1, 2]
