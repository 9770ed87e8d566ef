"""What no reader may let through: positions, durations and onsets that no tracker measures.

One stage after all readers, third-party ones included, so that no reader needs these rules of its
own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.tables.damage import (
    check_durations,
    check_gaze,
    check_names,
    check_times,
    refuse_nothing,
)
from gazetrack.tables.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.tables.recording import Recording

# Trackers mark lost gaze with the extremes of 16 bits; no screen is as wide.
MAX_POSITION_PX = 32_000.0
MAX_DURATION_MS = 24 * 3600e3
# Twice what the widest human pupil measures.
MAX_PUPIL_MM = 20.0
_NO_ROWS = np.empty(0, np.intp)


def checked(recording: Recording) -> Recording:
    """Return the recording without impossible values, with a note of what else is wrong.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.

    Returns
    -------
    Recording
        Samples and events at impossible positions (beyond 32,000 px) and at those that trackers
        write for lost gaze, (0, 0) and (-1, -1), have none, nor have those with one coordinate
        alone, unless the tracker measures one only; pupil sizes of 0 and -1 are missing;
        events of impossible length (a day) are left out; all with a note. Rows of fixation tables
        are left out and counted in ``dropped`` by reason.

    Raises
    ------
    ParseError
        Nothing sensible is left: no rows, times in no order, one position throughout that is off
        the screen. It names no file: the caller knows which it is.
    """
    notes = list(recording.notes)
    samples = recording.sample_table
    events = recording.event_table
    fixations = recording.fixation_table
    on_screen = not (recording.directions or recording.marks_known)
    unmarked = partial(_without_marks, on_screen=on_screen, notes=notes)
    if samples is not None:
        samples = _without_absurd_positions(unmarked(samples, "samples"), "samples", notes)
    events = _without_absurd_positions(unmarked(events, "events"), "events", notes)
    dropped = dict(recording.dropped)
    n_before = events.num_rows
    events = _without_endless(events, notes)
    if n_endless := n_before - events.num_rows:
        # Of a reader whose events are rows of the export they are rows that were not used; runs of
        # samples are none.
        n_samples = 0 if samples is None else samples.num_rows
        n_rows = recording.rows_in - sum(dropped.values()) - n_samples - events.num_rows
        if n_rows > 0:
            dropped["longer than a day"] = min(n_endless, n_rows)
    if fixations is not None:
        fixations = unmarked(fixations, "fixations")
        fixations, more = valid_fixations(fixations, positions=not recording.no_positions)
        dropped |= {reason: count + dropped.get(reason, 0) for reason, count in more.items()}
    mended = replace(
        recording,
        sample_table=samples,
        event_table=events,
        fixation_table=fixations,
        dropped=dropped,
    )
    refuse_nothing(mended)
    check_times(mended, notes)
    check_durations(mended, notes)
    check_gaze(mended, notes)
    check_names(mended, notes)
    return replace(mended, notes=tuple(dict.fromkeys(notes)))


def _without_endless(events: pa.Table, notes: list[str]) -> pa.Table:
    """Return the events without those that last longer than a day, or for no known time."""
    import pyarrow as pa

    lasting = [chunk.to_numpy() <= MAX_DURATION_MS for chunk in events["duration_ms"].chunks]
    n_endless = events.num_rows - sum(int(np.count_nonzero(chunk)) for chunk in lasting)
    if not n_endless:
        return events
    notes.append(f"{n_endless} events longer than a day: left out")
    return events.filter(pa.chunked_array(lasting, pa.bool_()))


def valid_fixations(table: pa.Table, *, positions: bool = True) -> tuple[pa.Table, dict[str, int]]:
    """Return the fixations that can be, and the number of all others by reason.

    Parameters
    ----------
    table : pyarrow.Table
        The fixations, in the schema `FIXATIONS`.
    positions : bool
        Whether a fixation needs a position; without, as in an export that has none, it is one all
        the same.

    Returns
    -------
    pyarrow.Table, dict of str to int
        The rows that are possible fixations, and how many are not, by reason. A row is counted
        once, under the first reason that holds.
    """
    x = _column(table, "x_px")
    y = _column(table, "y_px")
    onset = _column(table, "onset_ms")
    duration = _column(table, "duration_ms")
    reasons = {
        "no position": positions & ~(np.isfinite(x) & np.isfinite(y)),
        "absurd position": np.maximum(np.abs(x), np.abs(y)) > MAX_POSITION_PX,
        "no onset": ~np.isfinite(onset),
        "no duration": ~np.isfinite(duration) | (duration == 0),
        "negative duration": duration < 0,
        "absurd duration": duration > MAX_DURATION_MS,
    }
    left = np.ones(table.num_rows, np.bool_)
    dropped = {}
    for reason, is_wrong in reasons.items():
        drops = left & is_wrong
        if drops.any():
            dropped[reason] = int(drops.sum())
        left &= ~drops
    return table if left.all() else table.filter(left), dropped


def _without_marks(table: pa.Table, what: str, *, on_screen: bool, notes: list[str]) -> pa.Table:
    """Return a table without what trackers write for lost gaze, and without infinite pupils.

    It is looked at batch by batch, and what has changed of a long one is kept in a file.

    Parameters
    ----------
    table : pyarrow.Table
        A table of samples, events or fixations.
    what : str
        Which of these, for the note.
    on_screen : bool
        Whether positions count from a corner; only there are (0, 0) and (-1, -1) no place that
        anybody looks at.
    notes : list of str
        A note with each of the counts is added to it.
    """
    import pyarrow as pa

    eyes = [
        name[:-4]
        for name in table.column_names
        if name.endswith("x_px") and not name.startswith("median_")
    ]
    sizes = [name for name in table.column_names if name.endswith("pupil")]
    relative = {name for name in sizes if _is_signed(table[name])}
    n_positions = n_halves = n_sizes = n_infinite = 0
    in_planes = [eye for eye in eyes if _has_both(table, eye)]
    # Columns of numbers alone, from the first mark on: all else stays where it is.
    numbers = pa.schema([field for field in table.schema if pa.types.is_floating(field.type)])
    kept = Spill(numbers)
    unchanged: list[pa.RecordBatch] = []
    for batch in table.to_batches():
        marked = {eye: _marked(batch, eye) for eye in eyes if on_screen}
        halves = {eye: _halves(batch, eye) for eye in in_planes}
        lost = {
            eye: np.union1d(marked.get(eye, _NO_ROWS), halves.get(eye, _NO_ROWS)) for eye in eyes
        }
        mended = {
            name: column
            for eye, rows in lost.items()
            for name, column in _blank(batch, eye, rows).items()
        }
        if "left_" in lost and "right_" in lost:
            of_an_eye = np.union1d(lost["left_"], lost["right_"])
            mended |= _combined_again(batch, mended, of_an_eye, in_plane="" in in_planes)
        n_positions += _n_rows(marked)
        n_halves += _n_rows(halves)
        for name in sizes:
            values = batch.column(name).to_numpy()
            # Of sizes relative to a baseline, 0 and -1 are sizes like any other.
            missing = ((values == 0) | (values == -1)) & (name not in relative)
            infinite = np.isinf(values)
            if missing.any() or infinite.any():
                n_sizes += int(missing.sum())
                n_infinite += int(infinite.sum())
                mended[name] = np.where(missing | infinite, np.float32(np.nan), values)
        if not mended and not kept.rows:
            unchanged.append(batch.select(numbers.names))
            continue
        while unchanged:
            kept.append(unchanged.pop(0))
        columns = [
            pa.array(mended[field.name], field.type)
            if field.name in mended
            else batch.column(field.name)
            for field in numbers
        ]
        kept.append(pa.record_batch(columns, numbers))
    if n_positions:
        marks = "(0, 0) or (-1, -1), which trackers write for lost gaze"
        notes.append(f"{n_positions} {what} at {marks}: taken as missing")
    if n_halves:
        half = "with one coordinate alone"
        notes.append(f"{n_halves} {what} {half}, which is no place: taken as missing")
    if n_sizes:
        notes.append(f"{n_sizes} pupil sizes of 0 or -1 in the {what}: taken as missing")
    if n_infinite:
        notes.append(f"{n_infinite} pupil sizes of the {what} are absurdly large: taken as missing")
    any_mended = n_positions or n_halves or n_sizes or n_infinite
    return _with_numbers(table, kept) if any_mended else table


def _n_rows(of_eyes: Mapping[str, npt.NDArray[np.intp]]) -> int:
    """Return how many rows are named for any of the eyes."""
    return len(np.unique(np.concatenate(list(of_eyes.values())))) if of_eyes else 0


def _has_both(table: pa.Table, eye: str) -> bool:
    """Whether both coordinates are measured: a tracker of one alone has none of the other."""
    names = (f"{eye}x_px", f"{eye}y_px")
    return all(_has_any(table[name]) for name in names)


def _has_any(column: pa.ChunkedArray) -> bool:
    """Whether a number is known."""
    return any(not bool(np.all(np.isnan(chunk))) for chunk in column.chunks)


def _halves(batch: pa.RecordBatch, eye: str) -> npt.NDArray[np.intp]:
    """Return the rows in which one coordinate of two is missing."""
    x = np.isnan(batch.column(f"{eye}x_px").to_numpy())
    y = np.isnan(batch.column(f"{eye}y_px").to_numpy())
    rows: npt.NDArray[np.intp] = np.flatnonzero(x != y)
    return rows


def _with_numbers(table: pa.Table, mended: Spill) -> pa.Table:
    """Return the table with other columns of numbers in place of its own."""
    import pyarrow as pa

    numbers = pa.Table.from_batches(mended.batches(), mended.schema)
    columns = [
        numbers[field.name] if field.name in mended.schema.names else table[field.name]
        for field in table.schema
    ]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _is_signed(column: pa.ChunkedArray) -> bool:
    """Return whether pupil sizes are relative, as to a baseline."""
    return any(
        bool(((values < 0) & (values != -1) & np.isfinite(values)).any())
        for values in (chunk.to_numpy() for chunk in column.chunks)
    )


def _marked(batch: pa.RecordBatch, eye: str) -> npt.NDArray[np.intp]:
    """Return the rows whose position is a mark of lost gaze: 0 or -1 in both coordinates."""
    x = batch.column(f"{eye}x_px").to_numpy()
    y = batch.column(f"{eye}y_px").to_numpy()
    maybe = np.flatnonzero((x == 0) | (x == -1))
    rows: npt.NDArray[np.intp] = maybe[y[maybe] == x[maybe]]
    return rows


def _blank(
    batch: pa.RecordBatch, eye: str, rows: npt.NDArray[np.intp]
) -> dict[str, npt.NDArray[np.floating]]:
    if not len(rows):
        return {}
    blank = {}
    for name in (f"{eye}x_px", f"{eye}y_px"):
        values = batch.column(name).to_numpy().copy()  # Arrow's own memory is not to be changed
        values[rows] = np.nan
        blank[name] = values
    return blank


def _combined_again(
    batch: pa.RecordBatch,
    mended: Mapping[str, npt.NDArray[np.floating]],
    rows: npt.NDArray[np.intp],
    *,
    in_plane: bool,
) -> dict[str, npt.NDArray[np.floating]]:
    """Return the combined gaze of these rows with only what is left of both eyes.

    A mark of lost gaze was averaged into it. Combined gaze that lies in a plane has no half either.
    """
    if not len(rows):
        return {}

    def column(name: str) -> npt.NDArray[np.floating]:
        values: npt.NDArray[np.floating] = batch.column(name).to_numpy()
        return mended.get(name, values)

    found = {}
    for name in ("x_px", "y_px"):
        left = column(f"left_{name}")[rows]
        right = column(f"right_{name}")[rows]
        mean = (left + right) / 2
        combined = column(name).copy()
        combined[rows] = np.where(np.isnan(left), right, np.where(np.isnan(right), left, mean))
        found[name] = combined
    if in_plane:
        is_half = np.isnan(found["x_px"]) != np.isnan(found["y_px"])
        for combined in found.values():
            combined[is_half] = np.nan
    return found


def _without_absurd_positions(table: pa.Table, what: str, notes: list[str]) -> pa.Table:
    """Return a table without positions that no screen has."""
    import pyarrow as pa

    names = [name for name in table.column_names if name.endswith(("x_px", "y_px"))]
    if not any(_reach(table[name]) > MAX_POSITION_PX for name in names):
        return table
    mended = Spill(pa.schema([table.schema.field(name) for name in names]))
    n_absurd = 0
    for batch in table.select(names).to_batches():
        values = {name: batch.column(name).to_numpy() for name in names}
        absurd = {name: np.abs(column) > MAX_POSITION_PX for name, column in values.items()}
        n_absurd += int(np.count_nonzero(np.logical_or.reduce(list(absurd.values()))))
        # Both coordinates go with either.
        columns = [
            np.where(absurd[name] | absurd[_other_axis(name)], np.float32(np.nan), values[name])
            for name in names
        ]
        mended.append(pa.record_batch(list(map(pa.array, columns)), mended.schema))
    beyond = f"beyond {MAX_POSITION_PX:,.0f} px"
    notes.append(f"{n_absurd} {what} at absurd positions, {beyond}: taken as missing")
    return _with_numbers(table, mended)


def _other_axis(name: str) -> str:
    return name[:-4] + ("y_px" if name.endswith("x_px") else "x_px")


def _reach(column: pa.ChunkedArray) -> float:
    """Return the largest distance from 0; missing numbers do not count."""
    return max(
        (float(np.fmax.reduce(np.abs(chunk), initial=0)) for chunk in column.chunks), default=0.0
    )


def _column(table: pa.Table, name: str) -> npt.NDArray[np.floating]:
    values: npt.NDArray[np.floating] = table[name].to_numpy()
    return values
