"""Events collected part by part into a table: few in memory, many in a file that is mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.readers.shared.number_rows import in_order
from gazetrack.readers.shared.used_names import UsedNames
from gazetrack.tables.schema import EVENTS, TEXT
from gazetrack.tables.spill import EVENT_ROWS, Spill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    Codes = npt.NDArray[np.integer]

_TEXT = "text"
_NAMES = tuple(field.name for field in EVENTS if field.type == TEXT and field.name != _TEXT)
# The columns of EVENTS with names as codes: which of them there are is known at the end. The texts
# of messages, each of which may be another, stay with their part.
_PLAIN = pa.schema(
    [pa.field(field.name, pa.int32()) if field.name in _NAMES else field for field in EVENTS]
)


class EventSink:
    """Makes a table of events from parts, in the order of their onsets, and numbers them.

    Events whose reader knows another order and their numbers keep both.

    Parameters
    ----------
    names : mapping of str to sequence of str
        What the codes of each column of names stand for; one may be there twice. Columns that are
        absent are empty.
    spill_rows : int, optional
        From so many rows on they are kept in a temporary file, see `EVENT_ROWS`.
    by, then : str, optional
        The columns of numbers that they are put in order by, as in `in_order`; they need not be
        columns of `EVENTS`.
    numbers_of : set of str, optional
        The kinds of events that are numbered, all of them by default. Others have a number in their
        parts, under ``index``.
    """

    def __init__(
        self,
        names: Mapping[str, Sequence[str]],
        spill_rows: int | None = None,
        *,
        by: str = "onset_ms",
        then: str | None = None,
        numbers_of: set[str] | None = None,
    ) -> None:
        self._by = by
        self._then = then
        self._numbers_of = numbers_of
        self._texts = {column: names.get(column, [""]) for column in _NAMES}
        self._names = {column: UsedNames() for column in _NAMES}
        self._counts = _Counts()
        self._rows = Spill(_PLAIN, EVENT_ROWS if spill_rows is None else spill_rows)

    def take(self, parts: Iterable[pa.RecordBatch], next_onsets: Iterable[float]) -> None:
        """Take all parts, whose rows may be in another order, such as that of their lines.

        Events of one onset stay in the order in which they come, see `in_order`.

        Parameters
        ----------
        parts : iterable of pyarrow.RecordBatch
            Columns of `EVENTS`, all but ``index``: names as codes of int32, texts as strings;
            columns of names that are absent are all of the first name.
        next_onsets : iterable of float
            For each part, the earliest onset in all parts behind it, ms (or the least of what they
            are put in order by); infinite for the last one.
        """
        for batch in in_order(parts, self._by, next_onsets, self._then):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            first = np.zeros(batch.num_rows, np.int32)
            coded = {
                name: own.coded(
                    columns[name].to_numpy() if name in columns else first, self._texts[name]
                )
                for name, own in self._names.items()
            }
            columns |= {name: pa.array(codes, pa.int32()) for name, codes in coded.items()}
            columns["index"] = pa.array(self._numbers(columns.get("index"), coded), pa.int32())
            columns[_TEXT] = columns[_TEXT].dictionary_encode()
            self._rows.append(pa.record_batch([columns[name] for name in _PLAIN.names], _PLAIN))

    def _numbers(self, given: pa.Array | None, coded: Mapping[str, Codes]) -> Codes:
        """Return the numbers of events, which some have already."""
        keys = [coded[name] for name in ("kind", "eye", "trial")]
        if given is None or self._numbers_of is None:
            return self._counts.numbered(*keys)
        numbers: Codes = given.to_numpy().copy()
        kinds = self._names["kind"].used
        wanted = np.array([name in self._numbers_of for name in kinds], np.bool_)[coded["kind"]]
        if wanted.any():
            numbers[wanted] = self._counts.numbered(*(codes[wanted] for codes in keys))
        return numbers

    def table(self) -> pa.Table:
        """Return the events; few of them lie in one chunk."""
        plain = pa.Table.from_batches(self._rows.batches(), _PLAIN)
        if self._rows.all_in_memory:
            plain = plain.unify_dictionaries().combine_chunks()
        columns = []
        for field in EVENTS:
            column = plain[field.name]
            if field.name in _NAMES:
                own = pa.array(self._names[field.name].used, pa.string())
                chunks = [pa.DictionaryArray.from_arrays(codes, own) for codes in column.chunks]
                column = pa.chunked_array(chunks, field.type)
            columns.append(column)
        return pa.Table.from_arrays(columns, schema=EVENTS)


class _Counts:
    """Numbers the events of each kind, eye and trial from 1, part by part."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def numbered(self, kind: Codes, eye: Codes, trial: Codes) -> npt.NDArray[np.int64]:
        """Return the number of each event."""
        # There are fewer than 256 kinds and eyes.
        keys = (trial.astype(np.int64) << 16) | (kind << 8) | eye
        own, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
        before = np.array([self._counts.get(key, 0) for key in own.tolist()], np.int64)
        within = pd.Series(place).groupby(place, sort=False).cumcount().to_numpy()
        for key, n_before, n_more in zip(own.tolist(), before, counts, strict=True):
            self._counts[key] = int(n_before + n_more)
        numbers: npt.NDArray[np.int64] = before[place] + within + 1
        return numbers
