"""A small study on volumes: balls of two sizes in noise, their masks, and gaze on every slice."""

from __future__ import annotations

import numpy as np

from tests.synthetic import H, W, write_gaze
from tests.volume_files import write_nrrd

SLICES = 5
DIRECTIONS = ((0.5, 0, 0), (0, 0.6, 0), (0, 0, 3))  # mm from column to column, row to row, slice …


def write_volume(path, slices, kind="uchar"):
    """Write slices [N, H, W] as NRRD."""
    return write_nrrd(path, slices.transpose(2, 1, 0), DIRECTIONS, kind)


def ball(number):
    """Return a mask [N, H, W]: no two volumes have their ball in one place."""
    z, y, x = np.mgrid[:SLICES, :H, :W]
    cx, cy, r = 26 + 9 * number, 24 + 6 * number, 14
    return ((z - 2) / 3) ** 2 + ((y - cy) / r) ** 2 + ((x - cx) / r) ** 2 <= 1


def write_volume_study(folder, n=3):
    """Write ``images``, ``masks``, gaze and a split by volume; return the folder."""
    points = {}
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    for number in range(n):
        mask = ball(number)
        noise = np.random.default_rng(number).normal(60, 6, mask.shape)
        pixels = np.clip(noise + 130 * mask, 0, 255).astype(np.uint8)
        write_volume(folder / "images" / f"case{number}.nrrd", pixels)
        write_volume(folder / "masks" / f"case{number}.nrrd", mask.astype(np.uint8))
        for place in range(SLICES):
            rows, columns = np.nonzero(mask[place])
            cy, cx, r = rows.mean(), columns.mean(), np.sqrt(mask[place].sum() / np.pi)
            ring = [
                (cx + 0.6 * r * np.cos(angle), cy + 0.6 * r * np.sin(angle))
                for angle in np.linspace(0, 6, 7)
            ]
            points[f"case{number}_{place + 1}"] = [(2.0, 2.0), *ring, (cx, cy)]
    write_gaze(folder / "g.fixations.parquet", points)
    held_out = [f"case{n - 1}_{place + 1}" for place in range(SLICES)]
    (folder / "val.txt").write_text("".join(f"{name}\n" for name in held_out))
    return folder
