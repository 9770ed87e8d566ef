"""EyeLink ASC: the events in the order of their lines, few in memory and many in a file.

A recording with a message each few samples has millions of events. A part of them is settled once
the blocks that they come from are read, and is spilled like samples.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gazetrack.readers.eyelink.movements import (
    AMPLITUDE,
    BLINK,
    DURATION,
    END_X,
    END_Y,
    EYE,
    FIXATION,
    LAST,
    ONSET,
    PEAK_VELOCITY,
    PUPIL,
    SACCADE,
    Event,
    X,
    Y,
)
from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.readers.eyelink.movements import Movements

# What the codes of kinds and eyes stand for; the first of the kinds are as the kernel numbers them.
KINDS = ("", "fixation", "saccade", "blink", "message", "input", "button")
EYES = ("left", "right", "")
_NO_EYE = EYES.index("")
_NUMBERS = (
    "onset",
    "last",
    "vendor_duration",
    "step",
    "x",
    "y",
    "end_x",
    "end_y",
    "amplitude",
    "peak_velocity",
    "pupil",
)
ROWS = pa.schema(
    [
        pa.field("kind", pa.uint8()),
        pa.field("eye", pa.uint8()),
        *(pa.field(name, pa.float64()) for name in _NUMBERS),
        pa.field("in_pixels", pa.uint8()),
        pa.field("line", pa.int64()),
        pa.field("text", pa.string()),
    ]
)
_PART_ROWS = 1 << 14


class EventRows:
    """Collects events, block by block.

    Parameters
    ----------
    spill_rows : int, optional
        From so many events on they are kept in a temporary file, see `EVENT_ROWS`.

    Attributes
    ----------
    count : int
        How many events there are so far.
    n_angular : int
        How many of them have positions that are directions (HREF).
    any_in_pixels : bool
        Whether a fixation or saccade has positions in pixels of the screen.
    first_onset : float
        The earliest time of an event, ms of the tracker's clock; infinite without any.
    """

    def __init__(self, spill_rows: int | None = None) -> None:
        self.count = 0
        self.n_angular = 0
        self.any_in_pixels = False
        self.first_onset = math.inf
        self._events: list[Event] = []
        self._movements: list[Movements] = []
        self._n_waiting = 0
        self._rows = Spill(ROWS, EVENT_ROWS if spill_rows is None else spill_rows)

    def add(self, event: Event) -> None:
        """Add the event of one line."""
        self._events.append(event)
        self._n_waiting += 1
        self.count += 1
        self.n_angular += not event.in_pixels
        if event.in_pixels and event.kind in KINDS[FIXATION:BLINK]:
            self.any_in_pixels = True
        self.first_onset = min(self.first_onset, event.onset)

    def add_movements(self, movements: Movements) -> None:
        """Add eye movements that the kernel has parsed, whose positions are pixels.

        Parameters
        ----------
        movements : Movements
            One of them at least.
        """
        n_rows = len(movements.kinds)
        self._movements.append(movements)
        self._n_waiting += n_rows
        self.count += n_rows
        self.any_in_pixels |= bool((movements.kinds < BLINK).any())
        self.first_onset = min(self.first_onset, float(movements.fields[:, ONSET].min()))

    def end_block(self) -> None:
        """Take the end of a block: what follows stands on later lines than all so far."""
        if self._n_waiting >= _PART_ROWS:
            self._settle()

    def parts(self) -> list[pa.RecordBatch]:
        """Return all events in the order of their lines, as `ROWS`; no more can be added."""
        self._settle()
        return self._rows.batches()

    def _settle(self) -> None:
        """Make a part of the events that wait, in the order of their lines."""
        if not self._n_waiting:
            return
        batches = [_of_movements(part) for part in self._movements]
        if self._events:
            batches.append(_of_lines(self._events))
        together = pa.Table.from_batches(batches, ROWS)
        order = np.argsort(together["line"].to_numpy(), kind="stable")
        (part,) = together.take(pa.array(order)).combine_chunks().to_batches()
        self._rows.append(part)
        self._events = []
        self._movements = []
        self._n_waiting = 0


def _of_lines(events: Sequence[Event]) -> pa.RecordBatch:
    """Return events of single lines as a batch of `ROWS`."""
    columns = dict(zip(Event._fields, zip(*events, strict=True), strict=True))
    kinds = [KINDS.index(kind) for kind in columns["kind"]]
    eyes = [EYES.index(eye) for eye in columns["eye"]]
    in_pixels = list(map(int, columns["in_pixels"]))
    coded = {**columns, "kind": kinds, "eye": eyes, "in_pixels": in_pixels}
    arrays = [pa.array(coded[field.name], field.type) for field in ROWS]
    return pa.record_batch(arrays, ROWS)


def _of_movements(movements: Movements) -> pa.RecordBatch:
    """Return eye movements of the kernel as a batch of `ROWS`."""
    kinds = movements.kinds
    fields = movements.fields
    is_placed = kinds != BLINK
    has_pupil = (kinds == FIXATION) & (fields[:, PUPIL] != 0)

    def only(rows: npt.NDArray[np.bool_], at: int) -> npt.NDArray[np.float64]:
        return np.where(rows, fields[:, at], np.nan)

    columns = {
        "kind": kinds,
        "eye": fields[:, EYE].astype(np.uint8),
        "onset": fields[:, ONSET].copy(),
        "last": fields[:, LAST].copy(),
        "vendor_duration": fields[:, DURATION].copy(),
        "step": movements.steps,
        "x": only(is_placed, X),
        "y": only(is_placed, Y),
        "end_x": only(kinds == SACCADE, END_X),
        "end_y": only(kinds == SACCADE, END_Y),
        "amplitude": only(kinds == SACCADE, AMPLITUDE),
        "peak_velocity": only(kinds == SACCADE, PEAK_VELOCITY),
        "pupil": only(has_pupil, PUPIL),
        "in_pixels": np.ones(len(kinds), np.uint8),
        "line": movements.lines,
        "text": np.full(len(kinds), "", object),
    }
    arrays = [pa.array(columns[field.name], field.type) for field in ROWS]
    return pa.record_batch(arrays, ROWS)
