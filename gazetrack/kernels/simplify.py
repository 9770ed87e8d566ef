"""Saccades that go the same way, or hardly anywhere, as one: MultiMatch's simplification."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit

Floats = npt.NDArray[np.float64]


@inlined
def _angle_deg(dx1: float, dy1: float, dx2: float, dy2: float) -> float:
    """Return the angle between two vectors in degrees; NaN where one has no length."""
    lengths = math.sqrt(dx1 * dx1 + dy1 * dy1) * math.sqrt(dx2 * dx2 + dy2 * dy2)
    if lengths == 0.0:
        return np.nan
    cosine = (dx1 * dx2 + dy1 * dy2) / lengths
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))


@inlined
def _keep(saccades: Floats, durations: Floats, i: int, w: int, with_next: bool) -> None:
    """Write saccade i to place w, or the sum of it and the one after it."""
    for c in range(4):
        saccades[w, c] = saccades[i, c]
    if with_next:
        saccades[w, 2] += saccades[i + 1, 2]
        saccades[w, 3] += saccades[i + 1, 3]
    durations[w] = durations[i]


@inlined
def _join_aligned(
    saccades: Floats, durations: Floats, n: int, n_durations: int, limits: Floats
) -> int:
    """Join saccades to the next one of nearly its direction; return how many are left."""
    last = durations[n_durations - 1]
    i = 0
    w = 0
    while i < n:
        joined = False
        if i < n - 1:
            angle = _angle_deg(
                saccades[i, 2], saccades[i, 3], saccades[i + 1, 2], saccades[i + 1, 3]
            )
            joined = angle < limits[1] and durations[i + 1] < limits[2]
        _keep(saccades, durations, i, w, joined)
        i += 2 if joined else 1
        w += 1
    durations[w] = last
    return w


@jit
def simplified_saccades(
    x: Floats,
    y: Floats,
    duration: Floats,
    amplitude: float,
    direction_deg: float,
    longest: float,
) -> Floats:
    """Return [K, 5] saccades: start x, start y, dx, dy, and duration of the fixation at the start.

    x, y, duration [N] of fixations. Neighbours are joined while the fixation between them lasts
    less than `longest` and either their directions differ by less than direction_deg, or the first
    is shorter than `amplitude`; with 0 they stay. (Dewhurst et al. 2012, in the order of steps of
    multimatch_gaze 0.1.3: what is left of a last saccade is joined to the one before as that was
    before the round, leaves a duration behind, and rounds end when the number of durations stays.)
    """
    n = max(x.size - 1, 0)
    saccades = np.empty((n, 4))
    for i in range(n):
        saccades[i, 0] = x[i]
        saccades[i, 1] = y[i]
        saccades[i, 2] = x[i + 1] - x[i]
        saccades[i, 3] = y[i + 1] - y[i]
    durations = duration.copy()
    n_durations = n + 1
    limits = np.array([amplitude, direction_deg, longest])
    while n > 0:
        durations_before = n_durations
        n = _join_aligned(saccades, durations, n, n_durations, limits)
        last = durations[n]
        i = 0
        w = 0
        extra = 0
        while i < n:
            short = math.sqrt(saccades[i, 2] ** 2 + saccades[i, 3] ** 2) < amplitude
            is_last = i == n - 1
            brief = durations[i + 1] < longest or durations[i] < longest
            if short and brief and is_last and w > 0:
                saccades[w - 1, 2] = saccades[n - 2, 2] + saccades[n - 1, 2]
                saccades[w - 1, 3] = saccades[n - 2, 3] + saccades[n - 1, 3]
                durations[w] = durations[i - 1]
                extra = 1
                i += 1
                continue
            joined = short and brief and not is_last
            _keep(saccades, durations, i, w, joined)
            i += 2 if joined else 1
            w += 1
        n = w
        durations[n + extra] = last
        n_durations = n + extra + 1
        if n_durations == durations_before:
            break
    out = np.empty((n, 5))
    out[:, :4] = saccades[:n]
    out[:, 4] = durations[:n]
    return out
