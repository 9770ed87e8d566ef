"""An image with its scanpath in temporal order, and its track maps beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D

from gazetrack.figures.ground import (
    MASK_COLOUR,
    draw_ground,
    draw_mask,
    pixels_under,
    refuse_no_track,
)
from gazetrack.figures.scanpath import draw_numbers, draw_scanpath, order_bar, size_legend, summary
from gazetrack.figures.style import (
    AMOUNT_MAP,
    LABEL_POINTS,
    SMALL_POINTS,
    TITLE_POINTS,
    heading,
    new_figure,
)
from gazetrack.maps.parameters import CALIBRATED
from gazetrack.maps.render import TrackMaps, level_titles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gazetrack.figures.ground import Picture, Pixels
    from gazetrack.maps.track import Track

PANEL_INCHES = 2.6  # of a level; the scanpath is twice as large beside more than two
_LEGEND_INCHES = 1.2


def plot_track(
    track: Track,
    image: Picture = None,
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
        In [0, 1]; the .5 contour is drawn white where it is meant as a border: of an array, and of
        the kinds of map in which it is one.
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
    refuse_no_track(track)
    what = heading(track)
    has_border = True
    if isinstance(maps, TrackMaps):
        titles = titles or level_titles(maps.params)
        has_border = maps.params.kind in CALIBRATED
        what = f"{what} · {maps.params.kind} maps"
        maps = maps.values
    levels = [] if maps is None else list(maps)
    titles = titles or [f"level {number} of {len(levels)}" for number in range(1, len(levels) + 1)]
    pixels = pixels_under(track, image)
    figure, panels = _panels(len(levels), pixels.shape[0] / pixels.shape[1])
    draw_ground(panels[0], pixels)
    draw_scanpath(panels[0], track)
    panels[0].set_title(summary(track), fontsize=LABEL_POINTS)
    for axis, level, title in zip(panels[1:], levels, titles, strict=True):
        draw_ground(axis, pixels, grey=True)
        _draw_level(axis, pixels, level, has_border=has_border)
        axis.set_title(title, fontsize=LABEL_POINTS)
    for axis in panels:
        draw_mask(axis, mask)
    figure.suptitle(what, fontsize=TITLE_POINTS)
    order_bar(panels[0], len(track))
    size_legend(panels[0])
    if levels:
        _explain_levels(figure, panels, has_border=has_border, has_mask=mask is not None)
    draw_numbers(panels[0], track)
    return figure


def _size_of_scanpath(n_levels: int) -> int:
    """Return how many levels the panel of the scanpath is as wide and as high as."""
    return 1 if n_levels in (1, 2) else 2


def _panels(n_levels: int, height_per_width: float) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for the scanpath, then one for each level in two rows."""
    size = _size_of_scanpath(n_levels)
    columns = math.ceil(n_levels / size)
    width = PANEL_INCHES * (size + columns) + (1.9 if n_levels else 0.9)
    height = size * (PANEL_INCHES * height_per_width + 0.25) + _LEGEND_INCHES
    figure = new_figure(width, height)
    grid = figure.add_gridspec(size, size + columns)
    axes = [figure.add_subplot(grid[:, :size])]
    for number in range(n_levels):
        row, column = divmod(number, columns)
        axes.append(figure.add_subplot(grid[row, size + column]))
    return figure, axes


def _draw_level(
    axis: Axes, pixels: Pixels, level: npt.NDArray[np.float32], *, has_border: bool
) -> None:
    height, width = pixels.shape[:2]
    axis.imshow(
        level,
        cmap=AMOUNT_MAP,
        vmin=0,
        vmax=1,
        alpha=0.2 + 0.6 * level,
        extent=(0, width, height, 0),
    )
    if has_border and level.min() < 0.5 <= level.max():
        rows, cols = level.shape
        x = (np.arange(cols) + 0.5) * width / cols
        y = (np.arange(rows) + 0.5) * height / rows
        axis.contour(x, y, level, [0.5], colors="white", linewidths=1)


def _explain_levels(
    figure: Figure, panels: Sequence[Axes], *, has_border: bool, has_mask: bool
) -> None:
    """Say what the colours and lines of the levels mean."""
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), AMOUNT_MAP), ax=list(panels[1:]), shrink=0.8, pad=0.01
    )
    bar.set_label("value of the map", fontsize=LABEL_POINTS)
    bar.ax.tick_params(labelsize=SMALL_POINTS)
    lines = []
    if has_border:
        lines.append(Line2D([], [], color="white", label="border: the map is 0.5"))
    if has_mask:
        lines.append(Line2D([], [], color=MASK_COLOUR, label="outline of the mask"))
    if lines:
        panels[-1].legend(
            handles=lines,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.01),
            fontsize=SMALL_POINTS,
            facecolor="0.4",
            labelcolor="white",
            edgecolor="none",
        )
