"""SMI text exports: raw samples (IDF Converter, BeGaze) and events (IDF Event Detector, BeGaze).

Specification: "iView X System Manual" and "BeGaze Manual", SensoMotoric Instruments, "IDF
Converter" and "Export".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze, ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import mean_of_eyes
from gazetrack.readers.smi.events import TABLE, read_events
from gazetrack.readers.smi.header import (
    MESSAGE,
    is_stimulus,
    message_text,
    properties_of,
    rate_of,
    sample_header,
    screen_of,
    with_messages_as_rows,
)
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.text.header import Header, Kind

FORMAT = Format(
    name="smi",
    title="SMI text export",
    suffixes=(".txt", ".tsv"),
    provides="samples and events, or events",
    units="µs converted to ms, px; pupil as exported",
    lost="raw pupil positions, corneal reflexes, eye positions, gaze vectors, planes, "
    "areas of interest",
    source="BeGaze Manual, Export; iView X System Manual, IDF Converter",
)
_EYES = {"left": "L", "right": "R"}
# By preference: millimetres, then pixels of the eye camera.
_PUPILS = ("Pupil Diameter [mm]", "Mapped Diameter [mm]", "Dia X [px]", "Dia [px]")
_KINDS = {"Fixation": "fixation", "Saccade": "saccade", "Blink": "blink"}
_NO_POR = "an SMI export without points of regard: export POR as well"


class _Rows(NamedTuple):
    """What the rows of the raw samples say, one element per row."""

    table: Columns
    kind: npt.NDArray[np.object_]
    stimulus: npt.NDArray[np.object_]
    t: npt.NDArray[np.floating]
    gaze: dict[str, npt.NDArray[np.floating]]
    is_sample: npt.NDArray[np.bool_]
    is_message: npt.NDArray[np.bool_]


def sniff(head: Head) -> Verdict:
    """Judge the file by its table headers."""
    header = sample_header(head)
    if header is not None:
        eyes = _eyes(header)
        if not eyes:
            return Verdict(Level.NO, _NO_POR)
        mark = f"{_EYES[eyes[0]]} POR X [px]"
        return Verdict(Level.CERTAIN, f"columns Time, Type and {mark} in line {header.lines}")
    if any(line.startswith(TABLE) for line in head.lines):
        return Verdict(Level.CERTAIN, f"a line {TABLE}…")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read raw samples or events.

    Returns
    -------
    Recording
        Times count from the first sample, or from the first event when there are no samples.

    Raises
    ------
    ParseError
        Neither table header, no points of regard, no samples or events, or a damaged row or cell.
    """
    header = sample_header(head)
    if header is not None:
        return _raw(head, header)
    if any(line.startswith(TABLE) for line in head.lines):
        return _event_export(head)
    hint = "export raw data or events as text from BeGaze"
    raise ParseError("no header line of SMI", path=head.path, line=1, hint=hint)


def _event_export(head: Head) -> Recording:
    """Read an export of events, which has no samples."""
    export = read_events(head)
    notes: list[str] = []
    screen = screen_of(export.properties, notes)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=None,
        event_table=export.events,
        screen=screen,
        rate_hz=rate_of(export.properties),
        eyes=export.eyes,
        origin_ms=export.origin_ms,
        software=export.properties.get("Version", ""),
        rows_in=export.rows_in,
        dropped=export.dropped,
        notes=tuple(notes),
    )


def _eyes(header: Header) -> list[str]:
    """Return the eyes of which there are points of regard (POR) in pixels."""
    found = []
    for eye, letter in _EYES.items():
        if {f"{letter} POR X [px]", f"{letter} POR Y [px]"} <= set(header.names):
            found.append(eye)
    return found


