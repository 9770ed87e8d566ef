"""Rows collected part by part: few in memory, many in a temporary file that is mapped at the end.

A file without a name needs no cleaning up: it is gone when nobody has the rows. The system may give
the memory of its pages to others at any time, so rows there do not fill the memory.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import IO, Any

import pyarrow as pa

from gazetrack.errors import OutputError

SPILL_ROWS = 1 << 18
# Of events: a row of them is longer, and has a text of its own.
EVENT_ROWS = 1 << 15
_BATCH_ROWS = 1 << 15


class Spill:
    """Collects record batches of one schema.

    Parameters
    ----------
    schema : pyarrow.Schema
        The schema that all batches have.
    spill_rows : int, optional
        From so many rows on they are kept in a temporary file without a name, not in memory;
        `SPILL_ROWS` by default.

    Attributes
    ----------
    schema : pyarrow.Schema
        The schema that all batches have.
    rows : int
        How many rows there are so far.
    """

    def __init__(self, schema: pa.Schema, spill_rows: int | None = None) -> None:
        self.rows = 0
        self.schema = schema
        self._spill_rows = SPILL_ROWS if spill_rows is None else spill_rows
        self._waiting: list[pa.RecordBatch] = []
        self._n_waiting = 0
        self._file: IO[bytes] | None = None
        self._writer: Any = None

    def append(self, batch: pa.RecordBatch) -> None:
        """Add some rows behind all others.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        self._waiting.append(batch)
        self._n_waiting += batch.num_rows
        self.rows += batch.num_rows
        is_full = self._n_waiting >= min(self._spill_rows, _BATCH_ROWS)
        if is_full and self.rows >= self._spill_rows:
            self._write()

    def _write(self) -> None:
        """Write the batches that are in memory to the temporary file."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is mapped
                self._writer = pa.ipc.new_stream(self._file, self.schema)
            # Few large batches: what Arrow keeps of each takes kilobytes.
            together = pa.Table.from_batches(self._waiting, self.schema)
            for batch in together.combine_chunks().to_batches():
                self._writer.write_batch(batch)
        except OSError as error:
            raise no_room(error) from error
        self._waiting.clear()
        self._n_waiting = 0

    @property
    def all_in_memory(self) -> bool:
        """Whether there are too few rows for a file."""
        return self.rows < self._spill_rows

    def batches(self) -> list[pa.RecordBatch]:
        """Return all rows, in the order in which they came; nothing can be added any more.

        Raises
        ------
        OutputError
            The folder of temporary files is full.
        """
        if self._file is not None:
            self._write()
            self._waiting = _mapped(self._file, self._writer)
            self._file = None
        return self._waiting


def _mapped(file: IO[bytes], writer: Any) -> list[pa.RecordBatch]:
    """Return the batches of a temporary file that is complete, and close it."""
    try:
        writer.close()
        file.flush()
    except OSError as error:
        raise no_room(error) from error
    # The batches own the mapping, and with it the file.
    pa.default_memory_pool().release_unused()
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    file.close()
    return list(pa.ipc.open_stream(pa.py_buffer(mapped)))


def no_room(error: OSError) -> OutputError:
    """Return the error about a folder of temporary files that takes no more."""
    folder = tempfile.gettempdir()
    what = f"no room for temporary rows in {folder}: {error.strerror or error}"
    hint = "free some space there, or name another folder in TMPDIR"
    return OutputError(what, hint=hint)
