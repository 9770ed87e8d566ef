"""Outlines of areas of interest, as corners that a figure joins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Line

from gazetrack.figures.style import SMALL_POINTS, colours_of, halo, shown
from gazetrack.measures.shapes import Ellipse, Label, Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    from gazetrack.measures.aois import AoiSet
    from gazetrack.measures.shapes import Shape

    Corners = npt.NDArray[np.float64]

_CORNERS_OF_AN_ELLIPSE = 73
_ROOM_FOR_A_NAME = 0.05  # of the height of an axis
_BESIDE_PX = 1  # around a label image, so that labels at its border are closed


def outlines_of(
    aois: AoiSet, stimulus: str, size: tuple[float, float] | None = None
) -> dict[str, list[Corners]]:
    """Return the outlines of the areas of a stimulus.

    Parameters
    ----------
    aois : AoiSet
        The areas of the study, among which the stimulus is found by its name.
    stimulus : str
        The stimulus, with or without folder and image suffix.
    size : (float, float), optional
        Width and height in pixels that the image is drawn with, where it may be another than the
        areas were drawn on: they are scaled to it.

    Returns
    -------
    dict of str to list of ndarray of float64, shape (N, 2)
        Closed lines by the name of the area: several of one that has several parts or holes, also
        of those that it moves to. Empty where the stimulus has no areas.
    """
    own = aois.of(stimulus)
    if own is None:
        return {}
    scale = np.ones(2)
    if own.size is not None and size is not None:
        scale = np.array(size) / np.array(own.size)
    return {
        aoi.name: [line * scale for part in aoi.parts for line in _lines(part.shape)]
        for aoi in own.aois
    }


def draw_outlines(axis: Axes, outlines: Mapping[str, Sequence[Corners]]) -> None:
    """Draw areas of interest, each in a colour of its own and with its name at its top.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        An axis on which the image has been drawn.
    outlines : mapping of str to sequence of ndarray of float64, shape (N, 2)
        What `outlines_of` returns: closed lines in pixels of the image.
    """
    colours = colours_of(outlines)
    for name, lines in outlines.items():
        if not lines:
            continue
        area = path_of(lines)
        axis.add_patch(PathPatch(area, facecolor=f"{colours[name]}22", edgecolor="none", zorder=1))
        axis.add_patch(
            PathPatch(area, facecolor="none", edgecolor=colours[name], linewidth=1.8, zorder=1)
        )
        corners = np.concatenate(lines)
        name_area(axis, corners[np.argmin(corners[:, 1])], name)


def name_area(axis: Axes, place: Corners, text: str) -> None:
    """Write the name of an area above a place of its border; under it at the top of the axis.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
        An axis on which the image has been drawn.
    place : ndarray of float64, shape (2,)
        Where, in pixels of the image.
    text : str
        The name, which may come from data.
    """
    bottom, top = axis.get_ylim()
    room = (float(place[1]) - top) / (bottom - top)  # as a share of the axis
    has_room = room >= _ROOM_FOR_A_NAME
    label = axis.text(
        float(place[0]),
        top if room < 0 else float(place[1]),
        shown(text),
        fontsize=SMALL_POINTS,
        color="black",
        ha="left",
        va="bottom" if has_room else "top",
        path_effects=halo(2.5),
        zorder=5,
    )
    label.set_clip_on(True)


def path_of(lines: Sequence[Corners]) -> Line:
    """Return closed lines as one path, in which holes stay holes.

    Parameters
    ----------
    lines : sequence of ndarray of float64, shape (N, 2)
        Closed lines, holes turned the other way round than what they are in.
    """
    return Line.make_compound_path(*(Line(line, closed=True) for line in lines))


def _lines(shape: Shape) -> list[Corners]:
    """Return the closed lines around a shape, the first corner again as the last."""
    if isinstance(shape, Ellipse):
        angle = np.linspace(0, 2 * np.pi, _CORNERS_OF_AN_ELLIPSE)
        along = shape.radius_x_px * np.cos(angle)
        across = shape.radius_y_px * np.sin(angle)
        turned = np.deg2rad(shape.rotation_deg)
        x = shape.x_px + along * np.cos(turned) - across * np.sin(turned)
        y = shape.y_px + along * np.sin(turned) + across * np.cos(turned)
        return [np.column_stack([x, y])]
    if isinstance(shape, Polygon):
        rings = [np.array([*ring, ring[0]]) for ring in (shape.points_px, *shape.holes_px)]
        return [_turned(ring, clockwise=number > 0) for number, ring in enumerate(rings)]
    if isinstance(shape, Label):
        return _around(shape.pixels())
    left, top, right, bottom = shape.bounds
    return [np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])]


def _turned(ring: Corners, *, clockwise: bool) -> Corners:
    """Return a ring in one of the two directions; a hole is turned against what it is in."""
    x, y = ring.T
    area = float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
    return ring[::-1] if (area < 0) != clockwise else ring


def _around(pixels: npt.NDArray[np.bool_]) -> list[Corners]:
    """Return the lines around pixels; matplotlib draws its contours with the same library."""
    from contourpy import contour_generator

    wide = np.pad(pixels, _BESIDE_PX).astype(np.float64)
    lines = contour_generator(z=wide).lines(0.5)
    # The centre of the first pixel is (0.5, 0.5).
    return [np.asarray(line, np.float64) + 0.5 - _BESIDE_PX for line in lines]
