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
from gazetrack.readers.shared.clock import check_clock
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
    f"{side}_{axis}": f"Gaze{side.title()}{axis}" for side in ("left", "right") for axis in "xy"
} | {"left_pupil": "PupilLeft", "right_pupil": "PupilRight"}  # fmt: skip
_COMBINED = {
    "x": "Gaze X",
    "y": "Gaze Y",
}  # of iMotions' gaze analysis, which may be exported by itself
_FIXATION = ("Seq", "X", "Y", "Start", "Duration")
_NEWER_FIXATION = ("Index", "X", "Y", "Start", "Duration")
_NEWER_MARK = "Fixation Index by Stimulus"
_STIMULUS = ("StimulusName", "SourceStimuliName", "Stimulus")
_STAMP = re.compile(r"(\d{8})_(\d{6})(\d{3})")
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,12})?"
_MOST_INDEX = 2**31 - 1
_FIRST_LINES = 50
# The columns are the user's choice, so nobody can tell which ones these are.
_NAMELESS = (
    "rows of iMotions without the row that names the columns: export again with it, or copy it from another export "
    "of the study to the top"
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
    gaze = next(
        (name for name in (f"{layout.prefix}GazeLeftx", "Gaze X") if name in layout.header.names),
        None,
    )
    if gaze is None:
        return Verdict(
            Level.NO,
            "an iMotions export without eye tracking: export the sensor data of the eye tracker",
        )
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
        raise ParseError(
            "no rows of an eye tracker",
            path=head.path,
            hint="export the eye tracker's sensor data too",
        )
    time = _times(table_head, header, table)
    used = of_tracker & np.isfinite(time)
    origin = float(time[used][0]) if used.any() else 0.0
    notes: list[str] = []
    check_clock(table_head, header, time[used], used)
    columns = gaze_columns({key: values[used] for key, values in _gaze(table).items()})
    columns |= {
        "recording": head.stem,
        "t_ms": time[used] - origin,
        "stimulus": table.text("stimulus")[used],
    }
    dropped = {
        "other sensors": int((~of_tracker).sum()),
        "no time": int((of_tracker & ~used).sum()),
    }
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=_fixations(head.stem, table, time, origin, notes),
        eyes="binocular" if "left_x" in table.found else "combined",
        origin_ms=origin,
        software="iMotions",
        rows_in=table.n_rows,
        dropped={reason: count for reason, count in dropped.items() if count},
        notes=tuple(notes),
    )


def _layout(head: Head) -> _Layout | None:
    header = header_of(_table(head))
    if header is None:
        return None
    names = set(header.names)
    old, new = (
        {"EventSource", "StudyName"} <= names,
        bool(names & {"ET_GazeLeftx", "SlideEvent", _NEWER_MARK}),
    )
    if "Timestamp" in names and (old or new):
        return _Layout(header, "ET_" if "ET_GazeLeftx" in names else "")
    return None


def _is_nameless(head: Head) -> bool:
    """Return whether the rows are those of an eye tracker in the text of iMotions, without the names of the columns."""
    cells = [line.split("\t") for line in head.lines[:_FIRST_LINES] if not line.startswith("#")]
    return any(any(map(_STAMP.fullmatch, row)) and any(map(_is_tracker, row)) for row in cells)


def _table(head: Head) -> Head:
    """Return the file without the lines that describe it."""
    return rewritten(head, _without_comments)


def _without_comments() -> Callable[[bytes], bytes]:
    return by_line(lambda line: b"" if line.lstrip(b'"\xef\xbb\xbf').startswith(b"#") else line)


def _wanted(head: Head, header: Header, prefix: str) -> dict[str, tuple[int, Kind]]:
    names = set(header.names)
    needed = _COMBINED if "Gaze X" in names and f"{prefix}GazeLeftx" not in names else _GAZE
    gaze = {key: name if needed is _COMBINED else prefix + name for key, name in needed.items()}
    found = {key: name for key, name in gaze.items() if not key.endswith("pupil") or name in names}
    for side in ("Left", "Right"):
        validity = next(
            (n for n in (f"{prefix}Validity{side}", f"{prefix}Validity{side}Eye") if n in names),
            None,
        )
        found |= {f"{side.lower()}_validity": validity} if validity else {}
    fixation = {key.lower(): f"Fixation{key}" for key in _FIXATION}
    newer = dict(zip(fixation, (f"Fixation {key}" for key in _NEWER_FIXATION), strict=True))
    for form, columns in (("fixation", fixation), ("newer", newer)):
        if set(columns.values()) <= names:
            found |= {f"{form}_{key}": name for key, name in columns.items()}
    found |= {"media_t": "MediaTime"} if "MediaTime" in names else {}
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in found.items()
    }
    stimulus = next((name for name in _STIMULUS if name in names), None)
    texts = {"t": "Timestamp"} | ({"stimulus": stimulus} if stimulus else {})
    # In the newer generation the column is there once per sensor.
    texts |= (
        {"source": "EventSource"} if not prefix and header.names.count("EventSource") == 1 else {}
    )
    return wanted | {key: (header.index(name, head.path), "text") for key, name in texts.items()}


