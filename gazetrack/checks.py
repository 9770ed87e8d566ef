"""What no reader may let through: positions, durations and onsets that no eye tracker measures, and silence of damage.

One stage after all readers, third-party ones included, so that no reader needs these rules of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.damage import check_gaze, check_times, refuse_nothing
from gazetrack.schema import conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.recording import Recording

# Trackers mark lost gaze with the extremes of 16 bits; no screen is as wide.
MAX_POSITION_PX = 32_000.0
MAX_DURATION_MS = 24 * 3600e3


def checked(recording: Recording) -> Recording:
    """Return the recording without impossible values, and with a note of whatever is wrong with it as a whole.

    Parameters
    ----------
    recording : Recording
        As a reader gave it.

    Returns
    -------
    Recording
        Samples and events at impossible positions (beyond 32,000 px) have none; events of impossible length (a day)
        are left out; both with a note. Rows of fixation tables are left out and counted in ``dropped`` by reason.

    Raises
    ------
    ParseError
        Nothing sensible is left: no rows, times in no order, one position throughout that is off the screen. It names
        no file: the caller knows which it is.
    """
    notes = list(recording.notes)
    samples, events, fixations = recording.samples, recording.events, recording.fixations
    if samples is not None:
        samples = _without_absurd_positions(samples, "samples", notes)
    events = _without_absurd_positions(events, "events", notes)
    endless = ~(_column(events, "duration_ms") <= MAX_DURATION_MS)
    if endless.any():
        notes.append(f"{int(endless.sum())} events longer than a day: left out")
        events = events.filter(~endless)
    dropped = dict(recording.dropped)
    if fixations is not None:
        fixations, more = valid_fixations(fixations, positions=not recording.no_positions)
        dropped |= {reason: count + dropped.get(reason, 0) for reason, count in more.items()}
    mended = replace(recording, samples=samples, events=events, fixations=fixations, dropped=dropped)
    refuse_nothing(mended)
    check_times(mended, notes)
    check_gaze(mended, notes)
    return replace(mended, notes=tuple(dict.fromkeys(notes)))


def valid_fixations(table: pa.Table, *, positions: bool = True) -> tuple[pa.Table, dict[str, int]]:
    """Return the fixations that can be, and the number of all others by reason.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `FIXATIONS`.
    positions : bool
        Whether a fixation needs a position; without, as in an export that has none, it is one all the same.
    """
    x, y, onset, duration = (_column(table, name) for name in ("x_px", "y_px", "onset_ms", "duration_ms"))
    reasons = {
        "no position": positions & ~(np.isfinite(x) & np.isfinite(y)),
        "absurd position": np.maximum(np.abs(x), np.abs(y)) > MAX_POSITION_PX,
        "no onset": ~np.isfinite(onset),
        "no duration": ~np.isfinite(duration) | (duration == 0),
        "negative duration": duration < 0,
        "absurd duration": duration > MAX_DURATION_MS,
    }
    left, dropped = np.ones(table.num_rows, np.bool_), {}
    for reason, wrong in reasons.items():
        now = left & wrong
        if now.any():
            dropped[reason] = int(now.sum())
        left &= ~now
    return table if left.all() else table.filter(left), dropped


def _without_absurd_positions(table: pa.Table, what: str, notes: list[str]) -> pa.Table:
    names = [name for name in table.column_names if name.endswith(("x_px", "y_px"))]
    if not any(_reach(table[name]) > MAX_POSITION_PX for name in names):
        return table
    values = {name: _column(table, name) for name in names}
    absurd = {name: np.abs(column) > MAX_POSITION_PX for name, column in values.items()}
    anywhere = np.logical_or.reduce(list(absurd.values()))
    notes.append(
        f"{int(anywhere.sum())} {what} at absurd positions, beyond {MAX_POSITION_PX:,.0f} px: taken as missing"
    )
    # Both coordinates go with either.
    pairs = {name: absurd[name] | absurd[name[:-4] + ("y_px" if name.endswith("x_px") else "x_px")] for name in names}
    mended = {name: np.where(pairs[name], np.float32(np.nan), values[name]) for name in names}
    return conform({name: mended.get(name, table[name]) for name in table.column_names}, table.schema)


def _reach(column: pa.ChunkedArray) -> float:
    """Return the largest distance from 0; missing numbers do not count."""
    return max((float(np.fmax.reduce(np.abs(chunk), initial=0)) for chunk in column.chunks), default=0.0)


def _column(table: pa.Table, name: str) -> npt.NDArray[np.floating]:
    values: npt.NDArray[np.floating] = table[name].to_numpy()
    return values
