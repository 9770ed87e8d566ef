"""iMotions sensor data: rows of all sensors in one table, the eye tracker's among them.

Source: "Sensor Data Export", iMotions Help Center. Two generations: until 2019 tab-separated text
with columns ``GazeLeftx`` and times as ``yyyymmdd_HHMMSSfff``; since then CSV with ``#`` lines
before the header, columns ``ET_GazeLeftx`` and times in ms. -1 marks lost gaze. A row may hold the
data of several sensors (``ET|Shimmer``). Fixations of iMotions stand in the rows they last over;
their start counts from the stimulus's (``MediaTime``), in the newer generation from the
recording's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import timed_rows
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.readers.text.utf8 import by_line, rewritten
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="imotions",
    title="iMotions sensor data",
    suffixes=(".txt", ".csv"),
    provides="samples and fixations",
    units="times to ms; px; pupil in mm",
    lost="all other sensors, saccades, distances, areas of interest, names, age and gender",
    source="https://help.imotions.com, Sensor Data Export",
)
_GAZE = {
    "left_x": "GazeLeftx",
    "left_y": "GazeLefty",
    "right_x": "GazeRightx",
    "right_y": "GazeRighty",
    "left_pupil": "PupilLeft",
    "right_pupil": "PupilRight",
}
# Of iMotions' gaze analysis, which may be exported by itself.
_COMBINED = {"x": "Gaze X", "y": "Gaze Y"}
# The columns of fixations in either generation, by our names.
_FIXATIONS = {
    "fixation": {
        "seq": "FixationSeq",
        "x": "FixationX",
        "y": "FixationY",
        "start": "FixationStart",
        "duration": "FixationDuration",
    },
    "newer": {
        "seq": "Fixation Index",
        "x": "Fixation X",
        "y": "Fixation Y",
        "start": "Fixation Start",
        "duration": "Fixation Duration",
    },
}
_NEWER_MARK = "Fixation Index by Stimulus"
_STIMULUS = ("StimulusName", "SourceStimuliName", "Stimulus")
_STAMP = re.compile(r"(\d{8})_(\d{6})(\d{3})")
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,12})?"
_MOST_INDEX = 2**31 - 1
_FIRST_LINES = 50
# The columns are the user's choice, so nobody can tell which ones these are.
_NAMELESS = (
    "rows of iMotions without the row that names the columns: export again with it, "
    "or copy it from another export of the study to the top"
)
_WORST_VALIDITY = 1.0  # of 0 best to 4 not found; 2 and more is a guess which eye it was


@dataclass(frozen=True)
class _Layout:
    """Where the columns are; `prefix` is ``ET_`` in the newer generation."""

    header: Header
    prefix: str


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    layout = _layout(head)
    if layout is None:
        return Verdict(Level.NO, _NAMELESS) if _is_nameless(head) else NO
    marks = (f"{layout.prefix}GazeLeftx", "Gaze X")
    gaze = next((name for name in marks if name in layout.header.names), None)
    if gaze is None:
        what = "an iMotions export without eye tracking: export the sensor data of the eye tracker"
        return Verdict(Level.NO, what)
    return Verdict(Level.CERTAIN, f"columns Timestamp and {gaze} of iMotions")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the rows of the eye tracker.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, a damaged row or cell, a time of another form, or no rows of an eye
        tracker.
    """
    table_head = _table(head)
    header = needed_header(table_head)
    prefix = "ET_" if "ET_GazeLeftx" in header.names else ""
    table = read_columns(table_head, header, _wanted(head, header, prefix))
    of_tracker = _rows_of_tracker(table)
    if not of_tracker.any():
        hint = "export the eye tracker's sensor data too"
        raise ParseError("no rows of an eye tracker", path=head.path, hint=hint)
    time = _times(table_head, header, table)
    timed = timed_rows(table_head, header, time, among=of_tracker)
    notes: list[str] = []
    columns = gaze_columns({key: values[timed.rows] for key, values in _gaze(table).items()})
    columns |= {
        "recording": head.stem,
        "t_ms": timed.t_ms,
        "stimulus": table.text("stimulus")[timed.rows],
    }
    n_others = int((~of_tracker).sum())
    others = counted({"other sensors": n_others})
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_fixations(head.stem, table, time, timed.origin_ms, notes),
        eyes="binocular" if "left_x" in table.found else "combined",
        origin_ms=timed.origin_ms,
        software="iMotions",
        rows_in=table.n_rows,
        dropped=others | timed.dropped,
        notes=tuple(notes),
    )