def _rows_of_tracker(table: Columns) -> npt.NDArray[np.bool_]:
    if "source" in table.found and "left_x" in table.found:
        return np.array([_is_tracker(source) for source in table.text("source")], np.bool_)
    gaze = np.column_stack([table.number(key) for key in (*_GAZE, *_COMBINED)])
    return np.asarray(np.isfinite(gaze).any(axis=1), np.bool_)


def _is_tracker(source: str) -> bool:
    return any(part.strip() == "ET" or part.strip().startswith("ET_") for part in source.split("|"))


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    if "x" in table.found:
        lost = (table.number("x") == -1) & (table.number("y") == -1)
        return {axis: np.where(lost, np.nan, table.number(axis)) for axis in "xy"}
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for side in ("left", "right"):
        x, y = table.number(f"{side}_x"), table.number(f"{side}_y")
        lost = ((x == -1) & (y == -1)) | (table.number(f"{side}_validity", 0.0) > _WORST_VALIDITY)
        pupil = table.number(f"{side}_pupil")
        gaze |= {f"{side}_x": np.where(lost, np.nan, x), f"{side}_y": np.where(lost, np.nan, y)}
        gaze[f"{side}_pupil"] = np.where(lost | ~(pupil > 0), np.nan, pupil)
    return gaze


def _fixations(
    name: str, table: Columns, time: npt.NDArray[np.float64], origin: float, notes: list[str]
) -> pa.Table:
    """Return iMotions' own fixations, each from the first of its rows."""
    form = next((form for form in ("fixation", "newer") if f"{form}_start" in table.found), None)
    if form is None:
        return conform({}, EVENTS)
    rows = pd.DataFrame(
        {key: table.number(f"{form}_{key}") for key in ("seq", "x", "y", "start", "duration")}
    )
    rows = rows.assign(stimulus=table.text("stimulus"), t=time, media_t=table.number("media_t"))
    rows = rows[rows["seq"].notna() & rows["start"].notna() & (rows["seq"] > 0)]
    rows = rows.drop_duplicates(["stimulus", "seq", "start"])
    # From the start of the stimulus to the clock of the rows.
    rows["onset"] = rows["start"] + (rows["t"] - rows["media_t"] if form == "fixation" else 0.0)
    if unplaced := int((rows["onset"].isna() & rows["t"].notna()).sum()):
        notes.append(
            f"{unplaced} fixations begin with their first row: their rows have no MediaTime"
        )
        rows["onset"] = rows["onset"].fillna(rows["t"])
    usable = (
        rows[["onset", "x", "y"]].notna().all(axis=1)
        & (rows["duration"] > 0)
        & (rows["seq"] <= _MOST_INDEX)
    )
    if not usable.all():
        notes.append(
            f"{int((~usable).sum())} fixations without an onset, position or duration: left out"
        )
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
    """Return times in ms: as exported, or from midnight of the first row where the export gives local times."""
    texts = pd.Series(table.text("t"))
    there = texts != ""
    if not there.any() or _STAMP.fullmatch(texts[there].iloc[0]) is None:
        decimal = texts if header.delimiter == "," else texts.str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(decimal.where(decimal.str.fullmatch(_NUMBER)), errors="coerce")
        _refuse(head, header, texts, (numbers.isna() & there).to_numpy())
        return np.asarray(numbers, np.float64)
    parts = texts.str.extract(f"^{_STAMP.pattern}$")
    stamps = pd.to_datetime(
        parts[0] + parts[1] + parts[2], format="%Y%m%d%H%M%S%f", errors="coerce"
    )
    _refuse(head, header, texts, (stamps.isna() & there).to_numpy())
    midnight = stamps[there].iloc[0].normalize()
    return np.asarray((stamps - midnight) / pd.Timedelta(milliseconds=1), np.float64)


def _refuse(head: Head, header: Header, texts: pd.Series, wrong: npt.NDArray[np.bool_]) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        what = f"{quote(texts.iloc[row], 40)!r} is no time like that of the first row"
        line = line_of(head, header, row)
        raise ParseError(
            what, path=head.path, line=line, hint="the file is damaged here; export it again"
        )
