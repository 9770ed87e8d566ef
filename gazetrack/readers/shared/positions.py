"""Positions in the unit and from the origin that a user states, to screen pixels with the origin top left and y down.

The stated settings are plain texts, as they stand among the columns:
``unit=norm,origin=bottom_left,y_axis=up``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.errors import ConfigError, ParseError, quote
from gazetrack.tables.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]

ORIGINS = ("top_left", "bottom_left", "centre")
# What a unit of 1 is. Those marked so are counted from the middle of the screen, wherever they are
# in use.
UNITS = {
    "px": "a pixel",
    "norm": "the width and the height of the screen (0 to 1)",
    "norm1": "half of these, from the centre (-1 to 1: the norm of PsychoPy)",
    "norm0.5": "the width and the height, from the centre (-0.5 to 0.5)",
    "height": "the height of the screen, from the centre (PsychoPy)",
    "mm": "a millimetre",
    "cm": "a centimetre",
    "deg": "a degree of visual angle, from the centre",
    "deg_flat": "what a degree is in the centre of the screen (the deg of PsychoPy)",
}
_FROM_CENTRE = {"norm1", "norm0.5", "height", "deg", "deg_flat"}
_FRACTIONS = {"norm", "norm1", "norm0.5"}
_NEED_LENGTHS = {"mm", "cm", "deg", "deg_flat"}
_SPELLINGS = {
    "pix": "px",
    "pixel": "px",
    "pixels": "px",
    "degrees": "deg",
    "normalized": "norm",
    "normalised": "norm",
}
_OF_A_NAME = re.compile(
    r"(?:[\[(]\s*|[_ ])(px|pix|pixels?|norm|normali[sz]ed|deg|degrees|mm|cm)\s*[\])]?$",
    re.IGNORECASE,
)

NOMINAL = Screen(1920, 1080)
# Pixels of a screen spread wider; fractions of it, also those of PsychoPy, do not, nor do degrees
# and centimetres.
_LARGEST_FRACTION, _LARGEST_ANGLE = 1.5, 90.0
_NEARLY_ALL, _MANY = 0.95, 0.2


@dataclass(frozen=True, kw_only=True)
class Axes:
    """How positions are counted.

    Parameters
    ----------
    unit : str
        A key of `UNITS`.
    origin : str
        One of `ORIGINS`.
    y_up : bool
        Whether y grows upwards.
    stated : bool
        Whether the user, or the name of a column, says the unit.
    """

    unit: str = "px"
    origin: str = "top_left"
    y_up: bool = False
    stated: bool = False

    @property
    def plain(self) -> bool:
        """Whether the positions are our own kind already."""
        return (self.unit, self.origin, self.y_up) == ("px", "top_left", False)

    @property
    def fractions(self) -> bool:
        """Whether positions are fractions of the screen's width and height."""
        return self.unit in _FRACTIONS


class Frame(NamedTuple):
    """What positions lie on: a size in pixels, also one per row, and the screen where lengths are needed."""

    width: float | Floats
    height: float | Floats
    screen: Screen


def axes_of(settings: Mapping[str, str], path: Path) -> Axes:
    """Return how positions are counted by the settings ``unit``, ``origin`` and ``y_axis``.

    Raises
    ------
    ConfigError
        An unknown value, or values that contradict each other or leave the direction of y open.
    """
    unit = settings.get("unit", "px").strip().lower()
    unit = _SPELLINGS.get(unit, unit)
    if unit not in UNITS:
        raise ConfigError(
            f"unit {quote(unit)!r} of positions", path=path, hint=f"use one of {', '.join(UNITS)}"
        )
    origin = settings.get("origin", "centre" if unit in _FROM_CENTRE else "top_left")
    origin = origin.strip().lower().replace("-", "_").replace("center", "centre")
    if origin not in ORIGINS:
        raise ConfigError(
            f"origin {quote(origin)!r}", path=path, hint=f"use one of {', '.join(ORIGINS)}"
        )
    if unit in _FROM_CENTRE and origin != "centre":
        what = f"unit={unit} counts from the centre of the screen, not from origin={origin}"
        raise ConfigError(what, path=path, hint="leave origin out, or use px, norm, mm or cm")
    if unit == "norm" and origin == "centre":
        hint = "unit=norm1 where the edges are at -1 and 1 (PsychoPy), unit=norm0.5 where they are at -0.5 and 0.5"
        raise ConfigError(
            "unit=norm counts from a corner, not from the centre", path=path, hint=hint
        )
    stated = "unit" in settings or "origin" in settings
    return Axes(
        unit=unit,
        origin=origin,
        y_up=_y_up(settings.get("y_axis"), unit, origin, path),
        stated=stated,
    )


def _y_up(stated: str | None, unit: str, origin: str, path: Path) -> bool:
    """Return whether y grows upwards: away from a corner it can only grow into the screen."""
    of_origin = {"top_left": "down", "bottom_left": "up"}.get(origin)
    if of_origin is None and unit in {"norm1", "height", "deg_flat"}:
        of_origin = stated or "up"  # PsychoPy's own units
    if stated is None:
        if of_origin is None:
            what = f"unit={unit} from the centre of the screen: does y grow upwards or downwards?"
            raise ConfigError(what, path=path, hint="add y_axis=up or y_axis=down to --columns")
        return of_origin == "up"
    if stated not in ("up", "down"):
        raise ConfigError(f"y_axis {quote(stated)!r}", path=path, hint="use up or down")
    if of_origin is not None and stated != of_origin:
        what = f"y_axis={stated} leads out of the screen from origin={origin}"
        raise ConfigError(what, path=path, hint=f"use y_axis={of_origin}, or origin=centre")
    return stated == "up"


