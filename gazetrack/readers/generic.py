"""Any table of gaze samples or fixations, with the columns named by the user or by unmistakable headers."""

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
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.tables.screen import Screen

FORMAT = Format(
    name="generic",
    title="Any delimited text",
    suffixes=(".csv", ".tsv", ".txt"),
    provides="samples, or fixations when a duration column is named",
    units="time in ms, positions in px from the top left, unless said otherwise: see Units and origins",
    lost="all columns that are not named",
    source="",
    takes_columns=True,
)
KEYS = (
    *("x", "y", "t", "duration", "pupil", "stimulus", "trial", "participant", "recording", "eye"),
    *("left_x", "left_y", "right_x", "right_y", "width", "height"),
)
_PAIRS = (("x", "y"), ("left_x", "left_y"), ("right_x", "right_y"))
_POSITION_KEYS = tuple(key for pair in _PAIRS for key in pair)
_TEXTS = {"stimulus", "trial", "participant", "recording", "eye"}
_UNITS_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
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
    lower = {name.lower(): name for name in reversed(header.names)}
    position = next((pair for pair in _POSITIONS if set(pair) <= set(lower)), None)
    eyes = next((names for names in _EYES if set(names) <= set(lower)), None)
    # Two eyes' positions are gaze; a lone x and y with an onset might be anything.
    time = next((name for name in (*_TIMES, *(("onset",) if eyes else ())) if name in lower), None)
    if (position is None and eyes is None) or time is None:
        return {}
    columns = {"t": lower[time]}
    if position is not None:
        columns |= {"x": lower[position[0]], "y": lower[position[1]]}
    elif eyes is not None:
        columns |= {key: lower[name] for key, name in zip(_EYES[1], eyes, strict=True)}
    duration = next((name for name in _FIXATION_TIMES if name in lower), None)
    if duration is not None:
        columns["duration"] = lower[duration]
    for key, aliases in sorted(_ALIASES.items()):
        name = next((name for name in aliases if name in lower), None)
        if name is not None:
            columns[key] = lower[name]
    return columns


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
    settings = {key: value for key, value in options.columns.items() if key in POSITION_SETTINGS}
    named = {key: name for key, name in options.columns.items() if key not in POSITION_SETTINGS}
    columns, units = _chosen(named, header, head)
    notes: list[str] = []
    axes = _axes(columns, units, settings, head, notes)
    kinds: dict[str, Kind] = dict.fromkeys(_TEXTS, "text")
    kinds |= {"t": "float64", "duration": "float64"}
    wanted = {
        key: (header.index(name, head.path), kinds.get(key, "float32"))
        for key, name in columns.items()
    }
    table = read_columns(head, header, wanted)
    values = dict(table.found)
    for key in {"t", "duration"} & set(columns):
        values[key] = values[key] * _UNITS_MS[units.get(key, "ms")]
        if key not in units:
            notes.append(f"{key} taken as ms: no unit was given")
    if not named:
        notes.append(
            "columns inferred from the header: "
            + ", ".join(f"{k}={columns[k]}" for k in KEYS if k in columns)
        )
    table = Columns(table.n_rows, values)
    groups = np.array(
        ["\0".join(row) for row in zip(*map(table.text, sorted(_TEXTS)), strict=True)], object
    )
    _check_times(head, header, table, groups)
    for key in sorted({"t", "duration"} & set(columns) - set(units)):
        _check_unit(head, columns[key], key, table, groups)
    placed, screen = _placed(head, table, axes, options.screen, notes, named=bool(named))
    table = Columns(table.n_rows, values | placed)
    recording = (
        _fixations(head, table, groups, sorted(notes))
        if "duration" in columns
        else _samples(head, table, sorted(notes))
    )
    if axes.fractions and options.screen is None and screen is not None:
        return recording.on_nominal_screen(screen, "screen")
    return replace(recording, screen=screen)


def _axes(
    columns: Mapping[str, str],
    units: Mapping[str, str],
    settings: Mapping[str, str],
    head: Head,
    notes: list[str],
) -> Axes:
    """Return how positions are counted: by the settings, the brackets behind the columns, or the columns' own names."""
    positions = [key for key in columns if key in _POSITION_KEYS]
    bracketed = {units[key] for key in positions if key in units}
    bracketed |= {settings["unit"]} if "unit" in settings else set()
    if len(bracketed) > 1:
        what = f"positions in {' and '.join(sorted(map(quote, bracketed)))}"
        raise ConfigError(what, path=head.path, hint="one unit holds for all of them")
    by_name = {unit for key in positions if (unit := unit_of_name(columns[key])) is not None}
    if not bracketed and len(by_name) == 1:
        bracketed = by_name
        notes += [f"positions in {unit} by the names of their columns" for unit in by_name - {"px"}]
    found = dict(settings)
    if bracketed:
        found["unit"] = next(iter(bracketed))
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
            f"{lost} positions at (-1, -1) or (0, 0), which trackers write for lost gaze: taken as missing"
        )
    needed = not axes.plain and not of_image
    return placed, frame.screen if needed else None


