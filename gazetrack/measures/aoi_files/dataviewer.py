"""Interest areas of EyeLink Data Viewer: an ``.ias`` file, called after the stimulus.

A line is an area, in pixels of the screen, as in the manual's "Protocol for EyeLink Data to Viewer
Integration":

    RECTANGLE <id> <left> <top> <right> <bottom> [label]
    ELLIPSE <id> <left> <top> <right> <bottom> [label]
    FREEHAND <id> <x>,<y> <x>,<y> ... [label]

Without a label an area is called by its id. In front, a dynamic area has its start and end in
milliseconds, from the start of the trial; the manual writes them with a minus.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from gazetrack.errors import InputError, ParseError, quote
from gazetrack.measures.aoi_files.own import by_name
from gazetrack.measures.aois import AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.measures.shapes import Shape

_NUMBER = r"-?\d+(?:\.\d+)?"
_LINE = re.compile(
    rf"(?:(?P<start>{_NUMBER})\s+(?P<end>{_NUMBER})\s+)?"
    r"(?P<shape>RECTANGLE|ELLIPSE|FREEHAND)\s+(?P<id>\d+)\s+(?P<rest>.*)",
    re.ASCII,
)
_BOX = re.compile(rf"({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})(?:\s+(.*))?", re.ASCII)
_CORNERS = re.compile(rf"((?:{_NUMBER},\s?{_NUMBER}\s*)+)(.*)", re.ASCII)
_CORNER = re.compile(rf"({_NUMBER}),\s?({_NUMBER})", re.ASCII)
_MAX_BYTES = 64 * 1024**2


def is_line(text: str) -> bool:
    """Whether a line of a file is an area of such a kind."""
    return _LINE.fullmatch(text.strip()) is not None


def aois_of(path: Path) -> AoiSet:
    """Return the areas of an ``.ias`` file.

    Parameters
    ----------
    path : pathlib.Path
        The file, whose name is that of the stimulus.

    Raises
    ------
    InputError
        It cannot be read, or has more than 64 MB.
    ParseError
        A line is no area.
    DataError
        An area cannot be, see `AoiSet`.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"has more than {_MAX_BYTES:,} bytes", path=path, hint="split it")
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read", path=path, hint="store it as text, UTF-8") from error
    parts = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        one = None if found is None else _area(found)
        if one is None:
            what = f"is no interest area: {quote(line.strip(), 60)!r}"
            hint = "write RECTANGLE id left top right bottom label"
            raise ParseError(what, path=path, line=number, hint=hint)
        parts.append(one)
    stimulus = StimulusAois(stimulus=path.stem, aois=by_name(parts))
    return AoiSet(stimuli=(stimulus,), space="screen")


def _area(found: re.Match[str]) -> tuple[str, Part] | None:
    """Return the name and the shape of a line; None where it has no such numbers."""
    shaped = _freehand(found["rest"]) if found["shape"] == "FREEHAND" else _in_box(found)
    if shaped is None:
        return None
    shape, label = shaped
    if found["start"] is None:
        onset, offset = -math.inf, math.inf
    else:
        onset, offset = (abs(float(found[name])) for name in ("start", "end"))
    name = label.strip() or found["id"]
    return name, Part(shape=shape, onset_ms=onset, offset_ms=offset)


def _in_box(found: re.Match[str]) -> tuple[Shape, str] | None:
    box = _BOX.fullmatch(found["rest"].strip())
    if box is None:
        return None
    left, top, right, bottom = (float(box[number]) for number in range(1, 5))
    label = box[5] or ""
    if found["shape"] == "RECTANGLE":
        size = {"width_px": right - left, "height_px": bottom - top}
        return Rectangle(x_px=left, y_px=top, **size), label
    middle = {"x_px": (left + right) / 2, "y_px": (top + bottom) / 2}
    radii = {"radius_x_px": (right - left) / 2, "radius_y_px": (bottom - top) / 2}
    return Ellipse(**middle, **radii), label


def _freehand(rest: str) -> tuple[Shape, str] | None:
    found = _CORNERS.fullmatch(rest.strip())
    if found is None:
        return None
    points = tuple((float(x), float(y)) for x, y in _CORNER.findall(found[1]))
    return Polygon(points_px=points), found[2]
