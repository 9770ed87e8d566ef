"""Pictures: an image with its scanpath in temporal order, and its track maps beside it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from gazetrack.errors import ConfigError, InputError, refuse_other_type
from gazetrack.images.folder import read_image
from gazetrack.images.reference import ImageRef
from gazetrack.maps.render import TrackMaps, level_titles
from gazetrack.maps.track import Track
from gazetrack.publish import write_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes


PANEL_INCHES = 3.2
DISC_POINTS2_PER_MS = 0.9
SCREEN_GRAY = 96  # dark and bright discs are seen on it
_ORDER = colormaps["viridis"]
_MAP = colormaps["magma"]


def plot_track(
    track: Track,
    image: npt.NDArray[np.uint8] | str | Path | None = None,
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
    image : ndarray of uint8, shape (H, W, 3) or (H, W), or path-like, optional
        The image, or its file; an empty grey screen of the track's size without one.
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

    Raises
    ------
    ConfigError
        `track` is no track, `image` is neither picture nor path, or it has another size than the
        image that the track lies on.
    InputError
        The file of the image cannot be read.

    Examples
    --------
    >>> track = gazetrack.tracks("raw.fixations.parquet")[0]  # doctest: +SKIP
    >>> figure = gazetrack.plot_track(track, maps=gazetrack.render_maps(track))  # doctest: +SKIP
    >>> figure.savefig("track.png")  # doctest: +SKIP
    """
    hint = "give one of those that gazetrack.tracks(fixations) returns"
    refuse_other_type(track, Track, "the track", hint)
    if isinstance(maps, TrackMaps):
        titles = titles or level_titles(maps.params)
        maps = maps.values
    levels = [] if maps is None else list(maps)
    image = _picture(image, track)
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


def _picture(
    image: npt.NDArray[np.uint8] | str | Path | None, track: Track
) -> npt.NDArray[np.uint8]:
    """Return the pixels to draw a track on, whatever says which these are."""
    if image is None:
        return np.full((round(track.height), round(track.width)), SCREEN_GRAY, np.uint8)
    if isinstance(image, str | Path):
        path = Path(image)
        if not path.is_file():
            hint = "check the name; figure.savefig writes pictures"
            raise InputError("no such file", path=path, hint=hint)
        image = read_image(ImageRef(path), "RGB")
    hint = "give an array of shape (H, W) or (H, W, 3), or the path of the image"
    refuse_other_type(image, np.ndarray, "the image", hint)
    is_picture = image.ndim == 2 or (image.ndim == 3 and image.shape[2] in (3, 4))
    if not is_picture:
        raise ConfigError(f"the image is an array of shape {image.shape}", hint=hint)
    height, width = image.shape[:2]
    # The sizes of tracks may be fractions of a pixel, as images are on a screen.
    if abs(height - track.height) >= 1 or abs(width - track.width) >= 1:
        what = f"the image has {width} x {height} pixels, the track lies on {_size(track)}"
        hint = "give tracks the images=FOLDER, or use track.scaled(width, height)"
        raise ConfigError(what, hint=hint)
    return image


def _size(track: Track) -> str:
    return f"{track.width:g} x {track.height:g}"


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
