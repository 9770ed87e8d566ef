"""The shapes of areas of interest, and which positions lie in them.

Positions and shapes are in pixels of one plane, an image's or a screen's: origin top left, y down,
the centre of the first pixel at (0.5, 0.5). Every shape is half open: a position on the edge that
two areas share lies in one of them alone, the one to its right or below it, so that areas without
gaps and overlaps share out every fixation once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil, cos, isfinite, nan, pi, radians, sin
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gazetrack.errors import ConfigError
from gazetrack.measures.label_images import grown, read_labels, read_pixels, stamp_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.images.reference import ImageRef

    Floats: TypeAlias = npt.NDArray[np.float64]
    Flags: TypeAlias = npt.NDArray[np.bool_]
    Bounds: TypeAlias = tuple[float, float, float, float]

Points: TypeAlias = tuple[tuple[float, float], ...]

# Positions on an edge are moved by this much, right and down, before a polygon is asked: less than
# any tracker or mouse resolves, more than the rounding of doubles. The two differ so that no edge
# that anybody draws runs along the move.
_RIGHT_PX = 2.0**-20
_DOWN_PX = 0.6180339887 * _RIGHT_PX
_LEAST_CORNERS = 3
MAX_PX = 1e7  # no image is as wide, and squares of its pixels can be added up


@dataclass(frozen=True, kw_only=True)
class Rectangle:
    """A rectangle with sides along the axes.

    Parameters
    ----------
    x_px, y_px : float
        Left and top edge, which belong to it, in pixels.
    width_px, height_px : float
        Lengths of its sides in pixels, more than 0.
    """

    x_px: float
    y_px: float
    width_px: float
    height_px: float

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom edge, in pixels."""
        return self.x_px, self.y_px, self.x_px + self.width_px, self.y_px + self.height_px

    @property
    def area_px2(self) -> float:
        """Its area in square pixels."""
        return self.width_px * self.height_px

    def problem(self) -> str:
        """Say in a few words what is wrong with it; empty where nothing is."""
        return _problem_of_lengths(self.bounds, self.width_px, self.height_px)

    def inside(self, x: Floats, y: Floats, margin_px: float = 0.0) -> Flags:
        """Return which positions lie in it, or at most a margin away; see `Shape`."""
        left, top, right, bottom = self.bounds
        if margin_px == 0:
            flags: Flags = (x >= left) & (x < right) & (y >= top) & (y < bottom)
            return flags
        away_x = np.maximum(np.maximum(left - x, x - right), 0.0)
        away_y = np.maximum(np.maximum(top - y, y - bottom), 0.0)
        near: Flags = np.hypot(away_x, away_y) <= margin_px
        return near


