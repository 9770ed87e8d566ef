"""Blinks of Pupil Player and Pupil Cloud, ``blinks.csv``: events of the gaze beside them.

Specification: "Pupil Core, Blink Detector" and "Neon, Timeseries Data", Pupil Labs. Player writes
seconds of the recording's clock, Cloud nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.text.header import Kind, header_of, needed_header
from gazetrack.readers.text.table import read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.base import Head

_MARKS = {
    "pupil_core": {"start_timestamp", "duration", "filter_response"},
    "pupil_cloud": {"blink id", "start timestamp [ns]", "duration [ms]"},
}
_MOST_INDEX = 2**31 - 1


# The columns of each format, by our names.
_NAMES = {
    "pupil_core": {"t": "start_timestamp", "duration": "duration", "id": "id"},
    "pupil_cloud": {"t": "start timestamp [ns]", "duration": "duration [ms]", "id": "blink id"},
}
_DURATION_MS = {"pupil_core": 1e3, "pupil_cloud": 1.0}


def is_blinks(head: Head, format: str) -> bool:
    """Tell whether a file is the blinks of a recording of this format."""
    header = header_of(head)
    return header is not None and _MARKS.get(format, {""}) <= set(header.names)


def read_blinks(head: Head, format: str) -> Recording:
    """Read a file of blinks.

    Returns
    -------
    Recording
        Events alone, their times from the first blink; `origin_ms`, and of Pupil Cloud `start_ns`,
        say when that was.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in _NAMES[format].items()
    }
    table = read_columns(head, header, wanted)
    timed = np.isfinite(table.number("t")) & np.isfinite(table.number("duration"))
    if format == "pupil_cloud":
        at, _ = wanted["t"]
        onset, start_ns = _from_nanoseconds(head, at, header.lines, timed)
        origin = (start_ns or 0) / 1e6
    else:
        seconds = table.number("t")[timed]
        first = float(seconds[0]) if seconds.size else 0.0
        onset = (seconds - first) * 1e3
        start_ns = None
        origin = first * 1e3
    number = np.clip(np.nan_to_num(table.number("id")[timed]), 0, _MOST_INDEX).astype(np.int32)
    events = {
        "recording": head.stem,
        "kind": "blink",
        "eye": "both",
        "index": number,
        "onset_ms": onset,
        "duration_ms": table.number("duration")[timed] * _DURATION_MS[format],
    }
    return Recording(
        name=head.stem,
        format=format,
        sample_table=None,
        event_table=conform(events, EVENTS),
        origin_ms=origin,
        start_ns=start_ns,
        rows_in=table.n_rows,
        dropped=counted({"no onset": ~timed}),
    )


def _from_nanoseconds(
    head: Head, at: int, line: int, timed: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], int | None]:
    """Return milliseconds from the first time, and when that was, None without any.

    Times are subtracted as integers: float64 has too few digits for ns since 1970.
    """
    texts = read_columns(head, needed_header(head), {"t": (at, "text")}).text("t")[timed]
    try:
        stamps = pc.cast(pa.array(texts, pa.string()), pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        hint = "export again: spreadsheets round long numbers"
        what = "a start of a blink that is no whole number"
        raise ParseError(what, path=head.path, line=line, column=at + 1, hint=hint) from error
    if not len(stamps):
        return np.empty(0), None
    return (stamps - stamps[0]) / 1e6, int(stamps[0])
