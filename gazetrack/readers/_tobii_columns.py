"""Tobii Pro Lab and Tobii Studio 3: the names of the columns in all dialects of the header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gazetrack.errors import ParseError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gazetrack.readers._tables import Header, Kind

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAME = re.compile(r"(.*?)\s*(?:[\[(]([^\])]*)[\])])?")
# Our key to the names it goes by, lower case and without unit, in the order of preference.
_TEXTS = {
    "sensor": ("sensor",),
    "event": ("event", "studio event"),
    "event_value": ("event value", "studio event data"),
    "participant": ("participant name", "participant"),
    "recording": ("recording name", "recording"),
    "timeline": ("timeline name", "timeline"),
    "stimulus": ("presented stimulus name", "media name"),
    "media": ("presented media name",),
    "filter": ("recording fixation filter name", "fixation filter"),
    "software": ("recording software version", "studio version rec"),
    "validity_left": ("validity left",),
    "validity_right": ("validity right",),
    "event_type": ("eye movement type", "gaze event type"),
    "resolution": ("recording resolution",),
}
_PIXELS = {
    "x": "gaze point x",
    "y": "gaze point y",
    "left_x": "gaze point left x",
    "left_y": "gaze point left y",
    "right_x": "gaze point right x",
    "right_y": "gaze point right y",
    "fixation_x": "fixation point x",
    "fixation_y": "fixation point y",
    "screen_width": "recording resolution width",
    "screen_height": "recording resolution height",
    "media_width": "presented media width",
    "media_height": "presented media height",
    "media_x": "presented media position x",
    "media_y": "presented media position y",
    "image_width": "original media width",
    "image_height": "original media height",
}
_OTHERS = {
    "left_pupil": ("pupil diameter left", "pupil left"),
    "right_pupil": ("pupil diameter right", "pupil right"),
    "duration": ("eye movement event duration", "gaze event duration"),
    "event_index": ("eye movement type index",),
    "fixation_index": ("fixation index",),
    "saccade_index": ("saccade index",),
    "gaze_index": ("gaze point index",),
}
_MICRO = {"us", "µs", "μs"}
_TIMESTAMP = "recording timestamp"


def _split(name: str) -> tuple[str, str]:
    """Return name and unit in lower case; Studio 3 writes ``GazePointX (ADCSpx)``."""
    match = _NAME.fullmatch(name)
    base, unit = (match[1], match[2] or "") if match else (name, "")
    words = base if " " in base else _WORDS.sub(" ", base)
    return words.lower(), unit.lower()


def has_timestamp(names: Iterable[str]) -> bool:
    """Return whether there is a recording timestamp, which metrics exports do not have."""
    return any(_split(name)[0] == _TIMESTAMP for name in names)


def time_unit(name: str) -> str:
    """Return ``ms``, ``us``, or nothing when the header of the timestamp does not say."""
    unit = _split(name)[1]
    return "us" if unit in _MICRO else "ms" if unit == "ms" else ""


def find_columns(header: Header, path: Path) -> dict[str, tuple[int, Kind]]:
    """Return position and kind of every column the reader uses.

    Raises
    ------
    ParseError
        One of them is there twice.
    """
    known: dict[str, tuple[str, Kind]] = {_TIMESTAMP: ("t", "float64")}
    known |= {name: (key, "text") for key, names in _TEXTS.items() for name in names}
    known |= {name: (key, "float32") for key, names in _OTHERS.items() for name in names}
    pixels = {name: key for key, name in _PIXELS.items()}
    found: dict[str, tuple[int, Kind]] = {}
    for at, full in enumerate(header.names):
        base, unit = _split(full)
        if base in pixels and (not unit or (unit.endswith("px") and not unit.startswith("mcs"))):
            known_as: tuple[str, Kind] = pixels[base], "float32"
        elif base in known:
            known_as = known[base]
        else:
            continue
        key, kind = known_as
        if key in found:
            hint = "export the column once"
            what = f"columns {quote(header.names[found[key][0]], 40)!r} and {quote(full, 40)!r} are the same"
            raise ParseError(what, path=path, line=header.lines, column=at + 1, hint=hint)
        found[key] = at, kind
    return found
