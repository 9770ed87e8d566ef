"""SMI BeGaze's raw data as one table: a row a sample, times in the column ``RecordingTime [ms]``; or its events.

Specification: "BeGaze Manual", SensoMotoric Instruments, "Metrics Export, Raw Data". The table has
no preamble; it may hold several participants, each with a clock of its own, and rows that separate
trials or tell of the user.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import NoGaze, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import in_no_order
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.shared.runs import movements
from gazetrack.readers.smi.begaze_fixations import ONSET, position_of, read_fixations
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.clock import Clock
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="begaze",
    title="SMI BeGaze tables: raw data, events",
    suffixes=(".csv", ".txt", ".tsv"),
    provides="samples and events, or fixations",
    units="ms, px; pupil in mm where the export has it, else in pixels of the eye camera",
    lost="gaze vectors, eye and pupil positions, areas of interest, annotations, the time of day",
    source="BeGaze Manual, Metrics Export, Raw Data and Events",
)
_TIME = "RecordingTime [ms]"
_EYES = {"left": "Left", "right": "Right", "both": "Binocular"}
_POSITION = "Point of Regard {eye} {axis} [px]"
# By preference, as in the other exports of BeGaze.
_PUPILS = ("Pupil Diameter {eye} [mm]", "Pupil Size {eye} X [px]")
_TEXTS = {
    "participant": "Participant",
    "trial": "Trial",
    "stimulus": "Stimulus",
    "group": "Category Group",
}
_KINDS = {
    "Visual Intake": "fixation",
    "Fixation": "fixation",
    "Saccade": "saccade",
    "Blink": "blink",
}
_NO_SAMPLES = {"Separator", "User Event", "Trigger", "Keyboard", "Mouse"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is not None and (kind := position_of(header)):
        return Verdict(Level.CERTAIN, f"columns {ONSET} and {kind} Position X [px]")
    if header is None or _TIME not in header.names:
        return NO
    if not _eyes_of(header):
        return Verdict(Level.NO, "a BeGaze export without points of regard: export these as well")
    return Verdict(Level.CERTAIN, f"columns {_TIME} and Point of Regard")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read samples, and the events that their categories tell; or a table of events.

    Returns
    -------
    Recording
        Each participant is a recording, whose times count from its first sample; those of fixations
        from their trial.

    Raises
    ------
    ParseError
        No time or point of regard, no samples, or a damaged row or cell.
    """
    header = needed_header(head)
    if position_of(header):
        return read_fixations(head, header, FORMAT.name)
    eyes = _eyes_of(header)
    if _TIME not in header.names or not eyes:
        hint = "export raw data with points of regard from BeGaze"
        raise ParseError(
            f"no column {_TIME!r} or no point of regard",
            path=head.path,
            line=header.lines,
            hint=hint,
        )
    table = read_columns(head, header, _wanted(head, header, eyes))
    timed = np.isfinite(table.number("t"))
    other = timed & ~_are_samples(table)
    kept = timed & ~other
    if not kept.any():
        raise NoGaze(
            "holds no gaze: no samples",
            path=head.path,
            line=header.lines,
            hint="export the gaze data as well",
        )
    notes: list[str] = []
    gaze = _gaze(table, kept, notes)
    recording = _recordings(head, header, table, kept, notes)
    t = table.number("t")[kept]
    starts = {str(name): float(t[recording == name].min()) for name in dict.fromkeys(recording)}
    t = t - np.array([starts[str(name)] for name in recording])
    texts: dict[str, object] = {name: _text(table, name, kept) for name in ("trial", "stimulus")}
    columns = {"recording": recording, "t_ms": t, **texts, **gaze_columns(gaze)}
    reasons = {"no time": ~timed, "no sample (separators and events of the user)": other}
    sides = [eye for eye in eyes if eye != "both"]
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_events(table, kept, columns, notes),
        eyes="binocular" if len(sides) > 1 else sides[0] if sides else "combined",
        origin_ms=next(iter(starts.values())),
        software="SMI BeGaze",
        rows_in=table.n_rows,
        dropped={reason: int(rows.sum()) for reason, rows in reasons.items() if rows.any()},
        notes=tuple(notes),
    )


def _eyes_of(header: Header) -> list[str]:
    pairs = {
        eye: {_POSITION.format(eye=name, axis=axis) for axis in "XY"} for eye, name in _EYES.items()
    }
    return [eye for eye, pair in pairs.items() if pair <= set(header.names)]


def _wanted(head: Head, header: Header, eyes: list[str]) -> dict[str, tuple[int, Kind]]:
    names: dict[str, tuple[str, Kind]] = {"t": (_TIME, "float64")}
    names |= {key: (name, "text") for key, name in _TEXTS.items()}
    for eye, name in _EYES.items():
        names[f"{eye}_category"] = (f"Category {name}", "text")
        names[f"{eye}_index"] = (f"Index {name}", "text")
        pupil = next(
            (p for p in (text.format(eye=name) for text in _PUPILS) if p in header.names), ""
        )
        names[f"{eye}_pupil"] = (pupil, "float32")
        if eye in eyes:
            names |= {
                f"{eye}_{axis.lower()}": (_POSITION.format(eye=name, axis=axis), "float32")
                for axis in "XY"
            }
    return {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in names.items()
        if name in header.names
    }


