"""Which columns of any table are what: as the user names them, or by names that mean one thing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, did_you_mean, quote
from gazetrack.readers.base import POSITION_SETTINGS
from gazetrack.readers.shared.positions import Axes, axes_of, unit_of_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header

# What a user may name a column for, in the order in which notes list them.
KEYS = (
    "x",
    "y",
    "t",
    "duration",
    "pupil",
    "stimulus",
    "trial",
    "participant",
    "recording",
    "eye",
    "left_x",
    "left_y",
    "right_x",
    "right_y",
    "width",
    "height",
)
PAIRS = (("x", "y"), ("left_x", "left_y"), ("right_x", "right_y"))
_POSITION_KEYS = tuple(key for pair in PAIRS for key in pair)
TIME_KEYS = ("duration", "t")
TEXTS = {"stimulus", "trial", "participant", "recording", "eye"}
_WITH_UNIT = re.compile(r"(.*)\[([^\]]*)\]")
# A column of sample numbers has the rate for a unit, as in time[120Hz].
_AT_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?hz", re.IGNORECASE)
UNITS_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
# Names that mean one thing only, in lower case and in the order of preference.
_POSITIONS = (("x", "y"), ("gaze_x", "gaze_y"), ("x_px", "y_px"), ("gazex", "gazey"))
_EYES = (
    ("x_l", "y_l", "x_r", "y_r"),
    ("left_x", "left_y", "right_x", "right_y"),
    ("lx", "ly", "rx", "ry"),
)
_TIMES = ("t", "time", "timestamp", "t_ms", "time_ms", "timestamp_ms")
_FIXATION_TIMES = ("duration", "duration_ms", "fixation_duration")
_ALIASES = {
    "participant": ("participant", "participant_id", "subject", "subject_id", "sub", "observer"),
    "recording": ("recording", "recording_id", "session"),
    "trial": ("trial", "trial_id", "trial_index"),
    "stimulus": ("stimulus", "stimulus_name", "image", "image_id", "image_name", "picture"),
    "eye": ("eye",),
    "pupil": ("pupil",),
}


def guess(header: Header) -> dict[str, str]:
    """Return the columns by our keys as far as their names say, none without position and time."""
    lower = {name.lower(): name for name in reversed(header.names)}
    position = next((pair for pair in _POSITIONS if set(pair) <= set(lower)), None)
    eyes = next((names for names in _EYES if set(names) <= set(lower)), None)
    # Two eyes' positions are gaze; a lone x and y with an onset might be anything.
    times = (*_TIMES, "onset") if eyes else _TIMES
    time = _first_in(lower, times)
    if time is None:
        return {}
    columns = {"t": time}
    if position is not None:
        columns |= {"x": lower[position[0]], "y": lower[position[1]]}
    elif eyes is not None:
        columns |= {key: lower[name] for key, name in zip(_EYES[1], eyes, strict=True)}
    else:
        return {}
    duration = _first_in(lower, _FIXATION_TIMES)
    if duration is not None:
        columns["duration"] = duration
    for key, aliases in sorted(_ALIASES.items()):
        name = _first_in(lower, aliases)
        if name is not None:
            columns[key] = name
    return columns


def _first_in(lower: Mapping[str, str], names: Sequence[str]) -> str | None:
    """Return the column with the first of some names, spelt as the header does, or None."""
    return next((lower[name] for name in names if name in lower), None)


def ms_per(unit: str) -> float | None:
    """Return the milliseconds in a unit of time, or from a sample to the next at ``120Hz``.

    It is None for what is no unit.
    """
    at_rate = _AT_RATE.fullmatch(unit)
    if at_rate is None:
        return UNITS_MS.get(unit)
    rate_hz = float(at_rate[1])
    return 1000.0 / rate_hz if rate_hz else None


def chosen(
    given: Mapping[str, str], header: Header, head: Head
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns by key, and the units given in brackets, after checking both."""
    columns = dict(given) or guess(header)
    unknown = sorted(set(columns) - set(KEYS))
    if unknown:
        known = ", ".join((*KEYS, *sorted(POSITION_SETTINGS)))
        what = f"unknown key {quote(unknown[0])!r} in the columns"
        raise ConfigError(what, hint=f"known are {known}")
    units: dict[str, str] = {}
    for key in ("t", "duration", *_POSITION_KEYS):
        match = _WITH_UNIT.fullmatch(columns.get(key, ""))
        # A column may be called Gaze [px] itself.
        if match and columns[key] not in header.names:
            columns[key] = match[1].strip()
            units[key] = match[2].strip()
            if key in TIME_KEYS and ms_per(units[key]) is None:
                hint = "use one of s, ms, us, ns, or the rate of sample numbers, as in 120Hz"
                raise ConfigError(f"time unit {quote(match[2])!r}", hint=hint)
    present = quote(", ".join(header.names), 150)
    for name in columns.values():
        if name not in header.names:
            hint = f"{did_you_mean(name, header.names)}there are {present}"
            raise ConfigError(f"no column {quote(name, 40)!r}", path=head.path, hint=hint)
    # Fixations have one position; samples may have those of two eyes instead.
    pairs = PAIRS[:1] if "duration" in columns else PAIRS
    has_position = any(set(pair) <= set(columns) for pair in pairs)
    has_time = "t" in columns or "duration" in columns
    if not has_position or not has_time:
        what = "x, y and t (or duration) are needed"
        raise ConfigError(what, path=head.path, hint=f"name them; there are {present}")
    return columns, units


def axes_of_columns(
    columns: Mapping[str, str],
    units: Mapping[str, str],
    settings: Mapping[str, str],
    head: Head,
    notes: list[str],
) -> Axes:
    """Return how positions are counted.

    The settings say it, or the brackets behind the columns, or else the columns' own names.

    Raises
    ------
    ConfigError
        Positions in several units, or settings that contradict each other.
    """
    positions = [key for key in columns if key in _POSITION_KEYS]
    bracketed = {units[key] for key in positions if key in units}
    if "unit" in settings:
        bracketed.add(settings["unit"])
    if len(bracketed) > 1:
        several = " and ".join(sorted(map(quote, bracketed)))
        hint = "one unit holds for all of them"
        raise ConfigError(f"positions in {several}", path=head.path, hint=hint)
    stated = next(iter(bracketed), None)

    by_name = {unit_of_name(columns[key]) for key in positions} - {None}
    if stated is None and len(by_name) == 1:
        stated = next(iter(by_name))
        if stated != "px":
            notes.append(f"positions in {stated} by the names of their columns")
    found = dict(settings)
    if stated is not None:
        found["unit"] = stated
    return axes_of(found, head.path)