def _layout(head: Head) -> _Layout | None:
    header = header_of(_table(head))
    if header is None:
        return None
    names = set(header.names)
    older = {"EventSource", "StudyName"} <= names
    newer = bool(names & {"ET_GazeLeftx", "SlideEvent", _NEWER_MARK})
    if "Timestamp" not in names or not (older or newer):
        return None
    return _Layout(header, "ET_" if "ET_GazeLeftx" in names else "")


def _is_nameless(head: Head) -> bool:
    """Return whether the rows are iMotions' of an eye tracker, without the names of the columns."""
    for line in head.lines[:_FIRST_LINES]:
        cells = [] if line.startswith("#") else line.split("\t")
        has_stamp = any(map(_STAMP.fullmatch, cells))
        if has_stamp and any(map(_is_tracker, cells)):
            return True
    return False


def _table(head: Head) -> Head:
    """Return the file without the lines that describe it."""
    return rewritten(head, _without_comments)


def _without_comments() -> Callable[[bytes], bytes]:
    """Return the function that empties the lines that begin with ``#``, also in quotes."""

    def take(line: bytes) -> bytes:
        text = line.lstrip(b'"\xef\xbb\xbf')
        return b"" if text.startswith(b"#") else line

    return by_line(take)


def _wanted(head: Head, header: Header, prefix: str) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names = set(header.names)
    numbers: dict[str, str] = {}
    if "Gaze X" in names and f"{prefix}GazeLeftx" not in names:
        numbers |= _COMBINED
    else:
        for key, name in _GAZE.items():
            # Pupils may be left out of an export, positions may not.
            if not key.endswith("pupil") or prefix + name in names:
                numbers[key] = prefix + name
    for side in ("Left", "Right"):
        for name in (f"{prefix}Validity{side}", f"{prefix}Validity{side}Eye"):
            if name in names:
                numbers.setdefault(f"{side.lower()}_validity", name)
    for form, columns in _FIXATIONS.items():
        if set(columns.values()) <= names:
            numbers |= {f"{form}_{key}": name for key, name in columns.items()}
    if "MediaTime" in names:
        numbers["media_t"] = "MediaTime"

    texts = {"t": "Timestamp"}
    stimulus = next((name for name in _STIMULUS if name in names), None)
    if stimulus:
        texts["stimulus"] = stimulus
    # In the newer generation the column is there once per sensor.
    if not prefix and header.names.count("EventSource") == 1:
        texts["source"] = "EventSource"

    wanted = header.needed(numbers, "float64", head.path)
    return wanted | header.needed(texts, "text", head.path)


def _rows_of_tracker(table: Columns) -> npt.NDArray[np.bool_]:
    """Return which rows are the eye tracker's: by their source, else those that hold gaze."""
    if "source" in table.found and "left_x" in table.found:
        return np.array([_is_tracker(source) for source in table.text("source")], np.bool_)
    gaze = np.column_stack([table.number(key) for key in (*_GAZE, *_COMBINED)])
    return np.asarray(np.isfinite(gaze).any(axis=1), np.bool_)


def _is_tracker(source: str) -> bool:
    """Tell whether the eye tracker is among the sensors of a row, as in ``ET|Shimmer``."""
    sensors = [part.strip() for part in source.split("|")]
    return any(sensor == "ET" or sensor.startswith("ET_") for sensor in sensors)


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    """Return positions and pupils; iMotions writes a lost eye as -1, or states its validity."""
    if "x" in table.found:
        lost = (table.number("x") == -1) & (table.number("y") == -1)
        return {axis: np.where(lost, np.nan, table.number(axis)) for axis in "xy"}
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for side in ("left", "right"):
        x = table.number(f"{side}_x")
        y = table.number(f"{side}_y")
        pupil = table.number(f"{side}_pupil")
        uncertain = table.number(f"{side}_validity", 0.0) > _WORST_VALIDITY
        lost = ((x == -1) & (y == -1)) | uncertain
        gaze[f"{side}_x"] = np.where(lost, np.nan, x)
        gaze[f"{side}_y"] = np.where(lost, np.nan, y)
        gaze[f"{side}_pupil"] = np.where(lost | ~(pupil > 0), np.nan, pupil)
    return gaze