@dataclass(frozen=True, kw_only=True)
class Ellipse:
    """An ellipse, turned as an image shows it.

    Parameters
    ----------
    x_px, y_px : float
        Where its centre lies, in pixels.
    radius_x_px, radius_y_px : float
        Half of its axes in pixels, more than 0.
    rotation_deg : float
        By how many degrees it is turned clockwise.
    """

    x_px: float
    y_px: float
    radius_x_px: float
    radius_y_px: float
    rotation_deg: float = 0.0

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom edge, in pixels."""
        turned = radians(self.rotation_deg)
        half_width = float(np.hypot(self.radius_x_px * cos(turned), self.radius_y_px * sin(turned)))
        half_height = float(
            np.hypot(self.radius_x_px * sin(turned), self.radius_y_px * cos(turned))
        )
        return (
            self.x_px - half_width,
            self.y_px - half_height,
            self.x_px + half_width,
            self.y_px + half_height,
        )

    @property
    def area_px2(self) -> float:
        """Its area in square pixels."""
        return pi * self.radius_x_px * self.radius_y_px

    def problem(self) -> str:
        """Say in a few words what is wrong with it; empty where nothing is."""
        numbers = (self.x_px, self.y_px, self.rotation_deg)
        return _problem_of_lengths(numbers, 2 * self.radius_x_px, 2 * self.radius_y_px)

    def inside(self, x: Floats, y: Floats, margin_px: float = 0.0) -> Flags:
        """Return which positions lie in it; a margin makes both radii longer; see `Shape`."""
        turned = radians(self.rotation_deg)
        right = x - self.x_px
        down = y - self.y_px
        along = (right * cos(turned) + down * sin(turned)) / (self.radius_x_px + margin_px)
        across = (down * cos(turned) - right * sin(turned)) / (self.radius_y_px + margin_px)
        flags: Flags = along**2 + across**2 < 1.0
        return flags


@dataclass(frozen=True, kw_only=True)
class Polygon:
    """A polygon, which may have holes.

    Parameters
    ----------
    points_px : tuple of (float, float)
        Its corners in pixels, in order; the last is joined with the first.
    holes_px : tuple of tuples of (float, float)
        Polygons within it that do not belong to it.
    """

    points_px: Points
    holes_px: tuple[Points, ...] = ()

    @cached_property
    def _geometry(self) -> Any:
        import shapely  # a polygon is asked by those alone who have one

        found = shapely.Polygon(self.points_px, self.holes_px)
        shapely.prepare(found)
        return found

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom edge, in pixels."""
        corners = np.array(self.points_px)
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def area_px2(self) -> float:
        """Its area in square pixels, without holes."""
        return float(self._geometry.area)

    def problem(self) -> str:
        """Say in a few words what is wrong with it, and where; empty where nothing is."""
        from shapely import is_valid
        from shapely.validation import explain_validity

        for points in (self.points_px, *self.holes_px):
            if not all(map(_is_place, np.ravel(points).tolist())):
                return "has a corner that is no place on an image"
            if len(set(points)) < _LEAST_CORNERS:
                return f"is a polygon of {len(set(points))} corners"
        if is_valid(self._geometry):
            return ""
        # Such as "Self-intersection[50 50]".
        reason, _, place = str(explain_validity(self._geometry)).rstrip("]").partition("[")
        crosses = "has edges that cross" if "intersection" in reason else f"is invalid ({reason})"
        return f"{crosses} at ({', '.join(place.split())})"

    def inside(self, x: Floats, y: Floats, margin_px: float = 0.0) -> Flags:
        """Return which positions lie in it, or at most a margin away; see `Shape`."""
        import shapely

        flags = np.zeros(len(x), np.bool_)
        known = np.isfinite(x) & np.isfinite(y)
        at_x = x[known]
        at_y = y[known]
        found = shapely.contains_xy(self._geometry, at_x + _RIGHT_PX, at_y + _DOWN_PX)
        if margin_px > 0:
            found = found | shapely.dwithin(self._geometry, shapely.points(at_x, at_y), margin_px)
        flags[known] = found
        return flags


@dataclass(frozen=True, kw_only=True)
class Label:
    """The pixels of an image of labels that have one value, or those of a mask.

    Parameters
    ----------
    image : ImageRef
        The image of labels; it is read when it is needed.
    size : (int, int)
        Width and height of the image in pixels.
    value : int, optional
        The label; without, the image is a mask, and what it shows as foreground is meant.
    """

    image: ImageRef
    size: tuple[int, int]
    value: int | None = None

    @property
    def bounds(self) -> Bounds:
        """Left, top, right and bottom edge of the whole image, in pixels."""
        return 0.0, 0.0, float(self.size[0]), float(self.size[1])

    @property
    def area_px2(self) -> float:
        """How many of the pixels belong to it."""
        return float(np.count_nonzero(self.pixels()))

    def problem(self) -> str:
        """Say in a few words what is wrong with it: nothing, until it is read."""
        return ""

    def pixels(self) -> npt.NDArray[np.bool_]:
        """Return which pixels belong to it, as booleans [H, W].

        Raises
        ------
        InputError
            The file is damaged or no image of labels.
        DataError
            A mask holds labels in place of gray values.
        """
        if self.value is None:
            return read_pixels(self.image)
        return np.asarray(read_labels(self.image) == self.value, np.bool_)

    def near(self, margin_px: float) -> npt.NDArray[np.bool_]:
        """Return which pixels belong to it or are near, wider by the margin on each side."""
        return _near(self, margin_px, stamp_of(self.image)) if margin_px > 0 else self.pixels()

    def inside(self, x: Floats, y: Floats, margin_px: float = 0.0) -> Flags:
        """Return which positions lie on such a pixel, or at most a margin away; see `Shape`."""
        pixels = self.near(margin_px)
        # What lies beyond the image, and its margin, is nowhere.
        beyond = ceil(margin_px)
        height, width = pixels.shape
        with np.errstate(invalid="ignore"):
            column = np.floor(x) + beyond
            row = np.floor(y) + beyond
        on_it = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        flags = np.zeros(len(x), np.bool_)
        flags[on_it] = pixels[row[on_it].astype(np.intp), column[on_it].astype(np.intp)]
        return flags


