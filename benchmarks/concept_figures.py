"""The pictures of docs/concepts.md, drawn from what `gazetrack demo` wrote.

    gazetrack demo -o demo-out
    python benchmarks/concept_figures.py demo-out

Everything drawn is computed by the library from one case of the demo: a validation image, which the
network was not trained on, and of those that reader-1 looked at the one with the median Dice.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

import gazetrack
from gazetrack.maps.render import level_titles, prepare
from gazetrack.maps.track import level_members
from gazetrack.publish import write_bytes
from gazetrack.tables.placement import place
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.image_files import resized
from gradtrack_model.evaluation.evaluate import read_scores

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOT = Path(__file__).parents[1]
READER = "reader-1"
PANEL_INCHES = 2.6
DPI = 90
DISC_POINTS2_PER_MS = 0.2
SEEN, UNSEEN, MASK = "#e69f00", "#bbbbbb", "#56b4e9"  # orange and blue of Okabe and Ito
KINDS = ("density", "tube", "hull", "disc", "gaussian", "heatmap", "gazemedseg", "linear")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image of the demo, and the gaze on it.

    Parameters
    ----------
    name : str
        The image's id.
    demo : pathlib.Path
        The folder that `gazetrack demo` wrote.
    track : Track
        The fixations in pixels of the image.
    """

    name: str
    demo: Path
    track: gazetrack.Track

    @property
    def picture(self):
        """The image in colour."""
        return Image.open(self.demo / "images" / f"{self.name}.png").convert("RGB")

    @property
    def pixels(self):
        """The image as uint8 [H, W, 3]."""
        return np.asarray(self.picture)

    @property
    def mask(self):
        """The lesion as bool [H, W]: to compare with, never trained on."""
        return np.asarray(Image.open(self.demo / "masks" / f"{self.name}.png").convert("L")) > 127


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="folder that `gazetrack demo` wrote")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "figures")
    arguments = parser.parse_args()
    case = median_case(arguments.demo)
    for name, draw in FIGURES.items():
        written = arguments.out / f"concept-{name}.png"
        write_bytes(written, picture_of(draw(case)))
        print(f"{case.name} -> {written} ({written.stat().st_size:,} bytes)")