def _fixations(
    name: str, table: Columns, time: npt.NDArray[np.float64], origin: float, notes: list[str]
) -> pa.Table:
    """Return iMotions' own fixations, each from the first of its rows."""
    form = next((form for form in _FIXATIONS if f"{form}_start" in table.found), None)
    if form is None:
        return conform({}, EVENTS)
    rows = pd.DataFrame({key: table.number(f"{form}_{key}") for key in _FIXATIONS[form]})
    rows["stimulus"] = table.text("stimulus")
    rows["t"] = time
    rows = rows[rows["seq"].notna() & rows["start"].notna() & (rows["seq"] > 0)]
    rows["onset"] = rows["start"]
    if form == "fixation":
        # The older generation counts from the start of the stimulus, as MediaTime does.
        media_t = pd.Series(table.number("media_t")).loc[rows.index]
        rows["onset"] += rows["t"] - media_t
    rows = rows.drop_duplicates(["stimulus", "seq", "start"])
    unplaced = int((rows["onset"].isna() & rows["t"].notna()).sum())
    if unplaced:
        notes.append(
            f"{unplaced} fixations begin with their first row: their rows have no MediaTime"
        )
        rows["onset"] = rows["onset"].fillna(rows["t"])

    placed = rows[["onset", "x", "y"]].notna().all(axis=1)
    usable = placed & (rows["duration"] > 0) & (rows["seq"] <= _MOST_INDEX)
    unusable = int((~usable).sum())
    if unusable:
        notes.append(f"{unusable} fixations without an onset, position or duration: left out")
    rows = rows[usable]
    columns = {
        "recording": name,
        "kind": "fixation",
        "stimulus": rows["stimulus"].to_numpy(object),
        "index": rows["seq"].to_numpy(np.int32),
        "eye": "both",
        "onset_ms": rows["onset"].to_numpy() - origin,
        "duration_ms": rows["duration"].to_numpy(),
        "x_px": rows["x"].to_numpy(),
        "y_px": rows["y"].to_numpy(),
    }
    return conform(columns if len(rows) else {}, EVENTS)


def _times(head: Head, header: Header, table: Columns) -> npt.NDArray[np.float64]:
    """Return times in ms, as exported.

    Where the export gives local times, they count from midnight of the first row.
    """
    texts = pd.Series(table.text("t"))
    there = texts != ""
    if not there.any() or _STAMP.fullmatch(texts[there].iloc[0]) is None:
        # Where commas do not separate cells, they may be decimal marks.
        decimal = texts if header.delimiter == "," else texts.str.replace(",", ".", regex=False)
        is_number = decimal.str.fullmatch(_NUMBER)
        numbers = pd.to_numeric(decimal.where(is_number), errors="coerce")
        _refuse(head, header, texts, (numbers.isna() & there).to_numpy())
        return np.asarray(numbers, np.float64)
    parts = texts.str.extract(f"^{_STAMP.pattern}$")
    digits = parts[0] + parts[1] + parts[2]
    stamps = pd.to_datetime(digits, format="%Y%m%d%H%M%S%f", errors="coerce")
    _refuse(head, header, texts, (stamps.isna() & there).to_numpy())
    midnight = stamps[there].iloc[0].normalize()
    return np.asarray((stamps - midnight) / pd.Timedelta(milliseconds=1), np.float64)


def _refuse(head: Head, header: Header, texts: pd.Series, wrong: npt.NDArray[np.bool_]) -> None:
    """Refuse the first of the rows whose time is wrong, if there is one."""
    if not wrong.any():
        return
    row = int(wrong.argmax())
    what = f"{quote(texts.iloc[row], 40)!r} is no time like that of the first row"
    hint = "the file is damaged here; export it again"
    raise ParseError(what, path=head.path, line=line_of(head, header, row), hint=hint)
