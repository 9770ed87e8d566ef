"""Two scanpaths beside each other: which of their places belong together, and how far apart."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@inlined
def _fill_row(above: Floats, x: float, y: float, x2: Floats, y2: Floats, row: Floats) -> None:
    """Fill the costs of all ways to one place of the first path, from those to the place before."""
    for j in range(x2.size):
        before = above[j]
        if j > 0:
            before = min(before, above[j - 1], row[j - 1])
        dx = x - x2[j]
        dy = y - y2[j]
        row[j] = before + math.sqrt(dx * dx + dy * dy)


@jit
def warping_path(x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> Integers:
    """Return [K, 2] places of two paths that belong together: the way of least distance in all.

    x1, y1 [N] and x2, y2 [M]. A way goes from the first places to the last ones, a step at a time
    in either path or both. Of equal ways, the one that steps in both. Rows of costs are kept at
    every √N-th place alone and filled again on the way back: memory grows with M √N, not with M N.
    """
    n = x1.size
    m = x2.size
    if n == 0 or m == 0:
        return np.empty((0, 2), np.int64)
    block = math.ceil(math.sqrt(n))
    n_blocks = (n + block - 1) // block
    kept = np.empty((n_blocks, m))
    rows = np.empty((block + 1, m))
    nowhere = np.full(m, np.inf)
    # What the first places cost belongs to every way, and is left out.
    rows[0, 0] = 0.0
    for j in range(1, m):
        rows[0, j] = rows[0, j - 1] + math.hypot(x1[0] - x2[j], y1[0] - y2[j])
    kept[0] = rows[0]
    here = 0
    for i in range(1, n):
        _fill_row(rows[here], x1[i], y1[i], x2, y2, rows[1 - here])
        here = 1 - here
        if i % block == 0:
            kept[i // block] = rows[here]
    way = np.empty((n + m, 2), np.int64)
    i = n - 1
    j = m - 1
    count = 0
    for b in range(n_blocks - 1, -1, -1):
        first = b * block
        rows[0] = kept[b]
        for k in range(1, min(block, n - 1 - first) + 1):
            _fill_row(rows[k - 1], x1[first + k], y1[first + k], x2, y2, rows[k])
        # In the first row of a block one must know the row above, but for the very first.
        while i > first or (b == 0 and j >= 0 and i == 0):
            way[count, 0] = i
            way[count, 1] = j
            count += 1
            above = rows[i - first - 1] if i > first else nowhere
            left = rows[i - first, j - 1] if j > 0 else np.inf
            both = above[j - 1] if j > 0 else np.inf
            if i > 0 and both <= above[j] and both <= left:
                i -= 1
                j -= 1
            elif i > 0 and above[j] <= left:
                i -= 1
            else:
                j -= 1
    return way[:count][::-1].copy()


@jit
def frechet_distance(x1: Floats, y1: Floats, x2: Floats, y2: Floats) -> float:
    """Return the discrete Fréchet distance of two paths, x1, y1 [N] and x2, y2 [M].

    The shortest leash for two that walk along the paths, from place to place, never back. NaN where
    a path is empty.
    """
    m = x2.size
    if x1.size == 0 or m == 0:
        return np.nan
    row = np.empty(m)
    for i in range(x1.size):
        diagonal = np.inf
        for j in range(m):
            dx = x1[i] - x2[j]
            dy = y1[i] - y2[j]
            squared = dx * dx + dy * dy
            above = row[j] if i > 0 else np.inf
            left = row[j - 1] if j > 0 else np.inf
            reached = min(above, left, diagonal)
            if i == 0 and j == 0:
                reached = 0.0
            diagonal = above
            row[j] = max(reached, squared)
    return math.sqrt(row[m - 1])


@jit
def alignment_score(a: Integers, b: Integers, substitution: Floats, gap: float) -> float:
    """Return the best score of two sequences that are aligned as a whole, with gaps.

    a [N], b [M] are rows of substitution [S, S], which is what two that face each other add; each
    that faces a gap adds `gap`. (Needleman & Wunsch 1970.)
    """
    m = b.size
    row = np.empty(m + 1)
    for j in range(m + 1):
        row[j] = gap * j
    for i in range(a.size):
        diagonal = row[0]
        row[0] = gap * (i + 1)
        alike = substitution[a[i]]
        for j in range(m):
            facing = diagonal + alike[b[j]]
            diagonal = row[j + 1]
            row[j + 1] = max(facing, diagonal + gap, row[j] + gap)
    return float(row[m])


@jit
def recurrence_counts(
    x1: Floats, y1: Floats, x2: Floats, y2: Floats, radius: float, line: int, itself: bool
) -> Floats:
    """Return [5]: recurrences, those in diagonal, horizontal and vertical lines, summed lags.

    Place i of x1, y1 [N] and place j of x2, y2 [M] recur where they are at most `radius` apart; a
    line is `line` or more in a row. With `itself`, the path is compared with itself: each pair
    counts once, i < j. The lag of a recurrence is j - i.
    """
    m = x2.size
    counts = np.zeros(5)
    diagonal = np.zeros(m, np.int64)
    vertical = np.zeros(m, np.int64)
    for i in range(x1.size):
        horizontal = 0
        # Length of the diagonal line that ends at the place above and to the left.
        ends_before = 0
        for j in range(m):
            above = diagonal[j]
            dx = x1[i] - x2[j]
            dy = y1[i] - y2[j]
            if (itself and j <= i) or not (dx * dx + dy * dy <= radius * radius):
                diagonal[j] = 0
                vertical[j] = 0
                horizontal = 0
                ends_before = above
                continue
            diagonal[j] = ends_before + 1
            vertical[j] += 1
            horizontal += 1
            ends_before = above
            counts[0] += 1
            counts[4] += j - i
            # The point that makes a run a line brings those before it along.
            if diagonal[j] >= line:
                counts[1] += line if diagonal[j] == line else 1
            if horizontal >= line:
                counts[2] += line if horizontal == line else 1
            if vertical[j] >= line:
                counts[3] += line if vertical[j] == line else 1
    return counts