def _raw(head: Head, header: Header) -> Recording:
    """Read raw samples, and the events that are written on them."""
    eyes = _eyes(header)
    if not eyes:
        what, hint = _NO_POR.split(": ")
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    properties = properties_of(head.lines[: header.lines - 1])
    notes: list[str] = []
    table_head = with_messages_as_rows(head, header)
    table = read_columns(table_head, header, _wanted(header, eyes, head))
    micro = table.number("t")
    timed = np.isfinite(micro)
    kind = table.text("type")
    is_sample = timed & (kind == "SMP")
    is_message = timed & np.array([value.startswith(MESSAGE) for value in kind], bool)
    if not is_sample.any():
        hint = "export the gaze data as well"
        raise NoGaze("holds no gaze: no samples", path=head.path, line=header.lines, hint=hint)
    other = timed & ~is_sample & ~is_message
    reasons = {"no timestamp": ~timed, "neither SMP nor MSG": other}
    check_clock(table_head, header, micro[is_sample] / 1000, is_sample)
    start = float(micro[is_sample][0])
    stimulus = _stimuli(table, kind, is_message, notes)
    rows = _Rows(
        table=table,
        kind=kind,
        stimulus=stimulus,
        t=(micro - start) / 1000,
        gaze=_gaze(table, notes),
        is_sample=is_sample,
        is_message=is_message,
    )
    screen = screen_of(properties, notes)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=_samples(head.stem, rows),
        event_table=_events(head.stem, properties.get("Subject", ""), rows, eyes, notes),
        screen=screen,
        rate_hz=rate_of(properties),
        eyes="binocular" if len(eyes) > 1 else eyes[0],
        origin_ms=start / 1000,
        software=properties.get("Version", ""),
        rows_in=table.n_rows,
        dropped=counted(reasons),
        notes=tuple(notes),
    )


def _wanted(header: Header, eyes: list[str], head: Head) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names: dict[str, tuple[str, Kind]] = {
        "t": ("Time", "float64"),
        "type": ("Type", "text"),
        "trial": ("Trial", "text"),
        "stimulus": ("Stimulus", "text"),
    }
    for eye in eyes:
        letter = _EYES[eye]
        pupil = next((name for name in _PUPILS if f"{letter} {name}" in header.names), "")
        names[f"{eye}_x"] = f"{letter} POR X [px]", "float32"
        names[f"{eye}_y"] = f"{letter} POR Y [px]", "float32"
        names[f"{eye}_pupil"] = f"{letter} {pupil}", "float32"
        names[f"{eye}_info"] = f"{letter} Event Info", "text"
        names[f"{eye}_validity"] = f"{letter} Validity", "float32"
    return {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in names.items()
        if name in header.names
    }


def _stimuli(
    table: Columns,
    kind: npt.NDArray[np.object_],
    is_message: npt.NDArray[np.bool_],
    notes: list[str],
) -> npt.NDArray[np.object_]:
    """Return each row's stimulus: its column, else the last message that is the name of a file."""
    if "stimulus" in table.found:
        stimulus = table.text("stimulus")
        stimulus[stimulus == "-"] = ""
        return stimulus
    shown = np.full(table.n_rows, None, object)
    for row in np.flatnonzero(is_message):
        text = message_text(kind[row].removeprefix(MESSAGE))
        if is_stimulus(text):
            shown[row] = text
    if any(shown):
        notes.append("no column Stimulus: taken from the messages that are names of files")
    result: npt.NDArray[np.object_] = pd.Series(shown).ffill().fillna("").to_numpy(object)
    return result


def _gaze(table: Columns, notes: list[str]) -> dict[str, npt.NDArray[np.floating]]:
    """Return gaze and pupils of every row; SMI writes a lost eye as 0."""
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    doubtful = 0
    for eye in _EYES:
        x = table.number(f"{eye}_x")
        y = table.number(f"{eye}_y")
        pupil = table.number(f"{eye}_pupil")
        lost = (x == 0) & (y == 0)
        gaze[f"{eye}_x"] = np.where(lost, np.nan, x)
        gaze[f"{eye}_y"] = np.where(lost, np.nan, y)
        gaze[f"{eye}_pupil"] = np.where(pupil == 0, np.nan, pupil)
        invalid = table.number(f"{eye}_validity") == 0
        doubtful += int((~lost & invalid).sum())
    if doubtful:
        notes.append(f"{doubtful} positions of eyes with Validity 0 are kept")
    for axis in "xy":
        gaze[axis] = mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
    return gaze


def _samples(name: str, rows: _Rows) -> pa.Table:
    """Return the rows of samples as the table of them."""
    keep = rows.is_sample
    columns: dict[str, object] = {
        "recording": np.full(keep.sum(), name, object),
        "trial": rows.table.text("trial")[keep],
        "stimulus": rows.stimulus[keep],
        "t_ms": rows.t[keep],
    }
    for key, values in rows.gaze.items():
        columns[key if "pupil" in key else f"{key}_px"] = values[keep]
    return conform(columns, SAMPLES)


