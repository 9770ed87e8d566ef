"""A scanpath on its image: discs in temporal order, with the areas of interest under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gazetrack.figures.aoi_outlines import draw_outlines, outlines_of
from gazetrack.figures.ground import draw_ground, draw_mask, pixels_under, refuse_no_track
from gazetrack.figures.labels import place_labels
from gazetrack.figures.style import (
    LABEL_POINTS,
    ORDER_MAP,
    SMALL_POINTS,
    TITLE_POINTS,
    halo,
    heading,
    legend_below,
    new_figure,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from gazetrack.figures.ground import Picture
    from gazetrack.maps.track import Track
    from gazetrack.measures.aois import AoiSet

WIDTH_INCHES = 6.0
DISC_POINTS2_PER_MS = 0.5
LEGEND_MS = (100, 300, 600)
MOST_NUMBERS = 60  # of a longer scanpath every second, third, … is numbered
_NUMBER_POINTS = 7.0
_LINE_POINTS = 8.6  # height of a line with its rim
_POINTS_PER_INCH = 72.0
_LEADER_RADII = 1.8  # a number so much farther than its disc's edge gets a line to it


def plot_scanpath(
    track: Track,
    image: Picture = None,
    *,
    aois: AoiSet | None = None,
    mask: npt.NDArray[np.bool_] | None = None,
) -> Figure:
    """Draw the scanpath of one track on its image.

    Parameters
    ----------
    track : Track
        On the pixels of the image. A disc's colour is its place in time, dark to bright; its area
        is the dwell time.
    image : ndarray of uint8, shape (H, W, 3) or (H, W), or path-like, optional
        The image, or its file; an empty grey screen of the track's size without one.
    aois : AoiSet, optional
        Areas of interest, as `gazetrack.read_aois` gives them: those of the track's stimulus are
        drawn with their names.
    mask : ndarray of bool, shape (H, W), optional
        An object, whose outline is drawn green.

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
    >>> gazetrack.plot_scanpath(track).savefig("scanpath.svg")  # doctest: +SKIP
    """
    refuse_no_track(track)
    pixels = pixels_under(track, image)
    height, width = pixels.shape[:2]
    figure = new_figure(WIDTH_INCHES + 0.9, WIDTH_INCHES * height / width + 1.2)
    axis = figure.subplots()
    draw_ground(axis, pixels)
    if aois is not None:
        draw_outlines(axis, outlines_of(aois, track.stimulus, (track.width, track.height)))
    draw_mask(axis, mask)
    draw_scanpath(axis, track)
    axis.set_title(f"{heading(track)}\n{summary(track)}", fontsize=TITLE_POINTS)
    order_bar(axis, len(track))
    size_legend(axis)
    draw_numbers(axis, track)
    return figure


def summary(track: Track) -> str:
    """Return how many fixations a track has, and how long they last together."""
    return f"{len(track)} fixations, {np.nansum(track.duration_ms) / 1000:.1f} s"


def draw_scanpath(axis: Axes, track: Track) -> None:
    """Draw the discs, and the line through them.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        An axis on which the image has been drawn.
    track : Track
        The fixations on the pixels of this image.
    """
    axis.plot(track.x, track.y, color="white", linewidth=1.6, alpha=0.9, zorder=2)
    axis.plot(track.x, track.y, color="0.25", linewidth=0.7, zorder=2)
    order = np.arange(1, len(track) + 1)
    axis.scatter(
        track.x,
        track.y,
        _areas(track),
        c=order,
        cmap=ORDER_MAP,
        norm=_order_norm(len(track)),
        alpha=0.75,
        edgecolors="white",
        linewidths=0.7,
        zorder=3,
    )


def draw_numbers(axis: Axes, track: Track) -> None:
    """Write the numbers of the discs where they can be read.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis with the scanpath. Everything else of the figure must be there already: where
        there is room depends on how large the image comes out.
    track : Track
        The fixations that have been drawn.
    """
    figure = axis.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - an axis that is drawn on has one
    figure.draw_without_rendering()
    width_inches = axis.get_window_extent().width / figure.dpi
    every = -(-len(track) // MOST_NUMBERS) if len(track) else 1
    seen = np.isfinite(track.x) & np.isfinite(track.y)
    numbered = np.flatnonzero(seen & (np.arange(len(track)) % every == 0))
    scale = width_inches * _POINTS_PER_INCH / track.width
    places = np.column_stack([track.x, track.y])[numbered] * scale
    texts = [str(number + 1) for number in numbered]
    radii = np.sqrt(_areas(track)[numbered] / np.pi)
    room = (track.width * scale, track.height * scale)
    centres = place_labels(places, radii, texts, _LINE_POINTS, room)
    for place, centre, radius, text in zip(places, centres, radii, texts, strict=True):
        away = float(np.hypot(*(centre - place)))
        is_far = away > radius + _LEADER_RADII * _NUMBER_POINTS
        number = axis.annotate(
            text,
            place / scale,
            centre / scale,
            fontsize=_NUMBER_POINTS,
            ha="center",
            va="center",
            color="black",
            path_effects=halo(),
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "white", "lw": 0.7} if is_far else None,
            zorder=4,
        )
        number.set_in_layout(False)  # or the image would come out smaller than it was measured


def _areas(track: Track) -> npt.NDArray[np.float64]:
    """Return the areas of the discs in square points."""
    return DISC_POINTS2_PER_MS * np.nan_to_num(np.maximum(track.duration_ms, 0))


def order_bar(axis: Axes, n_fixations: int) -> None:
    """Put the scale of the discs' colours beside an axis.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis with the scanpath.
    n_fixations : int
        How many fixations the colours are spread over.
    """
    mappable = ScalarMappable(_order_norm(n_fixations), ORDER_MAP)
    figure = axis.get_figure()
    assert isinstance(figure, Figure)  # noqa: S101 - an axis that is drawn on has one
    bar = figure.colorbar(mappable, ax=axis, shrink=0.8, pad=0.02)
    bar.set_label("fixation, in temporal order", fontsize=LABEL_POINTS)
    bar.ax.tick_params(labelsize=SMALL_POINTS)
    bar.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def size_legend(axis: Axes) -> None:
    """Say under an axis what the sizes of the discs mean.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        The axis with the scanpath.
    """
    handles = [Line2D([], [], linestyle="", label="duration of the fixation:")]
    handles += [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            color="0.6",
            markeredgecolor="white",
            markersize=2 * float(np.sqrt(DISC_POINTS2_PER_MS * ms / np.pi)),
            label=f"{ms} ms",
        )
        for ms in LEGEND_MS
    ]
    legend_below(axis, handles, columns=len(handles))


def _order_norm(n_fixations: int) -> Normalize:
    return Normalize(1, max(n_fixations, 2))
