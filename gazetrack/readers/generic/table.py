"""Any table of gaze samples or fixations, whose columns the user names, or unmistakable headers.

There is no specification: what a column means is said by ``--columns``, or by names that mean one
thing only. Times and positions in a unit that they cannot be in are refused, never guessed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, POSITION_SETTINGS, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.generic.columns import (
    KEYS,
    PAIRS,
    TEXTS,
    TIME_KEYS,
    UNITS_MS,
    axes_of_columns,
    chosen,
    guess,
)
from gazetrack.readers.shared.counts import counted
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
    frame_of,
    refuse_other_units,
    to_px,
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
    units="time in ms, positions in px from the top left, unless said otherwise: "
    "see Units and origins",
    lost="all columns that are not named",
    source="",
    takes_columns=True,
)
# Beyond these a time column taken as ms is surely in another unit: (shortest, longest) step or
# duration.
_POSSIBLE_MS = {"t": (0.1, 1000.0), "duration": (5.0, 20_000.0)}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header: only unmistakable names count."""
    header = header_of(head)
    if header is None:
        return NO
    found = guess(header)
    if found:
        return Verdict(Level.LIKELY, "columns " + ", ".join(found.values()))
    seen = quote(", ".join(header.names[:12]), 120)
    return Verdict(Level.NO, f"a table whose columns say nothing certain ({seen})")


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
    columns, units = chosen(named, header, head)
    notes: list[str] = []
    axes = axes_of_columns(columns, units, settings, head, notes)
    table = read_columns(head, header, _wanted(head, header, columns))
    values = dict(table.found)
    for key in TIME_KEYS:
        if key in columns:
            values[key] = values[key] * UNITS_MS[units.get(key, "ms")]
            if key not in units:
                notes.append(f"{key} taken as ms: no unit was given")
    if not named:
        inferred = ", ".join(f"{key}={columns[key]}" for key in KEYS if key in columns)
        notes.append(f"columns inferred from the header: {inferred}")
    table = Columns(table.n_rows, values)
    groups = _groups(table)
    _check_times(head, header, table, groups)
    for key in TIME_KEYS:
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
        if key in TEXTS:
            kind = "text"
        elif key in TIME_KEYS:
            kind = "float64"
        wanted[key] = header.index(name, head.path), kind
    return wanted


def _groups(table: Columns) -> npt.NDArray[np.object_]:
    """Return one text per row that is the same for the rows of one trial, person and stimulus."""
    texts = [table.text(key) for key in sorted(TEXTS)]
    return np.array(["\0".join(row) for row in zip(*texts, strict=True)], object)


def _placed(
    head: Head, table: Columns, axes: Axes, screen: Screen | None, notes: list[str], *, named: bool
) -> tuple[dict[str, npt.NDArray[np.floating]], Screen | None]:
    """Return the positions in pixels by key, and the screen that they needed, if any."""
    pairs = [pair for pair in PAIRS if set(pair) <= set(table.found)]
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
    dropped = counted({"no time": ~timed})
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
