"""The events of a recording in whatever form the user has them, as one table of eye movements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gazetrack.errors import SchemaError
from gazetrack.interop.arrow import to_arrow
from gazetrack.tables.kinds import count_kinds
from gazetrack.tables.movements import DETECTED, MOVEMENTS, TRACKER
from gazetrack.tables.schema import conform

if TYPE_CHECKING:
    from gazetrack.interop.arrow import Rows
    from gazetrack.tables.recording import Recording

_NEEDED = ("onset_ms", "duration_ms")
_AXES = (("x_px", "y_px"), ("end_x_px", "end_y_px"))


def movements_of(recording: Recording, events: Rows | None) -> pa.Table:
    """Return the events that go along with a recording, in the order of time.

    Parameters
    ----------
    recording : Recording
        The recording they belong to; its own events are taken where no others are given.
    events : pandas.DataFrame, pyarrow.Table or path-like, optional
        What `detect_events`, `detect_fixations` or `exported_fixations` returned, or part of it.

    Returns
    -------
    pyarrow.Table
        Schema `MOVEMENTS`, positions on the screen: fixations on the pixels of an image go back to
        where the image lay, and are missing where nobody knows.

    Raises
    ------
    SchemaError
        The table has no onsets or durations.
    """
    if events is not None:
        table = _one_kind(recording, to_arrow(events), DETECTED)
    else:
        table = _one_kind(recording, recording.event_table, TRACKER)
        own = recording.fixation_table
        if own is not None and not count_kinds(table).get("fixation"):
            fixations = _one_kind(recording, own, TRACKER)
            table = pa.concat_tables([table, fixations]).unify_dictionaries()
    order = np.argsort(table["onset_ms"].to_numpy(), kind="stable")
    return table.take(order)


def _one_kind(recording: Recording, table: pa.Table, source: str) -> pa.Table:
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        what = f"is no table of events: it has no column {', '.join(missing)}"
        raise SchemaError(what, hint="give what gazetrack.detect_events(recording) returns")
    columns = {name: table[name] for name in table.column_names if name in MOVEMENTS.names}
    if "kind" not in columns:  # a table of fixations alone
        columns["kind"] = "fixation"
    columns.setdefault("source", source)
    if "image_width_px" in table.column_names:
        columns |= _on_screen(recording, table)
    return conform(_filled(columns, table.num_rows), MOVEMENTS)


def _filled(columns: dict[str, object], n_rows: int) -> dict[str, object]:
    """Return the columns with single values repeated: without any other, nobody knows how often."""
    return {
        name: pa.array([value] * n_rows, pa.string()) if isinstance(value, str) else value
        for name, value in columns.items()
    }


def _on_screen(recording: Recording, table: pa.Table) -> dict[str, object]:
    """Return positions on the screen, of fixations of which some are on the pixels of an image."""
    columns: dict[str, object] = {}
    on_image = np.isfinite(table["image_width_px"].to_numpy())
    stimuli = np.array(table["stimulus"].to_pylist(), object)
    for across, down in _AXES:
        if across not in table.column_names:
            continue
        x = table[across].to_numpy().astype(np.float64)
        y = table[down].to_numpy().astype(np.float64)
        x[on_image] = np.nan
        y[on_image] = np.nan
        for name, place in recording.placements.items():
            here = on_image & (stimuli == name)
            x_image = table[across].to_numpy()[here]
            y_image = table[down].to_numpy()[here]
            x[here], y[here] = place.to_screen(x_image, y_image)
        columns[across] = x
        columns[down] = y
    return columns
