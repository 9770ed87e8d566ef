"""Small images with a disc in each, and gaze on it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import write_table

W, H = 80, 64
TINY = {
    "image_size": 64,
    "steps": 6,
    "val_every": 3,
    "log_every": 1,
    "tensorboard": False,
    "batch_size": 4,
}
TINY |= {"maps.kind": "tube"}  # whose borders are known


def picture(cx, cy, r):
    """Return (image, mask): a bright disc on a dark ground."""
    y, x = np.mgrid[:H, :W]
    mask = (x - cx) ** 2 + (y - cy) ** 2 <= r**2
    rng = np.random.default_rng(int(cx * 100 + cy))
    image = np.clip(60 + rng.normal(0, 6, (H, W, 3)) + 130 * mask[..., None], 0, 255).astype(
        np.uint8
    )
    return image, mask


def write_gaze(path, points):
    """Write a fixation table from {stimulus: [(x, y), ...]}."""
    rows = []
    for stimulus, places in points.items():
        for i, (x, y) in enumerate(places):
            facts = {
                "recording": "r",
                "participant": "p",
                "stimulus": stimulus,
                "trial": "1",
                "index": i + 1,
                "eye": "right",
                "onset_ms": 300.0 * i,
                "duration_ms": 250.0,
                "x_px": x,
                "y_px": y,
                "dispersion_px": 1.0,
                "pupil": 1.0,
                "n_samples": 100,
                "image_width_px": W,
                "image_height_px": H,
            }
            rows.append(facts)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    write_table(path, conform(columns, FIXATIONS), {"position": "image"})
    return path


def write_data(folder, n=6):
    """Write images, masks, gaze and a split."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    points = {}
    for i in range(n):
        cx, cy, r = 20 + 7 * i, 20 + 4 * i, 12
        image, mask = picture(cx, cy, r)
        Image.fromarray(image).save(folder / "images" / f"im{i}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"im{i}.png")
        ring = [(cx + 7 * np.cos(a), cy + 7 * np.sin(a)) for a in np.linspace(0, 6, 9)]
        points[f"im{i}.png"] = [(2.0, 2.0), *ring, (cx, cy)]
    write_gaze(folder / "g.fixations.parquet", points)
    (folder / "val.txt").write_text(f"im{n - 1}\n")
    return folder
