"""Track maps: ours (kernel suffix_distance and the calibrated density) beside scipy and the floor of writing them.

Usage: python benchmarks/bench_maps.py [--rounds 5] [--json FILE]
"""

from __future__ import annotations

import argparse

import numpy as np
from _timing import race, save, show
from scipy.ndimage import distance_transform_edt, gaussian_filter

from gazetrack.kernels.distance import suffix_distance
from gazetrack.maps import MapParams, render_points

LEVELS = 4


def scipy_edt(x, y, height, width):
    """Distances to the fixations (no line between them) by scipy, level by level."""
    for level in range(LEVELS):
        free = np.ones((height, width), bool)
        first = len(x) - len(x) * (level + 1) // LEVELS
        free[y[first:].astype(int), x[first:].astype(int)] = False
        distance_transform_edt(free)


def scipy_gaussian(x, y, d, height, width):
    """Blur an impulse image level by level, sigma .05 of the size."""
    for level in range(LEVELS):
        impulses = np.zeros((height, width), np.float32)
        first = len(x) - len(x) * (level + 1) // LEVELS
        np.add.at(impulses, (y[first:].astype(int), x[first:].astype(int)), d[first:])
        gaussian_filter(impulses, 0.05 * np.sqrt(height * width))


def measure(height, width, rounds):
    """Time every way of making the maps of one track."""
    rng = np.random.default_rng(0)
    x, y, d = rng.uniform(0, width, 30), rng.uniform(0, height, 30), rng.uniform(100, 900, 30)
    out = np.empty((LEVELS, height, width), np.float32)
    tube, density = MapParams(levels=LEVELS), MapParams(kind="density", levels=LEVELS)
    points = (x.astype(np.float32), y.astype(np.float32), np.full(30, 5.0, np.float32), np.ones(30, np.bool_))
    firsts = np.array([30 - 30 * (level + 1) // LEVELS for level in range(LEVELS)])
    return race(
        {
            "suffix_distance": lambda: suffix_distance(*points, firsts, False, out),
            "tube": lambda: render_points(x, y, d, height, width, tube),
            "density": lambda: render_points(x, y, d, height, width, density),
            "scipy distance_transform_edt": lambda: scipy_edt(x, y, height, width),
            "scipy gaussian_filter": lambda: scipy_gaussian(x, y, d, height, width),
            "floor: fill float32": lambda: out.fill(1.0),
        },
        rounds,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    for height, width in ((576, 720), (224, 224)):
        seconds = measure(height, width, options.rounds)
        show(f"{LEVELS} levels, 30 fixations, {height} x {width}", seconds, "tube")
        results[f"{height}x{width}"] = seconds
    save(options.json, results)


if __name__ == "__main__":
    main()
