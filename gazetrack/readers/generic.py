"""Any table of gaze samples or fixations, whose columns the user names, or unmistakable headers.

There is no specification: what a column means is said by ``--columns``, or by names that mean one
thing only. Times and positions in a unit that they cannot be in are refused, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, ParseError, did_you_mean, quote
from gazetrack.readers.base import NO, POSITION_SETTINGS, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.fixation_rows import (
    SHARED,
    end_to_end,
    eyes_of,
    fixation_recording,
    names_of_pairs,
    order_within,
)
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.shared.positions import (
    Axes,
    Frame,
    axes_of,
    frame_of,
    refuse_other_units,
    to_px,
    unit_of_name,
    without_marks_of_loss,
)
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.tables.screen import Screen

FORMAT = Format(
    name="generic",
    title="Any delimited text",
    suffixes=(".csv", ".tsv", ".txt"),
    provides="samples, or fixations when a duration column is named",
    units="time in ms, positions in px from the top left, unless said otherwise: "
    "see Units and origins",
    lost="all columns that are not named",
    source="",
    takes_columns=True,
)
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
_PAIRS = (("x", "y"), ("left_x", "left_y"), ("right_x", "right_y"))
_POSITION_KEYS = tuple(key for pair in _PAIRS for key in pair)
_TIME_KEYS = ("duration", "t")
_TEXTS = {"stimulus", "trial", "participant", "recording", "eye"}
_WITH_UNIT = re.compile(r"(.*)\[([^\]]*)\]")
_UNITS_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
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
# Beyond these a time column taken as ms is surely in another unit: (shortest, longest) step or
# duration.
_POSSIBLE_MS = {"t": (0.1, 1000.0), "duration": (5.0, 20_000.0)}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header: only unmistakable names count."""
    header = header_of(head)
    if header is None:
        return NO
    found = _guess(header)
    if found:
        return Verdict(Level.LIKELY, "columns " + ", ".join(found.values()))
    seen = quote(", ".join(header.names[:12]), 120)
    return Verdict(Level.NO, f"a table whose columns say nothing certain ({seen})")


def _guess(header: Header) -> dict[str, str]:
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


def read(head: Head, options: ReadOptions) -> Recording:
    """Read a table by the columns that `options` name, else by its header.

    Raises
    ------
    ConfigError
        An unknown key or unit, a column that is not there, or no position or time.
    ParseError
        A damaged row or cell, times that cannot be in the unit they are taken for, or that step
        back.
    """
    header = needed_header(head)
    settings: dict[str, str] = {}
    named: dict[str, str] = {}
    for key, value in options.columns.items():
        group = settings if key in POSITION_SETTINGS else named
        group[key] = value
    columns, units = _chosen(named, header, head)
    notes: list[str] = []
    axes = _axes(columns, units, settings, head, notes)
    table = read_columns(head, header, _wanted(head, header, columns))
    values = dict(table.found)
    for key in _TIME_KEYS:
        if key in columns:
            values[key] = values[key] * _UNITS_MS[units.get(key, "ms")]
            if key not in units:
                notes.append(f"{key} taken as ms: no unit was given")
    if not named:
        inferred = ", ".join(f"{key}={columns[key]}" for key in KEYS if key in columns)
        notes.append(f"columns inferred from the header: {inferred}")
    table = Columns(table.n_rows, values)
    groups = _groups(table)
    _check_times(head, header, table, groups)
    for key in _TIME_KEYS:
        if key in columns and key not in units:
            _check_unit(head, columns[key], key, table, groups)
    placed, screen = _placed(head, table, axes, options.screen, notes, named=bool(named))
    table = Columns(table.n_rows, values | placed)
    if "duration" in columns:
        recording = _fixations(head, table, groups, sorted(notes))
    else:
        recording = _samples(head, table, sorted(notes))
    if axes.fractions and options.screen is None and screen is not None:
        return recording.on_nominal_screen(screen, "screen")
    return replace(recording, screen=screen)


