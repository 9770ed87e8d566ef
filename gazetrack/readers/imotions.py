"""iMotions sensor data: rows of all sensors in one table, the eye tracker's among them.

Source: "Sensor Data Export", iMotions Help Center. Two generations: until 2019 tab-separated text with columns
``GazeLeftx`` and times as ``yyyymmdd_HHMMSSfff``; since then CSV with ``#`` lines before the header, columns
``ET_GazeLeftx`` and times in ms. -1 marks lost gaze. A row may hold the data of several sensors (``ET|Shimmer``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError, quote
from gazetrack.readers._gaze import gaze_columns
from gazetrack.readers._tables import Columns, Header, Kind, header_of, line_of, needed_header, read_columns
from gazetrack.readers._utf8 import by_line, rewritten
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.recording import Recording
from gazetrack.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

FORMAT = Format(
    name="imotions",
    title="iMotions sensor data",
    suffixes=(".txt", ".csv"),
    provides="samples",
    units="times to ms; px; pupil in mm",
    lost="all other sensors, iMotions' own fixations, distances, areas of interest, names, age and gender",
    source="https://help.imotions.com, Sensor Data Export",
)
_GAZE = {
    f"{side}_{axis}": f"Gaze{side.title()}{axis}" for side in ("left", "right") for axis in "xy"
} | {"left_pupil": "PupilLeft", "right_pupil": "PupilRight"}  # fmt: skip
_STIMULUS = ("StimulusName", "SourceStimuliName", "Stimulus")
_STAMP = re.compile(r"(\d{8})_(\d{6})(\d{3})")
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
        return NO
    if f"{layout.prefix}GazeLeftx" not in layout.header.names:
        return Verdict(Level.NO, "an iMotions export without eye tracking: export the sensor data of the eye tracker")
    return Verdict(Level.CERTAIN, f"columns Timestamp and {layout.prefix}GazeLeftx")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the rows of the eye tracker.

    Returns
    -------
    Recording
        Times count from the first sample.

    Raises
    ------
    ParseError
        A missing column, a damaged row or cell, a time of another form, or no rows of an eye tracker.
    """
    table_head = _table(head)
    header = needed_header(table_head)
    prefix = "ET_" if "ET_GazeLeftx" in header.names else ""
    table = read_columns(table_head, header, _wanted(head, header, prefix))
    of_tracker = _rows_of_tracker(table)
    if not of_tracker.any():
        raise ParseError("no rows of an eye tracker", path=head.path, hint="export the eye tracker's sensor data too")
    time = _times(table_head, header, table)
    used = of_tracker & np.isfinite(time)
    origin = float(time[used][0]) if used.any() else 0.0
    columns = gaze_columns({key: values[used] for key, values in _gaze(table).items()})
    columns |= {"recording": head.stem, "t_ms": time[used] - origin, "stimulus": table.text("stimulus")[used]}
    dropped = {"other sensors": int((~of_tracker).sum()), "no time": int((of_tracker & ~used).sum())}
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        samples=conform(columns, SAMPLES),
        events=conform({}, EVENTS),
        eyes="binocular",
        origin_ms=origin,
        software="iMotions",
        rows_in=table.n_rows,
        dropped={reason: count for reason, count in dropped.items() if count},
    )


def _layout(head: Head) -> _Layout | None:
    header = header_of(_table(head))
    if header is None:
        return None
    names = set(header.names)
    old, new = {"EventSource", "StudyName"} <= names, bool(names & {"ET_GazeLeftx", "SlideEvent"})
    if "Timestamp" in names and (old or new):
        return _Layout(header, "ET_" if "ET_GazeLeftx" in names else "")
    return None


def _table(head: Head) -> Head:
    """Return the file without the lines that describe it."""
    return rewritten(head, _without_comments)


def _without_comments() -> Callable[[bytes], bytes]:
    return by_line(lambda line: b"" if line.lstrip(b'"\xef\xbb\xbf').startswith(b"#") else line)


def _wanted(head: Head, header: Header, prefix: str) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index("Timestamp", head.path), "text")}
    for key, name in _GAZE.items():
        if key.endswith("pupil") and prefix + name not in header.names:
            continue
        wanted[key] = header.index(prefix + name, head.path), "float64"
    for side in ("Left", "Right"):
        if f"{prefix}Validity{side}" in header.names:
            wanted[f"{side.lower()}_validity"] = header.index(f"{prefix}Validity{side}", head.path), "float64"
    if not prefix and "EventSource" in header.names:
        wanted["source"] = header.index("EventSource", head.path), "text"
    stimulus = next((name for name in _STIMULUS if name in header.names), None)
    if stimulus is not None:
        wanted["stimulus"] = header.index(stimulus, head.path), "text"
    return wanted


def _rows_of_tracker(table: Columns) -> npt.NDArray[np.bool_]:
    if "source" in table.found:
        return np.array([_is_tracker(source) for source in table.text("source")], np.bool_)
    gaze = np.column_stack([table.number(key) for key in _GAZE])
    return np.asarray(np.isfinite(gaze).any(axis=1), np.bool_)


def _is_tracker(source: str) -> bool:
    return any(part.strip() == "ET" or part.strip().startswith("ET_") for part in source.split("|"))


def _gaze(table: Columns) -> dict[str, npt.NDArray[np.floating]]:
    gaze: dict[str, npt.NDArray[np.floating]] = {}
    for side in ("left", "right"):
        x, y = table.number(f"{side}_x"), table.number(f"{side}_y")
        lost = ((x == -1) & (y == -1)) | (table.number(f"{side}_validity", 0.0) > _WORST_VALIDITY)
        pupil = table.number(f"{side}_pupil")
        gaze |= {f"{side}_x": np.where(lost, np.nan, x), f"{side}_y": np.where(lost, np.nan, y)}
        gaze[f"{side}_pupil"] = np.where(lost | ~(pupil > 0), np.nan, pupil)
    return gaze


def _times(head: Head, header: Header, table: Columns) -> npt.NDArray[np.float64]:
    """Return times in ms: as exported, or from midnight of the first row where the export gives local times."""
    texts = pd.Series(table.text("t"))
    if _STAMP.fullmatch(texts.iloc[0]) is None:
        numbers = pd.to_numeric(texts.where(texts != ""), errors="coerce")
        _refuse(head, header, texts, (numbers.isna() & (texts != "")).to_numpy())
        return np.asarray(numbers, np.float64)
    parts = texts.str.extract(_STAMP.pattern)
    _refuse(head, header, texts, (parts[0].isna() & (texts != "")).to_numpy())
    stamps = pd.to_datetime(parts[0] + parts[1] + parts[2], format="%Y%m%d%H%M%S%f", errors="coerce")
    _refuse(head, header, texts, (stamps.isna() & (texts != "")).to_numpy())
    midnight = stamps.iloc[0].normalize()
    return np.asarray((stamps - midnight) / pd.Timedelta(milliseconds=1), np.float64)


def _refuse(head: Head, header: Header, texts: pd.Series, wrong: npt.NDArray[np.bool_]) -> None:
    if wrong.any():
        row = int(wrong.argmax())
        what = f"{quote(texts.iloc[row], 40)!r} is no time like that of the first row"
        line = line_of(head, header, row)
        raise ParseError(what, path=head.path, line=line, hint="the file is damaged here; export it again")
