"""Track maps: ours beside the usual ways of making them and the floor of writing them.

Usage: python benchmarks/bench_maps.py [--rounds 5] [--json FILE]

OpenCV takes part where it is installed. Every entry makes all levels; the kernels are timed apart,
too: suffix_distance, spread, widen, logistic.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util

import numpy as np
from _timing import race, save, show
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial import cKDTree

from gazetrack.kernels.distance import suffix_distance
from gazetrack.kernels.gaussian import spread, widen
from gazetrack.kernels.logistic import logistic
from gazetrack.maps.parameters import MapParams
from gazetrack.maps.quadrature import unit_rules
from gazetrack.maps.render import render_points

LEVELS = 4
BLUR = 0.05
CANVAS, CANVAS_SIGMA = 768, 70.0  # of GazeMedSeg (Zhong et al. 2024)


class Track:
    """Random fixations, and the ways of others to make maps of them."""

    def __init__(self, n: int, height: int, width: int, levels: int) -> None:
        rng = np.random.default_rng(0)
        self.x, self.y, self.d = (
            rng.uniform(0, width, n),
            rng.uniform(0, height, n),
            rng.uniform(100, 900, n),
        )
        self.size, self.sigma = (height, width), BLUR * np.sqrt(height * width)
        self.firsts = [n - n * (level + 1) // levels for level in range(levels)]

    def impulses(self, first, size):
        """Durations at the nearest pixels of a canvas."""
        canvas = np.zeros(size, np.float32)
        scale = [c / s for c, s in zip(size, self.size, strict=True)]
        np.add.at(
            canvas,
            ((self.y[first:] * scale[0]).astype(int), (self.x[first:] * scale[1]).astype(int)),
            self.d[first:],
        )
        return canvas

    def scipy_gaussian(self):
        """Blur impulses."""
        return [
            gaussian_filter(self.impulses(first, self.size), self.sigma) for first in self.firsts
        ]

    def gazemedseg(self):
        """Blur impulses on a square canvas, then resize."""
        blurred = (
            gaussian_filter(self.impulses(first, (CANVAS, CANVAS)), CANVAS_SIGMA)
            for first in self.firsts
        )
        return [
            np.asarray(Image.fromarray(b).resize(self.size[::-1], Image.Resampling.BICUBIC))
            for b in blurred
        ]

    def scipy_edt(self):
        """Distances to the pixels of the fixations, no line between them."""
        return [
            distance_transform_edt(self.impulses(first, self.size) == 0) for first in self.firsts
        ]

    def kd_tree(self):
        """Distances to the fixations, no line between them."""
        rows, columns = np.indices(self.size).reshape(2, -1) + 0.5
        pixels, points = np.stack([columns, rows], 1), np.stack([self.x, self.y], 1)
        return [cKDTree(points[first:]).query(pixels)[0] for first in self.firsts]

    def cv2_gaussian(self):
        """Blur impulses."""
        import cv2

        return [
            cv2.GaussianBlur(self.impulses(first, self.size), (0, 0), self.sigma)
            for first in self.firsts
        ]

    def cv2_line(self):
        """Distances to the drawn line, whole pixels."""
        import cv2

        found = []
        points = np.stack([self.x, self.y], 1).astype(np.int32)
        for first in self.firsts:
            canvas = np.full(self.size, 255, np.uint8)
            cv2.polylines(canvas, [points[first:]], False, 0)
            found.append(cv2.distanceTransform(canvas, cv2.DIST_L2, cv2.DIST_MASK_PRECISE))
        return found

    def ours(self, kind, levels):
        """Maps in [0, 1]."""
        return render_points(
            self.x, self.y, self.d, self.size, MapParams(kind=kind, levels=levels, blur=BLUR)
        )


def kernels(track):
    """Return the kernels with what `density` and `tube` give them."""
    n, (height, width) = len(track.x), track.size
    out = np.empty((LEVELS, height, width), np.float32)
    points = (
        *(v.astype(np.float32) for v in (track.x, track.y)),
        np.full(n, 5.0, np.float32),
        np.ones(n, np.bool_),
    )
    firsts = np.array(track.firsts)
    grid = np.zeros((LEVELS, 60, 60))
    at = np.stack([track.x, track.y, track.d])
    lines = np.stack([np.arange(n) < n - 1, np.full(n, 15)]).astype(np.int64)
    step = width / 59
    nodes = np.linspace(0, 1, 60)
    down, across = (
        np.exp(-((np.linspace(0, 1, m)[:, None] - nodes) ** 2) * 500) for m in track.size
    )
    tables = [np.where(table > 1e-8, table, 0).astype(np.float32) for table in (down, across.T)]
    grids = np.ones((LEVELS, 60, 60), np.float32)
    return {
        "suffix_distance": lambda: suffix_distance(*points, firsts, False, np.inf, out),
        "spread": lambda: spread(at, lines, unit_rules(), firsts, 4 / 3 * step, step, grid),
        "widen": lambda: widen(grids, tables[0], np.ascontiguousarray(tables[1]), out),
        "logistic": lambda: logistic(out.ravel(), np.float32(1), np.float32(0)),
    }


def measure(n, height, width, levels, rounds):
    """Time every way of making the maps of one track."""
    track = Track(n, height, width, levels)
    few = n < 1000
    entries = {kind: functools.partial(track.ours, kind, levels) for kind in ("heatmap", "density")}
    if few:  # distances to a hundred thousand lines take seconds
        entries |= {
            kind: functools.partial(track.ours, kind, levels) for kind in ("tube", "disc")
        } | kernels(track)
    peers = {"GazeMedSeg's way": track.gazemedseg, "scipy gaussian_filter": track.scipy_gaussian}
    peers |= {"scipy distance_transform_edt": track.scipy_edt, "scipy cKDTree": track.kd_tree}
    if importlib.util.find_spec("cv2"):
        peers |= {
            "cv2 GaussianBlur": track.cv2_gaussian,
            "cv2 distanceTransform of lines": track.cv2_line,
        }
    floor = {"floor: write float32": lambda: np.full((levels, height, width), 0.5, np.float32)}
    return race(entries | peers | floor, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    for n, height, width, levels in (
        (30, 576, 720, LEVELS),
        (30, 224, 224, LEVELS),
        (100_000, 1080, 1920, 1),
    ):
        seconds = measure(n, height, width, levels, options.rounds)
        show(f"{levels} levels, {n:,} fixations, {height} x {width}", seconds, "density")
        results[f"{n} on {height}x{width}"] = seconds
    save(options.json, results)


if __name__ == "__main__":
    main()