# Growing takes a while, and one area is asked for its hits and then for its reach.
@lru_cache(maxsize=1)
def _near(label: Label, margin_px: float, stamp: tuple[int, int]) -> Flags:  # noqa: ARG001
    return grown(label.pixels(), margin_px)


@dataclass(frozen=True, kw_only=True)
class Unseen:
    """A shape that nobody tells: which fixations lay in it is known otherwise."""

    @property
    def bounds(self) -> Bounds:
        """Nothing is known of its edges."""
        return nan, nan, nan, nan

    @property
    def area_px2(self) -> float:
        """Nothing is known of its area."""
        return nan

    def problem(self) -> str:
        """Say in a few words what is wrong with it: nothing."""
        return ""

    def inside(self, x: Floats, y: Floats, margin_px: float = 0.0) -> Flags:
        """Refuse to say which positions lie in it, unless there are none."""
        if len(x) or len(y) or margin_px:
            raise ConfigError("an area whose shape is not known", hint="give shapes: --aois FILE")
        return np.zeros(0, np.bool_)


# What every shape has: ``bounds``, ``area_px2``, ``problem()``, and ``inside(x, y, margin_px)``,
# which takes positions in pixels, arrays of shape (N,), of which those that are no numbers lie in
# no shape, and a margin in pixels, 0 or more; it returns an array of bool of shape (N,).
Shape: TypeAlias = Rectangle | Ellipse | Polygon | Label | Unseen


def turned(shape: Rectangle, rotation_deg: float) -> Rectangle | Polygon:
    """Return a rectangle turned clockwise around its centre.

    Parameters
    ----------
    shape : Rectangle
        The rectangle as it is before.
    rotation_deg : float
        By how many degrees it is turned; by none, it stays a rectangle.
    """
    if rotation_deg == 0:
        return shape
    left, top, right, bottom = shape.bounds
    middle_x = (left + right) / 2
    middle_y = (top + bottom) / 2
    # Without end there is no angle: the corners are no numbers either, which `problem` says.
    angle = radians(rotation_deg) if isfinite(rotation_deg) else nan
    cosine = cos(angle)
    sine = sin(angle)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    moved = []
    for x, y in corners:
        away_x = x - middle_x
        away_y = y - middle_y
        moved.append(
            (
                middle_x + away_x * cosine - away_y * sine,
                middle_y + away_x * sine + away_y * cosine,
            )
        )
    return Polygon(points_px=tuple(moved))


def _is_place(coordinate: float) -> bool:
    return isfinite(coordinate) and abs(coordinate) <= MAX_PX


def _problem_of_lengths(numbers: tuple[float, ...], width_px: float, height_px: float) -> str:
    if not all(map(_is_place, (*numbers, width_px, height_px))):
        return "has a coordinate that is no place on an image"
    if width_px <= 0 or height_px <= 0:
        return f"is {width_px:g} px wide and {height_px:g} px high"
    return ""
