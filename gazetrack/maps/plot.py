"""Pictures: an image with its scanpath in temporal order, and its track maps beside it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from gazetrack.maps.render import TrackMaps, level_titles
from gazetrack.publish import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from gazetrack.maps.track import Track

PANEL_INCHES = 3.2
DISC_POINTS2_PER_MS = 0.9
SCREEN_GRAY = 96  # dark and bright discs are seen on it
_ORDER = colormaps["viridis"]
_MAP = colormaps["magma"]


def plot_track(
    track: Track,
    image: npt.NDArray[np.uint8] | None = None,
    maps: TrackMaps | npt.NDArray[np.float32] | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
    titles: Sequence[str] = (),
) -> Figure:
    """Draw a track on its image, and each level of its maps beside it.

    Parameters
    ----------
    track : Track
        On the pixels of the image. A disc's colour is its place in time, dark to bright; its area
        is the dwell time.
    image : ndarray of uint8, shape (H, W, 3) or (H, W), optional
        The image; an empty grey screen of the track's size without one.
    maps : TrackMaps, or ndarray of float32 of shape (L, H', W'), optional
        In [0, 1]; the .5 contour, the border, is drawn white.
    mask : ndarray of bool, shape (H, W), optional
        The object, whose outline is drawn green.
    titles : sequence of str
        One per level. By default they say what each level of a `TrackMaps` keeps, and number those
        of an array.

    Returns
    -------
    matplotlib.figure.Figure
        Not known to pyplot: a notebook shows it, and ``figure.savefig`` writes it.

    Examples
    --------
    >>> track = gazetrack.tracks("raw.fixations.parquet")[0]  # doctest: +SKIP
    >>> figure = gazetrack.plot_track(track, maps=gazetrack.render_maps(track))  # doctest: +SKIP
    >>> figure.savefig("track.png")  # doctest: +SKIP
    """
    if isinstance(maps, TrackMaps):
        titles = titles or level_titles(maps.params)
        maps = maps.values
    levels = [] if maps is None else list(maps)
    if image is None:
        image = np.full((round(track.height), round(track.width)), SCREEN_GRAY, np.uint8)
    height, width = image.shape[:2]
    panel = (PANEL_INCHES, PANEL_INCHES * height / width)
    figure = Figure(figsize=(panel[0] * (1 + len(levels)), panel[1] + 0.4), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, 1 + len(levels)))
    _draw_scanpath(axes[0], image, track)
    titles = titles or [f"level {number} of {len(levels)}" for number in range(1, len(levels) + 1)]
    for axis, level, title in zip(axes[1:], levels, titles, strict=True):
        _draw_level(axis, image, level)
        axis.set_title(title, fontsize=9)
    for axis in axes:
        if mask is not None and mask.any():
            axis.contour(
                np.arange(width) + 0.5,
                np.arange(height) + 0.5,
                mask,
                [0.5],
                colors="#00d27f",
                linewidths=1.2,
            )
        axis.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Publish a figure as PNG; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_bytes(path, buffer.getvalue())


def _draw_scanpath(axis: Axes, image: npt.NDArray[np.uint8], track: Track) -> None:
    height, width = image.shape[:2]
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axis.plot(track.x, track.y, color="white", linewidth=0.8, alpha=0.8)
    order = np.linspace(0, 1, max(len(track), 1))[: len(track)]
    area = DISC_POINTS2_PER_MS * track.duration_ms
    axis.scatter(
        track.x, track.y, area, c=order, cmap=_ORDER, alpha=0.75, edgecolors="white", linewidths=0.6
    )
    for number, (x, y) in enumerate(zip(track.x, track.y, strict=True), 1):
        dark = order[number - 1] > 0.6  # the bright end of the colour map needs dark digits
        axis.text(
            x,
            y,
            str(number),
            fontsize=6,
            ha="center",
            va="center",
            color="black" if dark else "white",
        )
    axis.set_title(f"{len(track)} fixations, {track.duration_ms.sum() / 1000:.1f} s", fontsize=9)


def _draw_level(axis: Axes, image: npt.NDArray[np.uint8], level: npt.NDArray[np.float32]) -> None:
    height, width = image.shape[:2]
    grey = image.mean(axis=-1) if image.ndim == 3 else image
    axis.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0))
    axis.imshow(
        level, cmap=_MAP, vmin=0, vmax=1, alpha=0.2 + 0.6 * level, extent=(0, width, height, 0)
    )
    if level.min() < 0.5 <= level.max():
        rows, cols = level.shape
        x = (np.arange(cols) + 0.5) * width / cols
        y = (np.arange(rows) + 0.5) * height / rows
        axis.contour(x, y, level, [0.5], colors="white", linewidths=1)
