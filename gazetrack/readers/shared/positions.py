"""Positions in the unit and from the origin that a user states, to screen pixels.

These have their origin top left, with y down.

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
_NEED_DISTANCE = {"deg", "deg_flat"}
_UP_IN_PSYCHOPY = {"norm1", "height", "deg_flat"}
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
_LARGEST_FRACTION = 1.5
_LARGEST_ANGLE = 90.0
_NEARLY_ALL = 0.95
_MANY = 0.2
_GIVE_LENGTHS = "give it, as in --screen 1920x1080,531x299mm,650mm"


@dataclass(frozen=True, kw_only=True)
class Axes:
    """How positions are counted.

    Parameters
    ----------
    unit : str
        What a difference of 1 is: a key of `UNITS`.
    origin : str
        Where on the screen (0, 0) is: one of `ORIGINS`.
    y_up : bool
        Whether y grows upwards, not down the screen.
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
    """What positions lie on: a size in pixels, also one per row, and the screen for lengths."""

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
    unit = _unit_of(settings, path)
    origin = _origin_of(settings, unit, path)
    if unit in _FROM_CENTRE and origin != "centre":
        what = f"unit={unit} counts from the centre of the screen, not from origin={origin}"
        raise ConfigError(what, path=path, hint="leave origin out, or use px, norm, mm or cm")
    if unit == "norm" and origin == "centre":
        what = "unit=norm counts from a corner, not from the centre"
        hint = (
            "unit=norm1 where the edges are at -1 and 1 (PsychoPy), "
            "unit=norm0.5 where they are at -0.5 and 0.5"
        )
        raise ConfigError(what, path=path, hint=hint)
    y_up = _y_up(settings.get("y_axis"), unit, origin, path)
    stated = "unit" in settings or "origin" in settings
    return Axes(unit=unit, origin=origin, y_up=y_up, stated=stated)


def _unit_of(settings: Mapping[str, str], path: Path) -> str:
    unit = settings.get("unit", "px").strip().lower()
    unit = _SPELLINGS.get(unit, unit)
    if unit not in UNITS:
        hint = f"use one of {', '.join(UNITS)}"
        raise ConfigError(f"unit {quote(unit)!r} of positions", path=path, hint=hint)
    return unit


def _origin_of(settings: Mapping[str, str], unit: str, path: Path) -> str:
    usual = "centre" if unit in _FROM_CENTRE else "top_left"
    origin = settings.get("origin", usual)
    origin = origin.strip().lower().replace("-", "_").replace("center", "centre")
    if origin not in ORIGINS:
        hint = f"use one of {', '.join(ORIGINS)}"
        raise ConfigError(f"origin {quote(origin)!r}", path=path, hint=hint)
    return origin


def _y_up(stated: str | None, unit: str, origin: str, path: Path) -> bool:
    """Return whether y grows upwards.

    Away from a corner it can only grow into the screen; from the centre, the unit or the user says.

    Parameters
    ----------
    stated : str or None
        What the user says: up or down, if anything.
    unit, origin : str
        A key of `UNITS`, and one of `ORIGINS`.
    path : pathlib.Path
        The file, for the error.
    """
    into_screen = {"top_left": "down", "bottom_left": "up"}.get(origin)
    if stated is None:
        if into_screen is None and unit in _UP_IN_PSYCHOPY:
            return True
        if into_screen is None:
            what = f"unit={unit} from the centre of the screen: does y grow upwards or downwards?"
            raise ConfigError(what, path=path, hint="add y_axis=up or y_axis=down to --columns")
        return into_screen == "up"
    if stated not in ("up", "down"):
        raise ConfigError(f"y_axis {quote(stated)!r}", path=path, hint="use up or down")
    if into_screen is not None and stated != into_screen:
        what = f"y_axis={stated} leads out of the screen from origin={origin}"
        raise ConfigError(what, path=path, hint=f"use y_axis={into_screen}, or origin=centre")
    return stated == "up"


def unit_of_name(name: str) -> str | None:
    """Return the unit that a column's name ends with, or None.

    So do ``Gaze X [px]`` and ``gaze_x_deg``.
    """
    found = _OF_A_NAME.search(name)
    if found is None:
        return None
    unit = found[1].lower()
    return _SPELLINGS.get(unit, unit)