def _wanted(head: Head, header: Header, columns: Mapping[str, str]) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, and what kind of cells they have."""
    wanted: dict[str, tuple[int, Kind]] = {}
    for key, name in columns.items():
        kind: Kind = "float32"
        if key in _TEXTS:
            kind = "text"
        elif key in _TIME_KEYS:
            kind = "float64"
        wanted[key] = header.index(name, head.path), kind
    return wanted


def _groups(table: Columns) -> npt.NDArray[np.object_]:
    """Return one text per row that is the same for the rows of one trial, person and stimulus."""
    texts = [table.text(key) for key in sorted(_TEXTS)]
    return np.array(["\0".join(row) for row in zip(*texts, strict=True)], object)


def _axes(
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


def _placed(
    head: Head, table: Columns, axes: Axes, screen: Screen | None, notes: list[str], *, named: bool
) -> tuple[dict[str, npt.NDArray[np.floating]], Screen | None]:
    """Return the positions in pixels by key, and the screen that they needed, if any."""
    pairs = [pair for pair in _PAIRS if set(pair) <= set(table.found)]
    # Fixations may lie on images of their own size; samples are always those of the screen.
    of_image = axes.fractions and {"duration", "width", "height"} <= set(table.found)
    frame = frame_of(axes, screen, head.path)
    if of_image:
        frame = Frame(table.number("width"), table.number("height"), frame.screen)
    placed: dict[str, npt.NDArray[np.floating]] = {}
    lost = 0
    for x_key, y_key in pairs:
        x, y, marked = without_marks_of_loss(axes, table.number(x_key), table.number(y_key))
        if not axes.stated:
            refuse_other_units(x, y, head.path, named)
        placed[x_key], placed[y_key] = to_px(axes, x, y, frame)
        lost += marked
    if lost:
        notes.append(
            f"{lost} positions at (-1, -1) or (0, 0), which trackers write for lost gaze: "
            "taken as missing"
        )
    needed = not axes.plain and not of_image
    return placed, frame.screen if needed else None


def _chosen(
    given: Mapping[str, str], header: Header, head: Head
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns by key, and the units given in brackets, after checking both."""
    columns = dict(given) or _guess(header)
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
            if key in _TIME_KEYS and units[key] not in _UNITS_MS:
                raise ConfigError(f"time unit {quote(match[2])!r}", hint="use one of s, ms, us, ns")
    present = quote(", ".join(header.names), 150)
    for name in columns.values():
        if name not in header.names:
            hint = f"{did_you_mean(name, header.names)}there are {present}"
            raise ConfigError(f"no column {quote(name, 40)!r}", path=head.path, hint=hint)
    # Fixations have one position; samples may have those of two eyes instead.
    pairs = _PAIRS[:1] if "duration" in columns else _PAIRS
    has_position = any(set(pair) <= set(columns) for pair in pairs)
    has_time = "t" in columns or "duration" in columns
    if not has_position or not has_time:
        what = "x, y and t (or duration) are needed"
        raise ConfigError(what, path=head.path, hint=f"name them; there are {present}")
    return columns, units


def _check_times(
    head: Head, header: Header, table: Columns, groups: npt.NDArray[np.object_]
) -> None:
    """Refuse times that step back.

    Several recordings or trials then lie in one that the named columns cannot tell apart.
    """
    times = table.number("t")
    rows = np.flatnonzero(np.isfinite(times))  # a row without a time hides no step back
    steps = pd.Series(times[rows]).groupby(groups[rows]).diff()
    back = steps.to_numpy() < 0
    if back.any():
        line = line_of(head, header, int(rows[int(back.argmax())]))
        what = "the time steps back within one trial"
        hint = (
            "name the columns that tell recordings and trials apart, "
            "as in --columns …,participant=NAME,trial=NAME"
        )
        raise ParseError(what, path=head.path, line=line, hint=hint)


def _check_unit(
    head: Head, name: str, key: str, table: Columns, groups: npt.NDArray[np.object_]
) -> None:
    """Refuse times whose usual step, or durations whose usual length, no tracker has in ms."""
    values = pd.Series(table.number(key))
    if key == "t":
        if "duration" in table.found:
            return  # onsets of fixations come in any step
        values = values.groupby(groups).diff()
    usual = float(values[values > 0].median())
    shortest, longest = _POSSIBLE_MS[key]
    if usual < shortest or usual > longest:
        unit = "s" if usual < shortest else "us"
        quantity = "step" if key == "t" else "length"
        what = f"column {quote(name, 40)!r} taken as ms has a usual {quantity} of {usual:g} ms"
        hint = f"name its unit: --columns …,{key}={quote(name, 40)}[{unit}] (s, ms, us or ns)"
        raise ParseError(what, path=head.path, hint=hint)


