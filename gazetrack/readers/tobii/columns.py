"""Tobii Pro Lab and Tobii Studio 3: the names of the columns in all dialects of the header.

Source: "Tobii Pro Lab User Manual", Tobii AB, "Data Export". ``Gaze point X``, ``Gaze point X
[DACS px]`` (Pro Lab) and ``GazePointX (ADCSpx)`` (Studio 3) are one column.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gazetrack.errors import ParseError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gazetrack.readers.text.header import Header, Kind

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
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
    "video_width": "recording media width",
    "video_height": "recording media height",
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
# What positions may be in: pixels, fractions or millimetres of the screen or of the medium shown.
SCREEN_PX, SCREEN_NORM, SCREEN_MM = "screen px", "screen norm", "screen mm"
MEDIA_PX, MEDIA_NORM = "media px", "media norm"
_UNITS = {
    "": SCREEN_PX,
    "px": SCREEN_PX,
    "dacspx": SCREEN_PX,
    "adcspx": SCREEN_PX,
    "dacsnorm": SCREEN_NORM,
    "adcsnorm": SCREEN_NORM,
    "mcspx": MEDIA_PX,
    "mcsnorm": MEDIA_NORM,
    "dacsmm": SCREEN_MM,
    "adcsmm": SCREEN_MM,
}
_PREFERRED = (SCREEN_PX, SCREEN_NORM, MEDIA_PX, MEDIA_NORM, SCREEN_MM)
_GAZE = {"x", "y", "left_x", "left_y", "right_x", "right_y"}
_FIXATION = {"fixation_x", "fixation_y"}
_ALIASES = {  # of Studio 3
    "media pos x": "media_x",
    "media pos y": "media_y",
    "media width": "media_width",
    "media height": "media_height",
}
TO_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_MICRO = {"us", "µs", "μs"}
_TIMESTAMP = "recording timestamp"


def _split(name: str) -> tuple[str, str]:
    """Return name and unit in lower case; Studio 3 writes ``GazePointX (ADCSpx)``."""
    base, unit = _without_unit(name)
    words = base if " " in base else _WORDS.sub(" ", base)
    return words.lower(), unit.lower()


def _without_unit(name: str) -> tuple[str, str]:
    """Return a name and what stands in brackets at its end, such as ``x`` and ``px``.

    By hand: a pattern takes a quarter of a minute for 20,000 blanks, in files of any kind.
    """
    if not name.endswith(("]", ")")):
        return name.rstrip(), ""
    inner = name[:-1]
    after = max(inner.rfind("]"), inner.rfind(")")) + 1
    begins = [at for at in (inner.find("[", after), inner.find("(", after)) if at >= 0]
    if not begins:
        return name, ""
    begin = min(begins)
    return name[:begin].rstrip(), inner[begin + 1 :]


def has_timestamp(names: Iterable[str]) -> bool:
    """Return whether there is a recording timestamp, which metrics exports do not have."""
    return any(_split(name)[0] == _TIMESTAMP for name in names)


def has_mapped_gaze(names: Iterable[str]) -> bool:
    """Return whether gaze of glasses was mapped to snapshots: ``Mapped gaze data X [Shelf]``."""
    return any(name.lower().startswith("mapped gaze data x") for name in names)


def time_unit(name: str) -> str:
    """Return ``s``, ``ms``, ``us``, or nothing when the header of a time does not say."""
    unit = _split(name)[1]
    if unit in _MICRO:
        return "us"
    return unit if unit in TO_MS else ""


def duration_to_ms(name: str) -> float:
    """Return what to multiply durations by to get milliseconds, NaN for a unit that is none."""
    unit = time_unit(name)
    if unit or not _split(name)[1]:
        return TO_MS[unit or "ms"]
    return float("nan")


def unit_of(name: str) -> str:
    """Return what a column of positions is in, empty for a unit that is none of these."""
    return _UNITS.get(_split(name)[1].replace(" ", ""), "")


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
    positions = {name: key for key, name in _PIXELS.items()} | _ALIASES
    found: dict[str, tuple[int, Kind]] = {}
    of_units: dict[str, dict[str, int]] = {unit: {} for unit in _PREFERRED}
    for at, full in enumerate(header.names):
        base, _ = _split(full)
        unit = unit_of(full)
        if base in positions and unit:
            key = positions[base]
            _refuse_twin(of_units[unit].get(key), at, header, path)
            of_units[unit][key] = at
        elif base in known:
            key, kind = known[base]
            before = found[key][0] if key in found else None
            _refuse_twin(before, at, header, path)
            found[key] = at, kind
    for key, at in _one_unit(of_units).items():
        found[key] = at, "float32"
    return found


def unreadable_gaze(header: Header) -> str:
    """Return a column of gaze points in a unit that is none of these, empty when there is none."""
    bases = {_PIXELS[key] for key in _GAZE}
    return next(
        (name for name in header.names if _split(name)[0] in bases and not unit_of(name)), ""
    )


def _refuse_twin(before: int | None, at: int, header: Header, path: Path) -> None:
    """Raise `ParseError` when a column was there before, under the same or another of its names."""
    if before is None:
        return
    first = quote(header.names[before], 40)
    second = quote(header.names[at], 40)
    what = f"columns {first!r} and {second!r} are the same"
    hint = "export the column once"
    raise ParseError(what, path=path, line=header.lines, column=at + 1, hint=hint)


def _one_unit(of_units: dict[str, dict[str, int]]) -> dict[str, int]:
    """Return the columns of positions, all gaze points in one unit.

    It is the first of `_PREFERRED` that is there, which says most about the screen. Positions of
    fixations come in the same unit, or in pixels of the screen; else the samples tell them.
    """
    on_screen = of_units[SCREEN_PX]
    found = {key: at for key, at in on_screen.items() if key not in _GAZE}
    with_gaze = [unit for unit in _PREFERRED if _GAZE & set(of_units[unit])]
    with_fixations = [unit for unit in _PREFERRED if _FIXATION & set(of_units[unit])]
    own = next(iter(with_gaze + with_fixations), SCREEN_PX)
    for key, at in of_units[own].items():
        if key in _GAZE or key in _FIXATION:
            found.setdefault(key, at)
    return found
