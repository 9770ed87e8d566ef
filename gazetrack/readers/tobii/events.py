"""Tobii Pro Lab: the messages and eye movements of an export that is read in parts.

Source: "Tobii Pro Lab User Manual", Tobii AB, "Data Export": rows of messages have an ``Event``;
the eye movements that the gaze filter found are written on the rows of their samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import quote
from gazetrack.readers.tobii.movements import KIND_OF, KINDS, MESSAGE, movements_of, runs_of
from gazetrack.readers.tobii.rows import starts_of_runs
from gazetrack.tables.schema import EVENTS, coded, conform
from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.readers.tobii.rows import Rows

    Floats = npt.NDArray[np.floating]

_EYES = ["", "both"]
_NO_GAZE = dict.fromkeys(("x_px", "y_px", "end_x_px", "end_y_px", "pupil"), np.nan)


class EventRows:
    """What the parts of an export say about events.

    It keeps one row for each message, and one for each run of samples of one eye movement. There
    are many of both in a long export, so texts stay codes to the end.

    Parameters
    ----------
    duration_to_ms : float
        What to multiply exported durations by to get milliseconds, NaN where nobody knows.
    """

    def __init__(self, duration_to_ms: float = 1.0) -> None:
        self._duration_to_ms = duration_to_ms
        self._unknown: dict[str, int] = {}
        self._said = {"": 0}
        self._names: dict[str, list[str]] = {}
        self._messages = _Rows()
        self._runs = _Rows()
        self._steps: dict[float, int] = {}
        # The time of the last sample of the part before, so that the step between two parts counts.
        self._last: Floats = np.empty(0)

    def take(self, rows: Rows, to_ms: float) -> None:
        """Take a part of the export.

        Parameters
        ----------
        rows : Rows
            The part; it must follow the one that was taken before.
        to_ms : float
            What to multiply the exported times by to get milliseconds.
        """
        self._messages.append(self._take_messages(rows, to_ms))
        self._names = {key: rows.table.texts(key).names for key in ("participant", "filter")}

        codes, names = rows.table.texts("event_type")
        kinds = np.array([KIND_OF.get(name.casefold(), MESSAGE) for name in names], np.int32)
        self._count_unknown(codes[rows.is_sample], kinds, names)
        is_kind_of_move = kinds != MESSAGE
        is_move = rows.is_sample & is_kind_of_move[codes]
        # Where all rows are samples of movements, a slice takes them without a copy.
        moves = slice(None) if is_move.all() else np.flatnonzero(is_move)

        stamps = rows.stamp[moves]
        self._count_steps(np.diff(np.r_[self._last, stamps]) * to_ms)
        if len(stamps):
            self._last = stamps[-1:]
            self._runs.append(runs_of(rows, moves, kinds, (to_ms, self._duration_to_ms)))

    def _count_unknown(
        self, codes: npt.NDArray[np.int32], kinds: npt.NDArray[np.int32], names: Sequence[str]
    ) -> None:
        """Count the samples whose movement is of no kind that is known."""
        counts = np.bincount(codes, minlength=len(names))
        for code in np.flatnonzero((counts > 0) & (kinds == MESSAGE)).tolist():
            name = names[code]
            if name:
                self._unknown[name] = self._unknown.get(name, 0) + int(counts[code])

    def _count_steps(self, steps: Floats) -> None:
        """Count the steps between samples by their length in ms."""
        if not len(steps):
            return
        # Most recordings have few different ones, in long runs: no need to sort them all.
        first = starts_of_runs(steps)
        lengths = np.diff(np.r_[first, len(steps)])
        for step, count in zip(steps[first].tolist(), lengths.tolist(), strict=True):
            self._steps[step] = self._steps.get(step, 0) + count

    def table(
        self,
        recordings: Sequence[str],
        stimuli: Sequence[str],
        trials: Sequence[str],
        numbered: bool,
        notes: list[str],
    ) -> pa.Table:
        """Return messages and eye movements, in the order of the file.

        Parameters
        ----------
        recordings, stimuli, trials : sequence of str
            The texts that the codes of the parts stand for.
        numbered : bool
            Whether the export numbers the movements.
        notes : list of str
            Receives what had to be inferred.
        """
        for name, count in self._unknown.items():
            notes.append(
                f"{count} samples of an eye movement type that is not known, "
                f"{quote(name, 40)!r}: no events"
            )
        messages = self._messages.frame()
        within_trial = messages.groupby(["recording", "trial"], sort=False)
        messages = messages.assign(
            kind=MESSAGE,
            eye=0,
            index=(within_trial.cumcount() + 1).astype(np.int32),
            duration_ms=0.0,
            **_NO_GAZE,
        )
        frames = [messages]
        if self._runs:
            filters = self._names["filter"]
            frames.append(movements_of(self._runs.frame(), self._step(), filters, numbered, notes))
        place = np.concatenate([frame.pop("row").to_numpy() for frame in frames])
        order = np.argsort(place, kind="stable")

        texts: dict[str, Sequence[str]] = {
            "recording": recordings,
            "participant": self._names["participant"],
            "stimulus": stimuli,
            "trial": trials,
            "kind": KINDS,
            "eye": _EYES,
            "text": list(self._said),
        }
        columns: dict[str, object] = {}
        for name in list(map(str, messages)):
            # A column at a time: all events together are not in memory twice.
            values = np.concatenate([frame.pop(name).to_numpy() for frame in frames])[order]
            columns[name] = coded(values, texts[name]) if name in texts else values
        return conform(columns, EVENTS)

    def _take_messages(self, rows: Rows, to_ms: float) -> dict[str, Any]:
        """Return the rows of messages as columns; one says its event and the event's value."""
        table = rows.table
        at = np.flatnonzero(rows.is_message)
        event = table.texts("event")
        value = table.texts("event_value")
        pairs = list(zip(event.codes[at].tolist(), value.codes[at].tolist(), strict=True))
        # A message is said many times: each different one is put together once.
        code_of: dict[tuple[int, int], int] = {}
        for pair in dict.fromkeys(pairs):
            said = f"{event.names[pair[0]]} {value.names[pair[1]]}".strip()
            code_of[pair] = self._said.setdefault(said, len(self._said))
        return {
            "row": rows.first + at,
            "recording": rows.recording[at],
            "participant": table.texts("participant").codes[at],
            "stimulus": rows.stimulus[at],
            "trial": rows.trial[at],
            "onset_ms": rows.stamp[at] * to_ms,
            "text": np.array([code_of[pair] for pair in pairs], np.int32),
        }

    def _step(self) -> float:
        """Return the median step forward between samples of eye movements, 0 without any."""
        forward = sorted((step, count) for step, count in self._steps.items() if step > 0)
        if not forward:
            return 0.0
        steps, counts = np.array(forward).T
        # The median of n values is the mean of those at (n - 1) // 2 and n // 2 in order.
        below = np.cumsum(counts)
        n = below[-1]
        middle = np.searchsorted(below, [(n - 1) // 2, n // 2], side="right")
        return float(steps[middle].mean())


class _Rows:
    """Columns of numbers collected part by part: few in memory, many in a temporary file."""

    def __init__(self) -> None:
        self._spill: Spill | None = None

    def __bool__(self) -> bool:
        return self._spill is not None

    def append(self, columns: dict[str, Any]) -> None:
        """Add the rows of a part; all parts have the same columns."""
        # Parts of few known numbers have narrower ones.
        wide = {
            name: values.astype(np.float64) if values.dtype.kind == "f" else values
            for name, values in columns.items()
        }
        batch = pa.RecordBatch.from_pydict(wide)
        if self._spill is None:
            self._spill = Spill(batch.schema, EVENT_ROWS)
        self._spill.append(batch.cast(self._spill.schema))

    def frame(self) -> pd.DataFrame:
        """Return all rows as one table; no more can be added."""
        if self._spill is None:
            return pd.DataFrame()
        rows = pa.Table.from_batches(self._spill.batches(), self._spill.schema)
        self._spill = None
        columns = {name: rows[name].to_numpy() for name in rows.column_names}
        return pd.DataFrame(columns, copy=False)
