"""Fixations of iMotions, which stand in the rows they last over, whatever rows these are.

Source: "Sensor Data Export", iMotions Help Center. Their start counts from the stimulus's
(``MediaTime``), in the newer generation from the recording's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.readers.shared.event_parts import EventParts
from gazetrack.readers.shared.number_rows import in_order, least_behind
from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.text.table import Columns

# The columns of fixations in either generation, by our names.
FIXATIONS = {
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
_MOST_INDEX = 2**31 - 1
# The same of two rows says that they are of one fixation.
_OWN = ["stimulus", "seq", "start"]
_NUMBERS = ("row", *_OWN, "x", "y", "duration", "t", "media_t")


class Fixations:
    """Finds the fixations in the rows of an export, each with the first of its rows."""

    def __init__(self) -> None:
        self._form = ""
        self._stimuli = [""]
        schema = pa.schema([pa.field(name, pa.float64()) for name in _NUMBERS])
        # Many have several rows in this, one in each part that they reach into.
        self._rows = Spill(schema, EVENT_ROWS)

    def take(self, table: Columns, time: npt.NDArray[np.float64], first_row: int) -> None:
        """Take a part of the export.

        Parameters
        ----------
        table : Columns
            The rows of the part, of whichever sensor.
        time : ndarray of float64, shape (n,)
            The times of these rows as exported, ms; NaN where missing.
        first_row : int
            The number of rows before the part.
        """
        form = next((form for form in FIXATIONS if f"{form}_start" in table.found), None)
        if form is None:
            return
        self._form = form
        codes, self._stimuli = table.texts("stimulus")
        columns = {key: table.number(f"{form}_{key}") for key in FIXATIONS[form]}
        columns["row"] = first_row + np.arange(table.n_rows, dtype=np.float64)
        columns["stimulus"] = codes.astype(np.float64)
        columns["t"] = time
        columns["media_t"] = table.number("media_t")
        seq = columns["seq"]
        is_fixation = (seq > 0) & ~np.isnan(columns["start"])
        if not is_fixation.any():
            return
        rows = pd.DataFrame(columns)[is_fixation].drop_duplicates(_OWN)
        arrays = [pa.array(rows[name].to_numpy(np.float64)) for name in _NUMBERS]
        self._rows.append(pa.record_batch(arrays, self._rows.schema))

    def table(self, name: str, origin: float, notes: list[str]) -> pa.Table:
        """Return all fixations as events, in the order of their first rows.

        Parameters
        ----------
        name : str
            What the recording is called.
        origin : float
            The time of the first sample as exported, ms.
        notes : list of str
            Receives how many begin elsewhere than stated, and how many are left out.
        """
        batches = self._rows.batches()
        least = least_behind([float(np.min(batch["start"].to_numpy())) for batch in batches])
        events = EventParts()
        n_unplaced = 0
        n_unusable = 0
        # All rows of a fixation have one start: in the order of starts they stand together.
        for batch in in_order(batches, "start", least, "row"):
            rows = batch.to_pandas().drop_duplicates(_OWN)
            onset = rows["start"]
            if self._form == "fixation":
                # The older generation counts from the start of the stimulus, as MediaTime does.
                onset = onset + (rows["t"] - rows["media_t"])
            n_unplaced += int((onset.isna() & rows["t"].notna()).sum())
            rows["onset"] = onset.fillna(rows["t"])
            placed = rows[["onset", "x", "y"]].notna().all(axis=1)
            usable = placed & (rows["duration"] > 0) & (rows["seq"] <= _MOST_INDEX)
            n_unusable += int((~usable).sum())
            _add(events, rows[usable], self._stimuli, origin)
        if n_unplaced:
            notes.append(
                f"{n_unplaced} fixations begin with their first row: their rows have no MediaTime"
            )
        if n_unusable:
            notes.append(f"{n_unusable} fixations without an onset, position or duration: left out")
        return events.table(recording=name)


def _add(events: EventParts, rows: pd.DataFrame, stimuli: list[str], origin: float) -> None:
    """Add fixations to the events."""
    stimulus = np.array(stimuli, object)[rows["stimulus"].to_numpy().astype(np.intp)]
    columns = {
        "kind": "fixation",
        "stimulus": stimulus,
        "index": rows["seq"].to_numpy(np.int32),
        "eye": "both",
        "onset_ms": rows["onset"].to_numpy() - origin,
        "duration_ms": rows["duration"].to_numpy(),
        "x_px": rows["x"].to_numpy(),
        "y_px": rows["y"].to_numpy(),
    }
    events.append(rows["row"].to_numpy(), columns)
