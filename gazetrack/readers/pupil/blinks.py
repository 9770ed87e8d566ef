"""Blinks of Pupil Player and Pupil Cloud, ``blinks.csv``: events of the recording whose gaze lies beside them.

Specification: "Pupil Core, Blink Detector" and "Neon, Timeseries Data", Pupil Labs. Player writes
seconds of the recording's clock, Cloud nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gazetrack.errors import ParseError
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
    cloud = format == "pupil_cloud"
    names = {"t": "start timestamp [ns]", "duration": "duration [ms]", "id": "blink id"}
    names = names if cloud else {"t": "start_timestamp", "duration": "duration", "id": "id"}
    wanted: dict[str, tuple[int, Kind]] = {
        key: (header.index(name, head.path), "float64") for key, name in names.items()
    }
    table = read_columns(head, header, wanted)
    seconds, start_ns = table.number("t"), None
    timed = np.isfinite(seconds) & np.isfinite(table.number("duration"))
    if cloud:
        onset, start_ns = _from_nanoseconds(head, wanted["t"][0], header.lines, timed)
    else:
        onset = (seconds[timed] - (seconds[timed][0] if timed.any() else 0.0)) * 1e3
    origin = (
        (start_ns or 0) / 1e6 if cloud else float(seconds[timed][0]) * 1e3 if timed.any() else 0.0
    )
    number = np.clip(np.nan_to_num(table.number("id")[timed]), 0, _MOST_INDEX).astype(np.int32)
    events = {
        "recording": head.stem,
        "kind": "blink",
        "eye": "both",
        "index": number,
        "onset_ms": onset,
        "duration_ms": table.number("duration")[timed] * (1.0 if cloud else 1e3),
    }
    return Recording(
        name=head.stem,
        format=format,
        sample_table=None,
        event_table=conform(events, EVENTS),
        origin_ms=origin,
        start_ns=start_ns,
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no onset": int((~timed).sum())},
    )


def _from_nanoseconds(
    head: Head, at: int, line: int, timed: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], int | None]:
    """Return milliseconds from the first time, subtracted as integers: float64 has too few digits for the times."""
    texts = read_columns(head, needed_header(head), {"t": (at, "text")}).text("t")[timed]
    try:
        stamps = pc.cast(pa.array(texts, pa.string()), pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        hint = "export again: spreadsheets round long numbers"
        what = "a start of a blink that is no whole number"
        raise ParseError(what, path=head.path, line=line, column=at + 1, hint=hint) from error
    return ((stamps - stamps[0]) / 1e6, int(stamps[0])) if len(stamps) else (np.empty(0), None)
