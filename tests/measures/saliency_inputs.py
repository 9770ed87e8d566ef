"""A study of four images whose maps and fixations anyone can make again, for two programs."""

from __future__ import annotations

import numpy as np

SHAPES = ((30, 40), (48, 48), (24, 60), (40, 30))
SIGMA_PX = 3.0


def study():
    """Maps [H, W] and fixations (x, y) in their pixels, image by image.

    One map is smooth, one has ties, one is negative in part, and one is the same everywhere.
    """
    random = np.random.default_rng(2012)
    maps = [random.random(shape) ** 3 for shape in SHAPES]
    maps[1] = np.round(maps[1] * 4)
    maps[2] = maps[2] - 0.3
    maps[3] = np.full(SHAPES[3], 2.0)
    looked = []
    for saliency in maps:
        height, width = saliency.shape
        n = int(random.integers(12, 30))
        x = np.clip(random.normal(width / 2, width / 5, n), 0, width - 1e-6)
        y = np.clip(random.normal(height / 2, height / 5, n), 0, height - 1e-6)
        looked.append((x, y))
    return maps, looked
