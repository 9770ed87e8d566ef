"""Rows of numbers collected one by one, and put into order though they do not fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from gazetrack.tables.spill import Spill

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

_PART_ROWS = 1 << 14


class NumberRows:
    """Collects rows of numbers, few in memory and many in a temporary file.

    Parameters
    ----------
    names : sequence of str
        What the numbers of a row are called.
    """

    def __init__(self, names: Sequence[str]) -> None:
        schema = pa.schema([pa.field(name, pa.float64()) for name in names])
        self._parts = Spill(schema)
        self._waiting: list[tuple[float, ...]] = []

    @property
    def count(self) -> int:
        """How many rows there are so far."""
        return self._parts.rows + len(self._waiting)

    def add(self, *row: float) -> None:
        """Add a row, with NaN for what is missing."""
        self._waiting.append(row)
        if len(self._waiting) >= _PART_ROWS:
            self._settle()

    def parts(self) -> list[pa.RecordBatch]:
        """Return all rows in the order in which they came; no more can be added."""
        self._settle()
        return self._parts.batches()

    def _settle(self) -> None:
        if not self._waiting:
            return
        columns = np.array(self._waiting, np.float64).T
        arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
        self._parts.append(pa.record_batch(arrays, self._parts.schema))
        self._waiting = []


def in_order(
    parts: Iterable[pa.RecordBatch],
    by: str,
    next_values: Iterable[float],
    then: str | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of all parts in the order of a column; equal ones stay as they came.

    Held back are only the rows behind which a row of a later part belongs: few, where the parts are
    in order but for their edges.

    Parameters
    ----------
    parts : iterable of pyarrow.RecordBatch
        The rows, of one schema.
    by : str
        The column, in which nothing is missing.
    next_values : iterable of float
        For each part, the least value of the column in all parts behind it; infinite for the last.
    then : str, optional
        A column of numbers for the order of rows whose values are equal, before that in which they
        came.
    """
    held: list[pa.RecordBatch] = []
    for part, next_value in zip(parts, next_values, strict=True):
        together = pa.Table.from_batches([*held, part])
        values = together[by].to_numpy()
        if then is None:
            order = np.argsort(values, kind="stable")
            side: Literal["left", "right"] = "right"
        else:
            # Of rows that equal one of a later part, any may belong behind it.
            order = np.lexsort((together[then].to_numpy(), values))
            side = "left"
        n_ready = int(np.searchsorted(values[order], next_value, side=side))
        if np.isposinf(next_value):
            n_ready = len(values)
        ordered = together.take(pa.array(order)).combine_chunks()
        yield from ordered.slice(0, n_ready).to_batches()
        held = ordered.slice(n_ready).to_batches()


def least_behind(values: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return for each of the values the least of those behind it, infinite for the last."""
    if not len(values):
        return np.empty(0)
    behind: npt.NDArray[np.float64] = np.minimum.accumulate([np.inf, *values[:0:-1]])[::-1]
    return behind


def sorted_rows(parts: Sequence[pa.RecordBatch], by: str) -> list[pa.RecordBatch]:
    """Return rows in the order of a column without those in which it is missing.

    Parameters
    ----------
    parts : sequence of pyarrow.RecordBatch
        The rows, as `NumberRows` gives them.
    by : str
        The column; equal values stay as they came.
    """
    if not parts:
        return []
    known = [_known(part, by) for part in parts]
    least = [_least(part[by].to_numpy()) for part in parts]
    kept = Spill(parts[0].schema)
    for batch in in_order(known, by, least_behind(least)):
        kept.append(batch)
    return kept.batches()


def _known(part: pa.RecordBatch, by: str) -> pa.RecordBatch:
    is_known = np.isfinite(part[by].to_numpy())
    return part if is_known.all() else part.filter(pa.array(is_known))


def _least(values: npt.NDArray[np.float64]) -> float:
    return float(np.min(values, where=np.isfinite(values), initial=np.inf))


class LastValues:
    """Finds the last value that was given under a key.

    Parameters
    ----------
    parts : sequence of pyarrow.RecordBatch
        Rows in the order of their keys, as `sorted_rows` gives them.
    key, value : str
        The columns of the keys and of the values.
    """

    def __init__(self, parts: Sequence[pa.RecordBatch], key: str, value: str) -> None:
        self._keys = [part[key].to_numpy() for part in parts]
        self._values = [part[value].to_numpy() for part in parts]
        self._first_keys = np.array([keys[0] for keys in self._keys])

    def of(self, keys: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the value under each key, NaN where there is none."""
        found = np.full(len(keys), np.nan)
        owner = np.searchsorted(self._first_keys, keys, side="right") - 1
        for number in np.unique(owner[owner >= 0]).tolist():
            rows = np.flatnonzero(owner == number)
            own = self._keys[number]
            # The owner's first key is not behind the wanted one, so there is a place before.
            at = np.searchsorted(own, keys[rows], side="right") - 1
            is_there = own[at] == keys[rows]
            found[rows[is_there]] = self._values[number][at[is_there]]
        return found