def _are_samples(table: Columns) -> npt.NDArray[np.bool_]:
    """Tell the rows of gaze from those that separate trials or tell what the user did."""
    samples = np.ones(table.n_rows, np.bool_)
    if "group" in table.found:
        codes, names = table.texts("group")
        samples &= np.array([name in ("Eye", "", "-") for name in names], bool)[codes]
    for eye in _EYES:
        codes, names = table.texts(f"{eye}_category")
        samples &= ~np.array([name in _NO_SAMPLES for name in names], bool)[codes]
    return samples


def _text(table: Columns, key: str, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.object_]:
    """Return a column of texts; a hyphen is BeGaze's empty cell."""
    values = table.text(key)[kept]
    values[values == "-"] = ""
    return values


def _gaze(
    table: Columns, kept: npt.NDArray[np.bool_], notes: list[str]
) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze and pupils; BeGaze writes a lost eye as 0, or as a hyphen."""
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    zeros = 0
    for eye in _EYES:
        x, y, pupil = (table.number(f"{eye}_{name}")[kept] for name in ("x", "y", "pupil"))
        lost = (x == 0) & (y == 0)
        zeros += int(lost.sum())
        nan = x.dtype.type(np.nan)
        prefix = "" if eye == "both" else f"{eye}_"
        if f"{eye}_x" in table.found or prefix:
            gaze |= {f"{prefix}x": np.where(lost, nan, x), f"{prefix}y": np.where(lost, nan, y)}
        if prefix:
            gaze[f"{prefix}pupil"] = np.where(pupil == 0, nan, pupil)
    if zeros:
        notes.append(
            f"{zeros} positions of eyes at (0, 0), as BeGaze writes lost gaze: taken as missing"
        )
    return gaze


def _recordings(
    head: Head, header: Header, table: Columns, kept: npt.NDArray[np.bool_], notes: list[str]
) -> npt.NDArray[np.object_]:
    """Return the recording of each sample: its participant, numbered where one has several clocks.

    Trials may stand in any order. A stretch of rows whose times lie among those of the
    participant's rows above it is of another recording.
    """
    t = table.number("t")[kept]
    people = _text(table, "participant", kept)
    people[people == ""] = head.stem
    new = np.r_[True, people[1:] != people[:-1]][: t.size]
    clock = Clock()
    new[clock.take(t, np.cumsum(new))] = True
    if clock.in_no_order:
        rows = np.flatnonzero(kept)
        raise in_no_order(clock, head.path, line_of(head, header, int(rows[clock.first_back])))
    bounds = [*np.flatnonzero(new).tolist(), t.size]
    spans: dict[str, list[list[tuple[float, float]]]] = {}
    names = np.empty(t.size, object)
    for first, end in pairwise(bounds):
        person, low, high = str(people[first]), float(t[first:end].min()), float(t[first:end].max())
        clocks = spans.setdefault(person, [])
        free = [n for n, taken in enumerate(clocks) if all(high < a or low > b for a, b in taken)]
        number = free[0] if free else len(clocks)
        if number == len(clocks):
            clocks.append([])
        clocks[number].append((low, high))
        names[first:end] = person if number == 0 else f"{person}_{number + 1}"
    several = {person: len(clocks) for person, clocks in spans.items() if len(clocks) > 1}
    if several:
        notes.append(
            f"{sum(several.values())} clocks of {len(several)} participants: a recording for each"
        )
    return names


def _events(
    table: Columns, kept: npt.NDArray[np.bool_], columns: dict[str, object], notes: list[str]
) -> pa.Table:
    """Return the runs of samples of one category and index; those of both eyes where the export has these."""
    recording, trial, stimulus = (
        np.asarray(columns[name], object) for name in ("recording", "trial", "stimulus")
    )
    participant = _text(table, "participant", kept)
    parts: list[dict[str, npt.NDArray[np.generic]]] = []
    eyes = ["both"] if "both_category" in table.found else ["left", "right"]
    for eye in (eye for eye in eyes if f"{eye}_category" in table.found):
        kinds = np.array(
            [_KINDS.get(name, "") for name in table.texts(f"{eye}_category").names], object
        )
        index = table.text(f"{eye}_index")[kept]
        begins = np.zeros(index.size, np.bool_)
        for values in (recording, trial, stimulus, index):
            begins[1:] |= values[1:] != values[:-1]
        prefix = "" if eye == "both" else f"{eye}_"
        x, y = (np.asarray(columns[f"{prefix}{axis}_px"], np.float64) for axis in "xy")
        t = np.asarray(columns["t_ms"], np.float64)
        runs = movements(kinds[table.texts(f"{eye}_category").codes[kept]], t, x, y, begins)
        first = runs.pop("first")
        del runs["last"]
        texts = {"recording": recording, "trial": trial, "stimulus": stimulus}
        runs |= {
            name: values[first] for name, values in (texts | {"participant": participant}).items()
        }
        parts.append(runs | {"eye": np.full(first.size, eye, object), "row": first})
    if not any(part["row"].size for part in parts):
        return conform({}, EVENTS)
    notes.append(
        "events are runs of one category and index: durations are last - first + one sample"
    )
    order = np.argsort(np.concatenate([part["row"] for part in parts]), kind="stable")
    return conform(
        {
            name: np.concatenate([p[name] for p in parts])[order]
            for name in parts[0]
            if name != "row"
        },
        EVENTS,
    )
