"""SMI BeGaze's tables: raw data, a row a sample with ``RecordingTime [ms]``; or its events.

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
from gazetrack.readers.shared.counts import counted
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
    if header is None:
        return NO
    kind = position_of(header)
    if kind:
        return Verdict(Level.CERTAIN, f"columns {ONSET} and {kind} Position X [px]")
    if _TIME not in header.names:
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
        what = f"no column {_TIME!r} or no point of regard"
        hint = "export raw data with points of regard from BeGaze"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    table = read_columns(head, header, _wanted(head, header, eyes))
    timed = np.isfinite(table.number("t"))
    other = timed & ~_are_samples(table)
    kept = timed & ~other
    if not kept.any():
        hint = "export the gaze data as well"
        raise NoGaze("holds no gaze: no samples", path=head.path, line=header.lines, hint=hint)
    notes: list[str] = []
    gaze = _gaze(table, kept, notes)
    recording = _recordings(head, header, table, kept, notes)
    t = table.number("t")[kept]
    starts = {str(name): float(t[recording == name].min()) for name in dict.fromkeys(recording)}
    start_of_row = np.array([starts[str(name)] for name in recording])
    columns: dict[str, object] = {
        "recording": recording,
        "t_ms": t - start_of_row,
        "trial": _text(table, "trial", kept),
        "stimulus": _text(table, "stimulus", kept),
        **gaze_columns(gaze),
    }
    reasons = {"no time": ~timed, "no sample (separators and events of the user)": other}
    sides = [eye for eye in eyes if eye != "both"]
    one_side = next(iter(sides), "combined")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_events(table, kept, columns, notes),
        eyes="binocular" if len(sides) > 1 else one_side,
        origin_ms=next(iter(starts.values())),
        software="SMI BeGaze",
        rows_in=table.n_rows,
        dropped=counted(reasons),
        notes=tuple(notes),
    )


def _eyes_of(header: Header) -> list[str]:
    """Return the eyes, or ``both``, of which the table has points of regard."""
    found = []
    for eye, name in _EYES.items():
        pair = {_POSITION.format(eye=name, axis=axis) for axis in "XY"}
        if pair <= set(header.names):
            found.append(eye)
    return found


def _wanted(head: Head, header: Header, eyes: list[str]) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names: dict[str, tuple[str, Kind]] = {"t": (_TIME, "float64")}
    for key, name in _TEXTS.items():
        names[key] = name, "text"
    for eye, name in _EYES.items():
        names[f"{eye}_category"] = f"Category {name}", "text"
        names[f"{eye}_index"] = f"Index {name}", "text"
        for pattern in _PUPILS:
            pupil = pattern.format(eye=name)
            if pupil in header.names:
                names.setdefault(f"{eye}_pupil", (pupil, "float32"))
        if eye in eyes:
            names[f"{eye}_x"] = _POSITION.format(eye=name, axis="X"), "float32"
            names[f"{eye}_y"] = _POSITION.format(eye=name, axis="Y"), "float32"
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
        of_eye = np.array([name in ("Eye", "", "-") for name in names], bool)
        samples &= of_eye[codes]
    for eye in _EYES:
        codes, names = table.texts(f"{eye}_category")
        of_no_sample = np.array([name in _NO_SAMPLES for name in names], bool)
        samples &= ~of_no_sample[codes]
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
        x = table.number(f"{eye}_x")[kept]
        y = table.number(f"{eye}_y")[kept]
        lost = (x == 0) & (y == 0)
        zeros += int(lost.sum())
        nan = x.dtype.type(np.nan)
        if eye == "both":
            # Without a binocular gaze of its own, the export's is the mean of the eyes.
            if "both_x" in table.found:
                gaze["x"] = np.where(lost, nan, x)
                gaze["y"] = np.where(lost, nan, y)
            continue
        pupil = table.number(f"{eye}_pupil")[kept]
        gaze[f"{eye}_x"] = np.where(lost, nan, x)
        gaze[f"{eye}_y"] = np.where(lost, nan, y)
        gaze[f"{eye}_pupil"] = np.where(pupil == 0, nan, pupil)
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
    # By participant: the spans of time that each clock has had so far.
    spans: dict[str, list[list[tuple[float, float]]]] = {}
    names = np.empty(t.size, object)
    for first, end in pairwise(bounds):
        person = str(people[first])
        span = (float(t[first:end].min()), float(t[first:end].max()))
        clocks = spans.setdefault(person, [])
        number = _clock_of(span, clocks)
        clocks[number].append(span)
        names[first:end] = person if number == 0 else f"{person}_{number + 1}"
    several = {person: len(clocks) for person, clocks in spans.items() if len(clocks) > 1}
    if several:
        notes.append(
            f"{sum(several.values())} clocks of {len(several)} participants: a recording for each"
        )
    return names


def _clock_of(span: tuple[float, float], clocks: list[list[tuple[float, float]]]) -> int:
    """Return the first clock that a span of time is free in; where there is none, a new one."""
    low, high = span
    for number, taken in enumerate(clocks):
        if all(high < begin or low > end for begin, end in taken):
            return number
    clocks.append([])
    return len(clocks) - 1


def _events(
    table: Columns, kept: npt.NDArray[np.bool_], columns: dict[str, object], notes: list[str]
) -> pa.Table:
    """Return the runs of samples of one category and index.

    They are those of both eyes together where the export has these, else of each eye.
    """
    places = {
        "recording": np.asarray(columns["recording"], object),
        "trial": np.asarray(columns["trial"], object),
        "stimulus": np.asarray(columns["stimulus"], object),
        "participant": _text(table, "participant", kept),
    }
    t = np.asarray(columns["t_ms"], np.float64)
    parts: list[dict[str, npt.NDArray[np.generic]]] = []
    eyes = ["both"] if "both_category" in table.found else ["left", "right"]
    for eye in eyes:
        if f"{eye}_category" not in table.found:
            continue
        codes, names = table.texts(f"{eye}_category")
        kind_of = np.array([_KINDS.get(name, "") for name in names], object)
        kinds = kind_of[codes[kept]]
        index = table.text(f"{eye}_index")[kept]
        begins = np.zeros(index.size, np.bool_)
        for values in (places["recording"], places["trial"], places["stimulus"], index):
            begins[1:] |= values[1:] != values[:-1]
        prefix = "" if eye == "both" else f"{eye}_"
        x = np.asarray(columns[f"{prefix}x_px"], np.float64)
        y = np.asarray(columns[f"{prefix}y_px"], np.float64)
        runs = movements(kinds, t, x, y, begins)
        first = runs.pop("first")
        del runs["last"]
        for name, values in places.items():
            runs[name] = values[first]
        runs["eye"] = np.full(first.size, eye, object)
        runs["row"] = first
        parts.append(runs)
    if not any(part["row"].size for part in parts):
        return conform({}, EVENTS)
    notes.append(
        "events are runs of one category and index: durations are last - first + one sample"
    )
    rows = np.concatenate([part.pop("row") for part in parts])
    order = np.argsort(rows, kind="stable")
    joined = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    return conform(joined, EVENTS)
