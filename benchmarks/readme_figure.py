"""The README's figure: gaze, map, prediction and mask of one case of `gazetrack demo`.

    gazetrack demo -o demo-out
    python benchmarks/readme_figure.py demo-out

Everything drawn is what the demo's commands wrote. The case is a validation image, which the
network was not trained on: of those, the one whose Dice is the median, so that nobody chooses it.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import gazetrack
from gazetrack.publish import write_bytes
from gradtrack_model.evaluation.evaluate import read_scores
from gradtrack_model.evaluation.overlay import draw_overlay

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    Pixels = npt.NDArray[np.uint8]
    Mask = npt.NDArray[np.bool_]

ROOT = Path(__file__).parents[1]
PANEL_INCHES = 2.5
DPI = 110
DISC_POINTS2_PER_MS = 0.25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="folder that `gazetrack demo` wrote")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "figure.jpg")
    arguments = parser.parse_args()
    case, dice = median_case(arguments.demo)
    write_bytes(arguments.out, draw(arguments.demo, case, dice))
    print(f"{case}, Dice {dice:.3f} -> {arguments.out} ({arguments.out.stat().st_size:,} bytes)")


def median_case(demo: Path) -> tuple[str, float]:
    """Return the validation image whose Dice is the median, of an even number the lower one."""
    scores = read_scores(demo / "evaluation" / "evaluation.csv")
    by_dice = sorted((found["dice"], image) for image, found in scores.items())
    dice, image = by_dice[(len(by_dice) - 1) // 2]
    return image, dice


def draw(demo: Path, case: str, dice: float) -> bytes:
    """Return the figure as a JPEG."""
    image = np.asarray(Image.open(demo / "images" / f"{case}.png").convert("RGB"))
    predicted = read_mask(demo / "predictions" / f"{case}.png")
    mask = read_mask(demo / "masks" / f"{case}.png")
    track = track_of(demo, case)
    maps = maps_of(demo, case)

    height, width = image.shape[:2]
    size = (4 * PANEL_INCHES, PANEL_INCHES * height / width + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(1, 4)
    draw_gaze(axes[0], image, track)
    draw_map(axes[1], image, maps)
    axes[2].imshow(draw_overlay(image, predicted), extent=(0, width, height, 0))
    axes[2].set_title(f"→ prediction from the image, Dice {dice:.2f}", fontsize=8)
    axes[3].imshow(draw_overlay(image, mask), extent=(0, width, height, 0))
    axes[3].set_title("the mask, never trained on", fontsize=8)
    for axis in axes:
        axis.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    picture = io.BytesIO()
    figure.savefig(picture, format="jpeg", dpi=DPI, pil_kwargs={"quality": 90})
    return picture.getvalue()


def read_mask(path: Path) -> Mask:
    return np.asarray(Image.open(path).convert("L")) > 127


def track_of(demo: Path, case: str) -> gazetrack.Track:
    for table in gazetrack.find_tables(demo).paths:
        for track in gazetrack.tracks(table, images=demo / "images"):
            if Path(track.stimulus).stem == case:
                return track
    raise SystemExit(f"no track of {case} in {demo}")


def maps_of(demo: Path, case: str) -> npt.NDArray[np.float64]:
    return gazetrack.read_maps(demo / "maps").load(case) / 255


def draw_gaze(axis: Axes, image: Pixels, track: gazetrack.Track) -> None:
    """Draw the fixations on their image: dark to bright in time, the larger the longer."""
    height, width = image.shape[:2]
    axis.imshow(image, extent=(0, width, height, 0))
    axis.plot(track.x, track.y, color="white", linewidth=0.8, alpha=0.8)
    axis.scatter(
        track.x,
        track.y,
        DISC_POINTS2_PER_MS * track.duration_ms,
        c=np.arange(len(track)),
        cmap="viridis",
        edgecolors="white",
        linewidths=0.6,
    )
    seconds = track.duration_ms.sum() / 1000
    axis.set_title(f"gaze: {len(track)} fixations, {seconds:.1f} s", fontsize=8)


def draw_map(axis: Axes, image: Pixels, maps: npt.NDArray[np.float64]) -> None:
    """Draw the full track's map on its image, and the .5 border of every level."""
    height, width = image.shape[:2]
    whole = maps[-1]
    axis.imshow(image.mean(axis=-1), cmap="gray", extent=(0, width, height, 0), vmin=0, vmax=255)
    tint = 0.2 + 0.6 * whole
    axis.imshow(whole, cmap="magma", vmin=0, vmax=1, alpha=tint, extent=(0, width, height, 0))
    rows, columns = whole.shape
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    for level in maps:
        axis.contour(x, y, level, [0.5], colors="white", linewidths=0.8)
    axis.set_title(f"→ track map, borders of its {len(maps)} levels", fontsize=8)


if __name__ == "__main__":
    main()
