"""Samples collected part by part: few in memory, many in a temporary file that is mapped."""

from __future__ import annotations

import mmap
import tempfile
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from gazetrack.errors import OutputError
from gazetrack.schema import SAMPLES, TEXT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

SPILL_ROWS = 1 << 20
_PLAIN = pa.schema([pa.field(field.name, pa.int32() if field.type == TEXT else field.type) for field in SAMPLES])


class SampleSink:
    """Makes a table of samples from parts.

    Parameters
    ----------
    spill_rows : int
        From so many rows on they are kept in a temporary file without a name, of 56 bytes a row, not in memory.
    """

    def __init__(self, spill_rows: int = SPILL_ROWS) -> None:
        self._spill_rows = spill_rows
        self._batches: list[pa.RecordBatch] = []
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self.rows = 0

    def append(self, columns: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Add a part: columns of `SAMPLES`, texts as codes; columns of numbers that are absent are missing.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        n = len(columns["t_ms"])
        arrays = [
            pa.array(columns[field.name] if field.name in columns else np.full(n, np.nan, np.float32), field.type)
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

    def table(self, names: Mapping[str, Sequence[str]]) -> pa.Table:
        """Return the samples; `names` are the texts by column that the codes stand for."""
        if self._file is not None:
            self._spill()
            self._writer.close()
            self._file.flush()
            mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            self._batches = list(pa.ipc.open_stream(pa.py_buffer(mapped)))
            self._file.close()
        columns = []
        for number, field in enumerate(SAMPLES):
            chunks = [batch.column(number) for batch in self._batches]
            if field.type == TEXT:
                texts = list(dict.fromkeys(names[field.name]))
                if len(texts) < len(names[field.name]):
                    own = np.array([texts.index(name) for name in names[field.name]], np.int32)
                    chunks = [pa.array(own[chunk.to_numpy()]) for chunk in chunks]
                chunks = [pa.DictionaryArray.from_arrays(chunk, pa.array(texts, pa.string())) for chunk in chunks]
            columns.append(pa.chunked_array(chunks, field.type))
        return pa.Table.from_arrays(columns, schema=SAMPLES)
