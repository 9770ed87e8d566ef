"""What was shown when, from the ``*_events.tsv`` beside a BIDS table of gaze.

Specification: "Brain Imaging Data Structure" 1.11, "Task events": onsets and durations in seconds,
on the clock that ``StartTime`` of the gaze counts from. BIDS has no column of its own for trials:
columns called ``trial`` and ``stimulus``, as `gazetrack bids` writes them, are used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import GazetrackError
from gazetrack.readers.base import read_head
from gazetrack.readers.text.header import Header, Kind, header_of
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.schema import SAMPLES, coded

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers.base import Head

_RECORDING = re.compile(r"_recording-[A-Za-z0-9]+")
_TABLE = re.compile(r"_physio\.tsv(\.gz)?$")
_NAMES = ("trial", "stimulus")
_US = 1e6  # in a second: times are compared as whole microseconds


def events_table_of(path: Path) -> Path | None:
    """Return the table of what was shown beside a table of gaze, or None."""
    if not _TABLE.search(path.name):
        return None
    found = path.with_name(_RECORDING.sub("", _TABLE.sub("", path.name)) + "_events.tsv")
    return found if found.is_file() else None


def with_shown(own: Head, facts: dict[str, Any], samples: pa.Table, notes: list[str]) -> pa.Table:
    """Return samples with the trial and the stimulus that the table of events gives them.

    Parameters
    ----------
    own : Head
        The first look at the table of gaze.
    facts : dict
        What its sidecar says, with ``StartTime`` in seconds.
    samples : pyarrow.Table
        Schema `SAMPLES`, times from the first sample.
    notes : list of str
        Receives why the table was not used.
    """
    beside = events_table_of(own.path)
    if beside is None or not samples.num_rows:
        return samples
    try:
        head = read_head(beside, own.reading.for_companion())
        header = header_of(head)
        if header is None or not _has_columns(header):
            return samples
        table = read_columns(head, header, _wanted(header, beside))
    except GazetrackError:
        notes.append("the events.tsv beside it cannot be read: trials and stimuli are not known")
        return samples
    start_s = facts.get("StartTime")
    shift_s = float(start_s) if isinstance(start_s, int | float) else 0.0
    times_us = np.rint(samples["t_ms"].to_numpy() * (_US / 1e3))
    rows = _rows_of(table, times_us, shift_s)
    if rows is None:
        notes.append("the rows of events.tsv beside it are at other times: not used")
        return samples
    for name in _NAMES:
        if name in table.found:
            texts = ["", *("" if text == "n/a" else text for text in table.text(name))]
            place = samples.schema.get_field_index(name)
            field = SAMPLES.field(name)
            column = coded((rows + 1).astype(np.int32), texts)
            samples = samples.set_column(place, field, column)
    return samples


def _has_columns(header: Header) -> bool:
    return {"onset", "duration"} <= set(header.names) and any(
        name in header.names for name in _NAMES
    )


def _wanted(header: Header, path: Path) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {
        name: (header.index(name, path), "float64") for name in ("onset", "duration")
    }
    for name in _NAMES:
        if name in header.names:
            wanted[name] = header.index(name, path), "text"
    return wanted


def _rows_of(
    table: Columns, times_us: npt.NDArray[np.float64], shift_s: float
) -> npt.NDArray[np.int64] | None:
    """Return the row that each sample is in, -1 for none; None where rows fit no sample.

    Parameters
    ----------
    table : Columns
        The rows, with onset and duration in seconds.
    times_us : ndarray of float64, shape (n,)
        The times of the samples in microseconds from the first of them.
    shift_s : float
        The time of the first sample on the clock of the rows, in seconds.
    """
    onset = np.rint((table.number("onset") - shift_s) * _US)
    end = onset + np.rint(table.number("duration") * _US)
    usable = np.flatnonzero(np.isfinite(onset) & np.isfinite(end))
    order = usable[np.argsort(onset[usable], kind="stable")]
    if not len(order):
        return None
    found = np.searchsorted(onset[order], times_us, side="right") - 1
    rows = np.where(found >= 0, order[np.maximum(found, 0)], -1)
    inside = (rows >= 0) & (times_us < end[rows])
    if not inside.any():
        return None
    return np.where(inside, rows, -1)