def _chosen(
    given: Mapping[str, str], header: Header, head: Head
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns by key, and the units given in brackets, after checking both."""
    columns, units = dict(given) or _guess(header), {}
    unknown = sorted(set(columns) - set(KEYS))
    if unknown:
        known = ", ".join((*KEYS, *sorted(POSITION_SETTINGS)))
        raise ConfigError(
            f"unknown key {quote(unknown[0])!r} in the columns", hint=f"known are {known}"
        )
    for key in ("t", "duration", *_POSITION_KEYS):
        match = re.fullmatch(r"(.*)\[([^\]]*)\]", columns.get(key, ""))
        if match and columns[key] not in header.names:
            columns[key], units[key] = match[1].strip(), match[2].strip()
            if key not in _POSITION_KEYS and units[key] not in _UNITS_MS:
                raise ConfigError(f"time unit {quote(match[2])!r}", hint="use one of s, ms, us, ns")
    present = quote(", ".join(header.names), 150)
    for name in columns.values():
        if name not in header.names:
            hint = f"{did_you_mean(name, header.names)}there are {present}"
            raise ConfigError(f"no column {quote(name, 40)!r}", path=head.path, hint=hint)
    pairs = _PAIRS[:1] if "duration" in columns else _PAIRS
    needed = any(set(pair) <= set(columns) for pair in pairs)
    if not needed or not {"t", "duration"} & set(columns):
        raise ConfigError(
            "x, y and t (or duration) are needed",
            path=head.path,
            hint=f"name them; there are {present}",
        )
    return columns, units


def _check_times(
    head: Head, header: Header, table: Columns, groups: npt.NDArray[np.object_]
) -> None:
    """Refuse times that step back: several recordings or trials lie in one that the named columns cannot tell apart."""
    times = table.number("t")
    rows = np.flatnonzero(np.isfinite(times))  # a row without a time hides no step back
    back = pd.Series(times[rows]).groupby(groups[rows]).diff().to_numpy() < 0
    if back.any():
        line = line_of(head, header, int(rows[int(back.argmax())]))
        hint = "name the columns that tell recordings and trials apart, as in --columns …,participant=NAME,trial=NAME"
        raise ParseError(
            "the time steps back within one trial", path=head.path, line=line, hint=hint
        )


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
    """Return the recording of each row; two participants are never in one, whatever theirs are called."""
    key = next((key for key in ("recording", "participant") if key in table.found), None)
    if key is None:
        return np.full(table.n_rows, head.stem, object)
    labels = table.text(key)
    if key == "participant" or "participant" not in table.found:
        return labels
    rows = pd.DataFrame({"recording": labels, "participant": table.text("participant")})
    pairs = [
        (str(label), str(who)) for label, who in rows.drop_duplicates().itertuples(index=False)
    ]
    names = names_of_pairs(pairs)
    if names == [label for label, _ in pairs]:
        return labels
    notes.append(SHARED)
    places = rows.groupby(["recording", "participant"], sort=False).ngroup().to_numpy()
    return np.array(names, object)[places]


def _fixations(
    head: Head, table: Columns, groups: npt.NDArray[np.object_], notes: list[str]
) -> Recording:
    duration, onset = table.number("duration"), table.number("t")
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
    """Return who was recorded by recording: a recording holds one person's rows."""
    if "participant" not in table.found:
        return {}
    who = pd.Series(table.text("participant")[timed]).groupby(recordings).first()
    return {str(name): str(person) for name, person in who.items() if person}


def _samples(head: Head, table: Columns, notes: list[str]) -> Recording:
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
    notes += [
        f"{key} is not used for samples" for key in ("eye", "width", "height") if key in table.found
    ]
    eyes = {key: table.number(key)[timed] for key in ("left_x", "left_y", "right_x", "right_y")}
    columns |= {f"{key}_px": values for key, values in eyes.items()}
    for axis in "xy":
        both = mean_of_eyes(eyes[f"left_{axis}"], eyes[f"right_{axis}"])
        columns[f"{axis}_px"] = table.number(axis)[timed] if axis in table.found else both
    if "pupil" in table.found:
        columns["left_pupil"] = columns["right_pupil"] = table.number("pupil")[timed]
        notes.append("one pupil column: taken for both eyes")
    sides = {side for side in ("left", "right") if f"{side}_x" in table.found}
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        marks_known=True,
        participants=_people(table, recordings, timed),
        eyes="binocular" if len(sides) > 1 else sides.pop() if sides else "combined",
        origin_ms=float(starts.iloc[0]) if len(starts) else 0.0,
        time_origin="trial" if of_trials else "recording",
        rows_in=table.n_rows,
        dropped=dropped,
        notes=tuple(notes),
    )
