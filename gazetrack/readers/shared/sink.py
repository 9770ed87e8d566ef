"""Samples collected part by part: few in memory, many in a temporary file that is mapped."""

from __future__ import annotations

import mmap
import tempfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import OutputError
from gazetrack.tables.schema import SAMPLES, TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Columns = Mapping[str, npt.NDArray[Any]]

SPILL_ROWS = 1 << 18
_PLAIN = pa.schema(
    [pa.field(field.name, pa.int32() if field.type == TEXT else field.type) for field in SAMPLES]
)


class SampleSink:
    """Makes a table of samples from parts.

    Parameters
    ----------
    spill_rows : int
        From so many rows on they are kept in a temporary file without a name, of 56 bytes a row,
        not in memory.
    """

    def __init__(self, spill_rows: int = SPILL_ROWS) -> None:
        self._spill_rows = spill_rows
        self._batches: list[pa.RecordBatch] = []
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self.rows = 0

    def append(self, columns: Columns) -> None:
        """Add a part: columns of `SAMPLES`, texts as codes; columns of numbers that are absent are missing.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        n = len(columns["t_ms"])
        arrays = [
            pa.array(
                columns[field.name] if field.name in columns else np.full(n, np.nan, np.float32),
                field.type,
            )
            for field in _PLAIN
        ]
        self._batches.append(pa.record_batch(arrays, _PLAIN))
        self.rows += n
        if self.rows >= self._spill_rows:
            self._spill()

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the table that maps it
                self._writer = pa.ipc.new_stream(self._file, _PLAIN)
            for batch in self._batches:
                self._writer.write_batch(batch)
        except OSError as error:
            hint = "free some space there, or name another folder in TMPDIR"
            what = f"no room for temporary samples in {tempfile.gettempdir()}: {error.strerror or error}"
            raise OutputError(what, hint=hint) from error
        self._batches.clear()

    def table(
        self,
        names: Mapping[str, Sequence[str]],
        shift_ms: float = 0.0,
        mend: Callable[[Columns], Columns] | None = None,
    ) -> pa.Table:
        """Return the samples.

        Parameters
        ----------
        names : mapping of str to sequence of str
            The texts by column that the codes stand for; one may be there twice.
        shift_ms : float
            What to add to all times.
        mend : callable, optional
            Given the columns of each part once more, when all parts are known, returns them as they
            should be.
        """
        texts = {column: list(dict.fromkeys(own)) for column, own in names.items()}
        if mend or shift_ms or any(1 < len(texts[column]) < len(names[column]) for column in texts):
            codes = {column: _codes(texts[column], names[column]) for column in texts}
            again = SampleSink(self._spill_rows)
            for batch in self._finished():
                columns = dict(
                    zip(_PLAIN.names, (column.to_numpy() for column in batch.columns), strict=True)
                )
                columns = dict(mend(columns)) if mend else columns
                columns |= {column: own[columns[column]] for column, own in codes.items()}
                columns["t_ms"] = columns["t_ms"] + shift_ms
                again.append(columns)
            return again.table(texts)
        batches = self._finished()
        arrays = []
        zeros = pa.array(np.zeros(max((batch.num_rows for batch in batches), default=0), np.int32))
        for number, field in enumerate(SAMPLES):
            chunks = [batch.column(number) for batch in batches]
            if field.type == TEXT:
                own = pa.array(texts[field.name], pa.string())
                if len(own) == 1:
                    chunks = [zeros.slice(0, len(chunk)) for chunk in chunks]
                chunks = [pa.DictionaryArray.from_arrays(chunk, own) for chunk in chunks]
            arrays.append(pa.chunked_array(chunks, field.type))
        return pa.Table.from_arrays(arrays, schema=SAMPLES)

    def _finished(self) -> list[pa.RecordBatch]:
        if self._file is None:
            return self._batches
        self._spill()
        self._writer.close()
        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        self._file.close()
        return list(pa.ipc.open_stream(pa.py_buffer(mapped)))


def _codes(texts: list[str], names: Sequence[str]) -> npt.NDArray[np.int32]:
    places = {text: place for place, text in enumerate(texts)}
    return np.array([places[name] for name in names], np.int32)