def frame_of(axes: Axes, screen: Screen | None, path: Path) -> Frame:
    """Return what positions lie on: the user's screen, else for fractions of it a nominal one.

    Parameters
    ----------
    axes : Axes
        How the positions are counted.
    screen : Screen or None
        The screen that the user states, if any.
    path : pathlib.Path
        The file, for the error.

    Raises
    ------
    ConfigError
        The positions mean nothing without a screen, or without its size in mm and its distance.
    """
    if axes.unit in _NEED_LENGTHS and (screen is None or screen.width_mm is None):
        what = f"positions in {axes.unit} need the size of the screen"
        raise ConfigError(what, path=path, hint=_GIVE_LENGTHS)
    if axes.unit in _NEED_DISTANCE and (screen is None or screen.distance_mm is None):
        what = f"positions in {axes.unit} need the distance of the screen"
        raise ConfigError(what, path=path, hint=_GIVE_LENGTHS)
    if screen is None and not axes.fractions and not axes.plain:
        what = (
            f"positions in {axes.unit} with origin={axes.origin} "
            "need the size of the screen in pixels"
        )
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
        Positions in the unit and from the origin of `axes`, as the export has them.
    frame : Frame
        The screen or the image that they lie on.

    Returns
    -------
    x, y : ndarray of float, shape (n,)
        Positions in pixels, of the type of the given ones.
    """
    if axes.plain:
        return x, y
    down = -y if axes.y_up else y
    if axes.unit == "deg":
        # Not proportional: a degree is wider at the edge of a flat screen than in its middle.
        x_px, y_px = frame.screen.pixels(x, down)
        return x_px.astype(x.dtype), y_px.astype(y.dtype)
    px_wide, px_high = _px_per_unit(axes.unit, frame)
    left, top = _origin_px(axes.origin, frame)
    return (left + x * px_wide).astype(x.dtype), (top + down * px_high).astype(y.dtype)


def _origin_px(origin: str, frame: Frame) -> tuple[float | Floats, float | Floats]:
    """Return where an origin lies from the top left, in pixels."""
    if origin == "top_left":
        return 0.0, 0.0
    if origin == "bottom_left":
        return 0.0, frame.height
    return frame.width / 2, frame.height / 2


def _px_per_unit(unit: str, frame: Frame) -> tuple[float | Floats, float | Floats]:
    """Return how many pixels a unit is to the right and downwards."""
    width, height, screen = frame
    if unit in ("norm", "norm0.5"):
        return width, height
    if unit == "norm1":
        return width / 2, height / 2
    if unit == "height":
        return height, height
    if unit == "px" or screen.width_mm is None:
        return 1.0, 1.0
    if unit == "mm":
        mm = 1.0
    elif unit == "cm":
        mm = 10.0
    else:  # deg_flat: a degree straight ahead, taken for one everywhere
        mm = float(np.tan(np.radians(1.0))) * (screen.distance_mm or np.nan)
    px_per_mm = screen.width_px / screen.width_mm
    # Without a height of the screen, pixels are taken for squares.
    px_per_mm_down = px_per_mm if screen.height_mm is None else screen.height_px / screen.height_mm
    return mm * px_per_mm, mm * px_per_mm_down


def without_marks_of_loss(axes: Axes, x: Floats, y: Floats) -> tuple[Floats, Floats, int]:
    """Return positions without those that trackers write for lost gaze, and how many these were.

    They are (-1, -1) and (0, 0). From the centre of the screen both are gaze as any other, and
    stay.
    """
    if axes.origin == "centre":
        return x, y, 0
    is_minus_one = (x == -1) & (y == -1)
    is_zero = (x == 0) & (y == 0)
    is_lost = is_minus_one | is_zero
    n_lost = int(np.count_nonzero(is_lost))
    if not n_lost:
        return x, y, 0
    nan = x.dtype.type(np.nan)
    return np.where(is_lost, nan, x), np.where(is_lost, nan, y), n_lost


class Reach:
    """How far positions reach that nobody gave a unit, as they are read part by part."""

    def __init__(self) -> None:
        self._n_known = 0
        self._n_fractions = 0
        self._n_angles = 0
        self._n_negative = 0

    def take(self, x: Floats, y: Floats) -> None:
        """Take some positions, as the export has them."""
        known = np.isfinite(x) & np.isfinite(y)
        reach = np.maximum(np.abs(x[known]), np.abs(y[known]))
        self._n_known += int(np.count_nonzero(known))
        self._n_fractions += int(np.count_nonzero(reach <= _LARGEST_FRACTION))
        self._n_angles += int(np.count_nonzero(reach <= _LARGEST_ANGLE))
        self._n_negative += int(np.count_nonzero((x[known] < 0) | (y[known] < 0)))

    def refuse(self, path: Path, named: bool) -> None:
        """Refuse positions that cannot be pixels: no screen is as small.

        Parameters
        ----------
        path : pathlib.Path
            The file, for the error.
        named : bool
            Whether the user names columns, among which the unit then has to stand.

        Raises
        ------
        ParseError
            Nearly all lie within what fractions of a screen, or degrees from its centre, can be.
        """
        if not self._n_known:
            return
        are_fractions = self._n_fractions / self._n_known >= _NEARLY_ALL
        are_angles = self._n_angles / self._n_known >= _NEARLY_ALL
        many_negative = self._n_negative / self._n_known > _MANY
        name_it = f"name the unit: {'--columns …,' if named else '--columns '}"
        if are_fractions and many_negative:
            what = (
                "positions lie within -1…1, which is no pixels: "
                "fractions of the screen from its centre?"
            )
            choice = "unit=norm1 (PsychoPy's norm), unit=height, or unit=px if they are pixels"
        elif are_fractions:
            what = "positions lie within 0…1, which is no pixels: fractions of the screen?"
            choice = "unit=norm with --screen WIDTHxHEIGHT, or unit=px if they are pixels"
        elif are_angles and many_negative:
            what = "positions lie close around 0: degrees or lengths from the centre of the screen?"
            choice = "unit=deg,y_axis=up with --screen, or unit=px,origin=centre,y_axis=up"
        else:
            return
        raise ParseError(what, path=path, hint=f"{name_it}{choice}")


def refuse_other_units(x: Floats, y: Floats, path: Path, named: bool) -> None:
    """Refuse positions, all at once, that nobody gave a unit and that cannot be pixels.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        Positions as the export has them.
    path : pathlib.Path
        The file, for the error.
    named : bool
        Whether the user names columns, among which the unit then has to stand.

    Raises
    ------
    ParseError
        As `Reach` does.
    """
    reach = Reach()
    reach.take(x, y)
    reach.refuse(path, named)
