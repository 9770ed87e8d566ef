"""Precision of gaze in a window that moves along the samples."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

Floats = npt.NDArray[np.float64]


@jit
def moving_precision(t: Floats, x: Floats, y: Floats, n: int, max_span: float) -> Floats:
    """Return RMS-S2S and STD of every window of n samples, [N - n + 1, 2].

    NaN where a window has no such value. t [N] ms, not decreasing; x, y [N], both NaN where gaze is
    missing. A step counts when both its samples are known. Windows that last longer than max_span,
    from first to last sample, are NaN: they bridge a pause.
    """
    out = np.full((max(t.size - n + 1, 0), 2), np.nan)
    for first in range(out.shape[0]):
        last = first + n - 1
        if t[last] - t[first] > max_span:
            continue
        known = 0
        steps = 0
        mean_x = 0.0
        mean_y = 0.0
        moved = 0.0
        for i in range(first, last + 1):
            if math.isnan(x[i]):
                continue
            known += 1
            mean_x += x[i]
            mean_y += y[i]
            if i > first and not math.isnan(x[i - 1]):
                steps += 1
                moved += (x[i] - x[i - 1]) ** 2 + (y[i] - y[i - 1]) ** 2
        if steps > 0:
            out[first, 0] = math.sqrt(moved / steps)
        if known > 0:
            mean_x /= known
            mean_y /= known
            spread = 0.0
            for i in range(first, last + 1):
                if not math.isnan(x[i]):
                    spread += (x[i] - mean_x) ** 2 + (y[i] - mean_y) ** 2
            out[first, 1] = math.sqrt(spread / known)
    return out