def _events(
    name: str, participant: str, rows: _Rows, eyes: list[str], notes: list[str]
) -> pa.Table:
    """Return the messages, and the runs of samples of one Event Info, in the order of the rows."""
    messages = _messages(rows)
    frames = [_movements(rows, eye) for eye in eyes if f"{eye}_info" in rows.table.found]
    frames = [frame for frame in frames if len(frame)]
    if frames:
        notes.append("events are runs of Event Info: durations are last - first + one sample")
    if len(messages) or not frames:
        frames.insert(0, messages)
    events = pd.concat(frames).sort_values("row", kind="stable").drop(columns="row")
    columns = {str(key): events[key].to_numpy() for key in events}
    columns["recording"] = np.full(len(events), name, object)
    return conform({**columns, "participant": participant}, EVENTS)


def _messages(rows: _Rows) -> pd.DataFrame:
    """Return the messages, whose text stands in the type of their rows."""
    at = np.flatnonzero(rows.is_message)
    texts = [message_text(value.removeprefix(MESSAGE)) for value in rows.kind[at]]
    columns: dict[str, Any] = {
        "row": at,
        "trial": rows.table.text("trial")[at],
        "stimulus": rows.stimulus[at],
        "kind": "message",
        "eye": "",
        "onset_ms": rows.t[at],
        "duration_ms": 0.0,
        "text": np.array(texts, object),
        **dict.fromkeys(("x_px", "y_px", "end_x_px", "end_y_px", "pupil"), np.nan),
    }
    return pd.DataFrame(columns).assign(index=np.arange(1, at.size + 1, dtype=np.int32))


def _movements(rows: _Rows, eye: str) -> pd.DataFrame:
    """Return one row per run of samples with one Event Info, within a trial."""
    at = np.flatnonzero(rows.is_sample)
    frame = pd.DataFrame(
        {
            "row": at,
            "trial": rows.table.text("trial")[at],
            "stimulus": rows.stimulus[at],
            "info": rows.table.text(f"{eye}_info")[at],
            "t": rows.t[at],
            "x": rows.gaze[f"{eye}_x"][at],
            "y": rows.gaze[f"{eye}_y"][at],
            "pupil": rows.gaze[f"{eye}_pupil"][at],
        }
    )
    steps = frame["t"].diff()
    step = float(steps[steps > 0].median()) if (steps > 0).any() else 0.0
    keys = frame[["trial", "info"]]
    run = keys.ne(keys.shift()).any(axis=1).cumsum()
    groups = frame.groupby(run.to_numpy())
    runs = groups.agg(
        row=("row", "first"),
        trial=("trial", "first"),
        stimulus=("stimulus", "first"),
        info=("info", "first"),
        t=("t", "first"),
        last=("t", "last"),
        mean_x=("x", "mean"),
        mean_y=("y", "mean"),
        pupil=("pupil", "mean"),
    )
    # `nth` takes a lost position as it is, where `first` would skip it.
    runs = runs.join(groups[["x", "y"]].nth(0).set_axis(runs.index).add_prefix("start_"))
    runs = runs.join(groups[["x", "y"]].nth(-1).set_axis(runs.index).add_prefix("end_"))
    runs["kind"] = runs["info"].map(_KINDS)
    runs = runs[runs["kind"].notna()]

    fixation = runs["kind"] == "fixation"
    saccade = runs["kind"] == "saccade"
    events = runs[["row", "trial", "stimulus", "kind", "pupil"]].assign(
        eye=eye,
        text="",
        onset_ms=runs["t"],
        duration_ms=np.maximum(runs["last"] - runs["t"], 0) + step,
    )
    for axis in "xy":
        of_saccade = runs[f"start_{axis}"].where(saccade)
        events[f"{axis}_px"] = runs[f"mean_{axis}"].where(fixation, of_saccade)
        events[f"end_{axis}_px"] = runs[f"end_{axis}"].where(saccade)
    index = events.groupby(["trial", "kind"], sort=False).cumcount() + 1
    return events.assign(index=index.astype(np.int32))
