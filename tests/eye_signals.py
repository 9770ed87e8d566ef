"""Eye movements and pupil sizes by formulas, for tests and for what other packages say of them.

Nothing but numpy is imported here: `benchmarks/peers_movements.py` runs where gazetrack is not.
"""

from __future__ import annotations

import numpy as np


def fixational(n=3000, hz=500.0, seed=5):
    """Return times [n] ms and the gaze of the left and right eye, [2, n, 2] px.

    The eyes drift, tremble, and jump: together at most times, one alone now and then.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(n) * 1000.0 / hz
    drift = np.cumsum(rng.normal(0, 0.02, (n, 2)), axis=0)
    eyes = np.stack([drift, drift]) + rng.normal(0, 0.25, (2, n, 2))
    for at in range(150, n - 50, 240):
        step = rng.normal(0, 12, 2)
        late = np.clip((np.arange(n) - at) / 1.3, -50, 50)
        shape = 1 / (1 + np.exp(-late))[:, None] * step
        which = rng.integers(0, 5)
        if which != 0:
            eyes[0] += shape
        if which != 1:
            # The other eye moves a sample or two later.
            eyes[1] += 0.9 * np.roll(shape, rng.integers(0, 3), axis=0)
    return t, eyes + 400.0


def pupil_with_blinks(n=4000, hz=500.0, seed=3):
    """Return times [n] ms and pupil sizes [n] in whole units, zero where the lid is closed.

    Blinks have a shrinking before and a growing behind them; two lie close to each other, one is
    there at the beginning, and one is a dropout of a few samples without either.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(n) * 1000.0 / hz
    size = 900 + 60 * np.sin(t / 900) + rng.normal(0, 4, n)
    blinks = [(0, 60), (500, 60), (900, 40), (955, 50), (1500, 4), (2200, 90), (3100, 300)]
    for start, closed in blinks:
        for k in range(18):
            if start - 18 + k >= 0:
                size[start - 18 + k] *= 1 - 0.5 * (k + 1) / 19
            if start + closed + k < n:
                size[start + closed + k] *= 0.5 + 0.5 * (k + 1) / 19
        size[start : start + closed] = 0
    return t, np.round(size)


def about_six_deviations():
    """Return velocities on x and y, of deviation 1: 100 samples on an ellipse, and beyond it.

    On x, samples 40 to 49 have six deviations, and 70 to 79 a little more; there y has none.
    """
    vx = np.tile([1.0, -1.0], 50)
    vy = np.tile([1.0, 1.0, -1.0, -1.0], 25)
    vx[40:50] *= 6.0
    vx[70:80] *= 6.001
    vy[40:50] = vy[70:80] = 0.0
    return vx, vy