def median_case(demo: Path) -> Case:
    """Return the reader's validation image of median Dice, of an even number the lower one."""
    table = demo / f"{READER}.fixations.parquet"
    tracks = {Path(t.stimulus).stem: t for t in gazetrack.tracks(table, images=demo / "images")}
    scores = read_scores(demo / "evaluation" / "evaluation.csv")
    by_dice = sorted((found["dice"], name) for name, found in scores.items() if name in tracks)
    name = by_dice[(len(by_dice) - 1) // 2][1]
    return Case(name=name, demo=demo, track=tracks[name])


def picture_of(figure: Figure) -> bytes:
    """Return the figure as a PNG of few colours, so that it is a small file."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI, bbox_inches="tight", pad_inches=0.03)
    few = Image.open(raw).convert("RGB").quantize(160, dither=Image.Dither.NONE)
    small = io.BytesIO()
    few.save(small, format="png", optimize=True)
    return small.getvalue()


def panels(case: Case, rows: int, columns: int):
    """Return a figure of panels of the image's shape, without ticks."""
    height, width = case.mask.shape
    size = (columns * PANEL_INCHES, rows * (PANEL_INCHES * height / width + 0.3))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    return figure, axes


def show(axis: Axes, case: Case, values, title: str, **look) -> None:
    """Draw an image or a map over the whole panel."""
    height, width = case.mask.shape
    axis.imshow(values, extent=(0, width, height, 0), **look)
    axis.set_title(title, fontsize=8)


def show_map(axis: Axes, case: Case, values, title: str) -> None:
    """Draw a map in [0, 1], with its border at .5 and the lesion's outline."""
    show(axis, case, values, title, cmap="magma", vmin=0, vmax=1)
    outline(axis, case, values, color="white")
    outline(axis, case, case.mask.astype(float), color=MASK, linestyle="--")


def outline(axis: Axes, case: Case, values, *, color: str, linestyle: str = "-") -> None:
    """Draw where values of any resolution cross .5, if they do."""
    if not values.min() < 0.5 < values.max():
        return
    height, width = case.mask.shape
    rows, columns = values.shape
    across = (np.arange(columns) + 0.5) * width / columns
    down = (np.arange(rows) + 0.5) * height / rows
    axis.contour(across, down, values, [0.5], colors=color, linestyles=linestyle, linewidths=1.2)


def show_track(axis: Axes, track: gazetrack.Track, kept, *, others: bool = True) -> None:
    """Draw fixations and the way between them: the kept ones, and the others in grey."""
    area = DISC_POINTS2_PER_MS * track.duration_ms
    left = np.setdiff1d(np.arange(len(track)), kept)
    if others:
        axis.scatter(track.x[left], track.y[left], area[left], c=UNSEEN, edgecolors="k", lw=0.4)
    axis.plot(track.x[kept], track.y[kept], color="white", linewidth=0.8)
    axis.scatter(track.x[kept], track.y[kept], area[kept], c=SEEN, edgecolors="k", linewidths=0.5)


def draw_track(case: Case) -> Figure:
    """Samples, fixations, the cleaned track, and its map."""
    figure, axes = panels(case, 1, 4)
    params = gazetrack.MapParams(levels=1)
    x, y = samples_on_image(case)
    show(axes[0, 0], case, case.pixels, f"{len(x):,} samples at 250 Hz")
    axes[0, 0].scatter(x, y, 2, color=SEEN, linewidths=0)
    everything = np.arange(len(case.track))
    show(axes[0, 1], case, case.pixels, f"{len(everything)} fixations, and the way of the eye")
    show_track(axes[0, 1], case.track, everything)
    kept = prepare(case.track, params)
    show(axes[0, 2], case, case.pixels, f"the track: {len(kept)} of them, without the first")
    left = np.flatnonzero(np.isin(case.track.x, kept.x))
    show_track(axes[0, 2], case.track, left)
    maps = gazetrack.render_maps(case.track, params)
    show_map(axes[0, 3], case, maps.values[0], "its map, and the border at .5")
    return figure


def samples_on_image(case: Case):
    """Return the raw gaze in pixels of the image, which the demo shows as large as it fits."""
    recording = gazetrack.read(case.demo / f"{READER}.asc")
    here = recording.samples[recording.samples["stimulus"].astype(str) == case.track.stimulus]
    height, width = case.mask.shape
    placement = place("fit", recording.screen, width, height)
    gaze = here[["x_px", "y_px"]].dropna().to_numpy()
    return placement.to_image(gaze[:, 0], gaze[:, 1])


def draw_levels(case: Case) -> Figure:
    """Which fixations each of four levels keeps, and the maps of these."""
    params = gazetrack.MapParams(levels=4)
    track = prepare(case.track, params)
    maps = gazetrack.render_maps(case.track, params)
    figure, axes = panels(case, 2, 4)
    members = level_members(track.duration_ms, params.ratios)
    titles = level_titles(params)
    for level, (kept, title) in enumerate(zip(members, titles, strict=True)):
        words = f"level {level + 1}: {title}, {len(kept)} of {len(track)} fixations"
        show(axes[0, level], case, case.pixels, words)
        show_track(axes[0, level], track, kept)
        show_map(axes[1, level], case, maps.values[level], f"its map: level {level + 1}")
    return figure


def draw_truncation(case: Case) -> Figure:
    """The first level of other ways to shorten a track."""
    figure, axes = panels(case, 2, 3)
    words = {"tail": "the last", "head": "the first", "random": "any"}
    for column, (truncation, which) in enumerate(words.items()):
        params = gazetrack.MapParams(levels=4, truncation=truncation, drop_first=0)
        track = prepare(case.track, params)
        how = {"truncation": truncation, "seed": params.seed}
        kept = level_members(track.duration_ms, params.ratios, **how)[0]
        show(axes[0, column], case, case.pixels, f"{which} {len(kept)} of {len(track)} fixations")
        show_track(axes[0, column], track, kept)
        maps = gazetrack.render_maps(case.track, params)
        show_map(axes[1, column], case, maps.values[0], f"its map: --truncation {truncation}")
    return figure


def draw_kinds(case: Case) -> Figure:
    """The same track as maps of every kind."""
    figure, axes = panels(case, 2, 4)
    for axis, kind in zip(axes.flat, KINDS, strict=True):
        params = replace(gazetrack.MapParams(levels=1), kind=kind)
        show_map(axis, case, gazetrack.render_maps(case.track, params).values[0], kind)
    return figure


def draw_attention(case: Case) -> Figure:
    """What each decoder stage is taught, and what it then sees in an image it never trained on."""
    tracks, probability = look(case)
    maps = gazetrack.render_maps(case.track, gazetrack.MapParams(levels=4))
    figure, axes = panels(case, 2, 5)
    for stage, track in enumerate(tracks):
        side = track.shape[0]
        taught = f"stage {stage + 1} would be taught: level {stage + 1}"
        show_map(axes[0, stage], case, maps.values[stage], taught)
        show_map(axes[1, stage], case, track, f"stage {stage + 1} predicts, {side} x {side} px")
    label = (maps.values[-1] >= 0.5).astype(float)
    show_map(axes[0, 4], case, label, "the label: level 4 at .5")
    show(axes[1, 4], case, case.pixels, "the segmentation, on the image")
    outline(axes[1, 4], case, probability, color="white")
    outline(axes[1, 4], case, case.mask.astype(float), color=MASK, linestyle="--")
    return figure


def look(case: Case):
    """Return what the demo's network predicts: the stages' track maps, and the segmentation."""
    import gradtrack_model

    checkpoint = gradtrack_model.load_model(case.demo / "runs" / "gradtrack")
    image = resized(case.picture, checkpoint.config.image_size)[None]
    with torch.inference_mode():
        output = checkpoint.model(normalise(image.float() / 255))
    tracks = [torch.sigmoid(track)[0, 0].numpy() for track in output.tracks]
    return tracks, torch.sigmoid(output.logits)[0, 0].numpy()


FIGURES = {
    "track": draw_track,
    "levels": draw_levels,
    "truncation": draw_truncation,
    "kinds": draw_kinds,
    "attention": draw_attention,
}

if __name__ == "__main__":
    main()