def unit_of_name(name: str) -> str | None:
    """Return the unit that a column's name ends with, as ``Gaze X [px]`` or ``gaze_x_deg`` do, or None."""
    found = _OF_A_NAME.search(name)
    if found is None:
        return None
    unit = found[1].lower()
    return _SPELLINGS.get(unit, unit)


def frame_of(axes: Axes, screen: Screen | None, path: Path) -> Frame:
    """Return what positions lie on: the user's screen, else for fractions of it a nominal one.

    Raises
    ------
    ConfigError
        The positions mean nothing without a screen, or without its size in mm and its distance.
    """
    if axes.unit in _NEED_LENGTHS and (screen is None or screen.width_mm is None):
        what = f"positions in {axes.unit} need the size of the screen"
        raise ConfigError(what, path=path, hint="give it, as in --screen 1920x1080,531x299mm,650mm")
    if axes.unit in {"deg", "deg_flat"} and (screen is None or screen.distance_mm is None):
        what = f"positions in {axes.unit} need the distance of the screen"
        raise ConfigError(what, path=path, hint="give it, as in --screen 1920x1080,531x299mm,650mm")
    if screen is None and not axes.fractions and not axes.plain:
        what = f"positions in {axes.unit} with origin={axes.origin} need the size of the screen in pixels"
        raise ConfigError(what, path=path, hint="give it, as in --screen 1920x1080")
    screen = screen or NOMINAL
    return Frame(screen.width_px, screen.height_px, screen)


def to_px(axes: Axes, x: Floats, y: Floats, frame: Frame) -> tuple[Floats, Floats]:
    """Return positions in pixels, origin top left, y down.

    Parameters
    ----------
    axes : Axes
        How `x` and `y` are counted.
    x, y : ndarray of float, shape (n,)
        As the export has them.
    frame : Frame
        What they lie on.
    """
    if axes.plain:
        return x, y
    down = -y if axes.y_up else y
    if axes.unit == "deg":
        right_px, down_px = frame.screen.pixels(x, down)
        return right_px.astype(x.dtype), down_px.astype(y.dtype)
    wide, high = _px_per_unit(axes.unit, frame)
    left, top = {
        "top_left": (0.0, 0.0),
        "bottom_left": (0.0, frame.height),
        "centre": (frame.width / 2, frame.height / 2),
    }[axes.origin]
    return (left + x * wide).astype(x.dtype), (top + down * high).astype(y.dtype)


def _px_per_unit(unit: str, frame: Frame) -> tuple[float | Floats, float | Floats]:
    width, height, screen = frame
    if unit in ("norm", "norm0.5"):
        return width, height
    if unit == "norm1":
        return width / 2, height / 2
    if unit == "height":
        return height, height
    if unit == "px" or screen.width_mm is None:
        return 1.0, 1.0
    px_per_mm = screen.width_px / screen.width_mm
    px_per_mm_down = px_per_mm if screen.height_mm is None else screen.height_px / screen.height_mm
    mm = {"mm": 1.0, "cm": 10.0}.get(unit)
    if mm is None:  # deg_flat
        mm = float(np.tan(np.radians(1.0))) * (screen.distance_mm or np.nan)
    return mm * px_per_mm, mm * px_per_mm_down


def without_marks_of_loss(axes: Axes, x: Floats, y: Floats) -> tuple[Floats, Floats, int]:
    """Return positions without those that trackers write for lost gaze, (-1, -1) and (0, 0), and how many these were.

    From the centre of the screen (0, 0) and (-1, -1) are gaze as any other, and stay.
    """
    if axes.origin == "centre":
        return x, y, 0
    lost = ((x == -1) & (y == -1)) | ((x == 0) & (y == 0))
    if not (count := int(np.count_nonzero(lost))):
        return x, y, 0
    nan = x.dtype.type(np.nan)
    return np.where(lost, nan, x), np.where(lost, nan, y), count


def refuse_other_units(x: Floats, y: Floats, path: Path, named: bool) -> None:
    """Refuse positions that nobody gave a unit and that cannot be pixels: no screen is as small.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        As the export has them.
    path : Path
        The export.
    named : bool
        Whether the user names columns, among which the unit then has to stand.

    Raises
    ------
    ParseError
        Nearly all lie within what fractions of a screen, or degrees from its centre, can be.
    """
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return
    reach = np.maximum(np.abs(x[known]), np.abs(y[known]))
    option = "--columns …," if named else "--columns "
    negative = float(np.mean((x[known] < 0) | (y[known] < 0)))
    if np.mean(reach <= _LARGEST_FRACTION) >= _NEARLY_ALL:
        if negative > _MANY:
            what = "positions lie within -1…1, which is no pixels: fractions of the screen from its centre?"
            hint = f"name the unit: {option}unit=norm1 (PsychoPy's norm), unit=height, or unit=px if they are pixels"
        else:
            what = "positions lie within 0…1, which is no pixels: fractions of the screen?"
            hint = f"name the unit: {option}unit=norm with --screen WIDTHxHEIGHT, or unit=px if they are pixels"
        raise ParseError(what, path=path, hint=hint)
    if negative > _MANY and np.mean(reach <= _LARGEST_ANGLE) >= _NEARLY_ALL:
        what = "positions lie close around 0: degrees or lengths from the centre of the screen?"
        hint = f"name the unit: {option}unit=deg,y_axis=up with --screen, or unit=px,origin=centre,y_axis=up"
        raise ParseError(what, path=path, hint=hint)