def _recordings(head: Head, table: Columns, notes: list[str]) -> npt.NDArray[np.object_]:
    """Return the recording of each row.

    Two participants are never in one recording, whatever theirs are called.
    """
    if "recording" not in table.found:
        if "participant" in table.found:
            return table.text("participant")
        return np.full(table.n_rows, head.stem, object)
    labels = table.text("recording")
    if "participant" not in table.found:
        return labels
    rows = pd.DataFrame({"recording": labels, "participant": table.text("participant")})
    different = rows.drop_duplicates().itertuples(index=False)
    pairs = [(str(label), str(who)) for label, who in different]
    names = names_of_pairs(pairs)
    if names == [label for label, _ in pairs]:
        return labels
    notes.append(SHARED)
    places = rows.groupby(["recording", "participant"], sort=False).ngroup().to_numpy()
    return np.array(names, object)[places]


def _fixations(
    head: Head, table: Columns, groups: npt.NDArray[np.object_], notes: list[str]
) -> Recording:
    """Return a table of fixations as a recording without samples."""
    duration = table.number("duration")
    onset = table.number("t")
    if "t" not in table.found:
        onset = end_to_end(groups, duration)
        notes.append("no time column: fixations laid end to end within a trial")
    columns = {
        "recording": _recordings(head, table, notes),
        "participant": table.text("participant"),
        "stimulus": table.text("stimulus"),
        "trial": table.text("trial"),
        "index": order_within(groups).astype(np.int32),
        "eye": eyes_of(table.text("eye")),
        "onset_ms": onset,
        "duration_ms": duration,
        "x_px": table.number("x"),
        "y_px": table.number("y"),
        "pupil": table.number("pupil"),
        "image_width_px": table.number("width"),
        "image_height_px": table.number("height"),
    }
    return fixation_recording(head.stem, FORMAT.name, columns, table.n_rows, notes)


def _people(
    table: Columns, recordings: npt.NDArray[np.object_], timed: npt.NDArray[np.bool_]
) -> dict[str, str]:
    """Return who was recorded, by the name of the recording, which holds one person's rows."""
    if "participant" not in table.found:
        return {}
    who = pd.Series(table.text("participant")[timed]).groupby(recordings).first()
    return {str(name): str(person) for name, person in who.items() if person}


def _samples(head: Head, table: Columns, notes: list[str]) -> Recording:
    """Return a table of samples as a recording; times count from the start of each recording."""
    timed = np.isfinite(table.number("t"))
    dropped = {"no time": int((~timed).sum())} if not timed.all() else {}
    recordings = _recordings(head, table, notes)[timed]
    t = pd.Series(table.number("t")[timed])
    by_recording = t.groupby(recordings)
    starts = by_recording.transform("first")
    # Within a trial no time steps back: where one does between trials, each has a clock of its own.
    of_trials = bool((by_recording.diff() < 0).any())
    columns: dict[str, object] = {
        "recording": recordings,
        "trial": table.text("trial")[timed],
        "stimulus": table.text("stimulus")[timed],
        "t_ms": (t - starts).to_numpy(),
    }
    unused = [key for key in ("eye", "width", "height") if key in table.found]
    notes += [f"{key} is not used for samples" for key in unused]
    for axis in "xy":
        left = table.number(f"left_{axis}")[timed]
        right = table.number(f"right_{axis}")[timed]
        columns[f"left_{axis}_px"] = left
        columns[f"right_{axis}_px"] = right
        stated = table.number(axis)[timed]
        columns[f"{axis}_px"] = stated if axis in table.found else mean_of_eyes(left, right)
    if "pupil" in table.found:
        columns["left_pupil"] = columns["right_pupil"] = table.number("pupil")[timed]
        notes.append("one pupil column: taken for both eyes")
    sides = [side for side in ("left", "right") if f"{side}_x" in table.found]
    one_side = next(iter(sides), "combined")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        marks_known=True,
        participants=_people(table, recordings, timed),
        eyes="binocular" if len(sides) > 1 else one_side,
        origin_ms=float(starts.iloc[0]) if len(starts) else 0.0,
        time_origin="trial" if of_trials else "recording",
        rows_in=table.n_rows,
        dropped=dropped,
        notes=tuple(notes),
    )
