"""The cells of a table, in parts of some ten thousand rows: a kernel parses what is plain, Arrow all else.

Plain is a block of whole lines with the header's number of cells each, and numbers in the usual notation with one
decimal mark; both ways give the same table. Blocks are parsed beside the thread that reads them, and fit the cache.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from gazetrack.errors import ParseError, quote
from gazetrack.kernels.cells import find_cells, parse_cells, recode
from gazetrack.readers._numbers import Caster, line_of
from gazetrack.readers._utf8 import Utf8Lines
from gazetrack.readers.base import BLOCK_BYTES, MAX_LINE_BYTES
from gazetrack.schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    import numpy.typing as npt

    from gazetrack.readers._tables import Header, Wanted
    from gazetrack.readers.base import Head

PART_ROWS = 60_000  # no power of two: the columns of a part would share their places in the cache
_WORKERS = 2
_AHEAD = 4  # blocks
_SLACK = 72  # what `find_cells` wants beyond the cells
_DAMAGED = "the file is damaged here; export it again"


class Texts(NamedTuple):
    """A column of texts: names[codes[i]] is that of row i. All parts of a column share the list."""

    codes: npt.NDArray[np.int32]
    names: list[str]


class _Block(NamedTuple):
    """A block on its way through `parse_cells`."""

    data: bytes
    first: int
    rows: int
    mark: str
    ends: npt.NDArray[np.int32]
    texts: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]
    job: Future[int]


def parts(head: Head, header: Header, wanted: Wanted) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of rows of each part and its columns: floats as wanted, or `Texts`.

    Raises
    ------
    ParseError
        A row with too few or too many cells, a cell that is no number, a NUL byte, or a line over 1 MiB.
    """
    with Utf8Lines(head) as file, ThreadPoolExecutor(_WORKERS) as pool:
        table = _Parts(head, header, wanted, pool)
        if header.quoted:
            for batch in _batches(head, header, table.types, file):
                yield from table.take_batch(batch)
        else:
            blocks = _whole_lines(file, header.lines)
            while (block := table.settled_if_it_fails(blocks)) is not None:
                yield from table.take(block)
        yield from table.close(0)


class _Parts:
    """The part in the making."""

    def __init__(self, head: Head, header: Header, wanted: Wanted, pool: ThreadPoolExecutor) -> None:
        self.numbers = [(key, at, kind) for key, (at, kind) in wanted.items() if kind != "text"]
        self.texts = [(key, at) for key, (at, kind) in wanted.items() if kind == "text"]
        columns = [*(at for _, at, _ in self.numbers), *(at for _, at in self.texts)]
        self.types = {f"f{at}": pa.string() for _, at, _ in self.numbers} | {f"f{at}": TEXT for _, at in self.texts}
        self._head, self._header, self._pool = head, header, pool
        self._wanted = np.array(columns, np.int64)
        self._caster = Caster(head, header)
        self._known: list[dict[bytes, int]] = [{} for _ in self.texts]
        self._names: list[list[str]] = [[] for _ in self.texts]
        self._pending: deque[_Block] = deque()
        self._spare = [np.empty(1 << 16, np.int32)]
        self._first_row = self._rows = 0
        self._reserve(0)

    def _reserve(self, rows: int) -> None:
        self._capacity = max(PART_ROWS, rows)
        self._values = np.empty((len(self.numbers), self._capacity))
        self._codes = np.empty((len(self.texts), self._capacity), np.int32)

    def settled_if_it_fails(self, blocks: Iterator[bytes]) -> bytes | None:
        """Return the next block; before an error in it, one in the blocks before is raised."""
        try:
            return next(blocks, None)
        except ParseError:
            self._settle(0)
            raise

    def take(self, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
        """Send a block of whole lines to the kernel, or to Arrow where they are not plain at first sight."""
        ends = self._spare.pop() if self._spare else np.empty(1 << 16, np.int32)
        cells = np.frombuffer(data, np.uint8)
        found, rows = find_cells(cells, ord(self._header.delimiter), ends)
        while found < 0:
            ends = np.empty(2 * ends.size, np.int32)
            found, rows = find_cells(cells, ord(self._header.delimiter), ends)
        width = len(self._header.names)
        if found != rows * width:
            self._spare.append(ends)
            self._settle(0)
            yield from self.take_batch(self._by_arrow(data, self._first_row + self._rows))
            return
        yield from self.close(rows)
        here = slice(self._rows, self._rows + rows)
        texts, counts = np.empty((len(self.texts), rows, 2), np.int32), np.empty(len(self.texts) + 1, np.int64)
        mark = "," if self._caster.marks == {","} else "."
        job = self._pool.submit(
            parse_cells, cells, ends[:found].reshape(rows, width), self._wanted, ord(mark),
            self._values[:, here], self._codes[:, here], texts, counts,
        )  # fmt: skip
        self._pending.append(_Block(data, self._rows, rows, mark, ends, texts, counts, job))
        self._rows += rows
        self._settle(_AHEAD)

    def take_batch(self, batch: pa.RecordBatch | pa.Table) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take rows that Arrow has parsed."""
        yield from self.close(batch.num_rows)
        self._put(batch, self._rows)
        self._rows += batch.num_rows

    def close(self, rows: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the part when there is no room in it for so many rows more, or for 0, the last one."""
        if rows and self._rows + rows <= self._capacity:
            return
        self._settle(0)
        if self._rows:
            n = self._rows
            part: dict[str, Any] = {
                key: values[:n].astype(kind, copy=False)
                for (key, _, kind), values in zip(self.numbers, self._values, strict=True)
            }
            for (key, _), codes, names in zip(self.texts, self._codes, self._names, strict=True):
                part[key] = Texts(codes[:n], names)
            yield n, part
        self._first_row += self._rows
        self._rows = 0
        self._reserve(rows)

    def _settle(self, ahead: int) -> None:
        """Finish the blocks but for so many that are still on their way, in the order of the file."""
        while len(self._pending) > ahead:
            block = self._pending.popleft()
            plain = block.job.result() == block.rows
            marked = bool(plain and block.counts[-1] and self._header.delimiter != ",")
            if plain and not (marked and self._caster.marks - {block.mark}):
                self._caster.marks |= {block.mark} if marked else set()
                self._name(block)
            else:
                self._put(self._by_arrow(block.data, self._first_row + block.first), block.first)
            self._spare.append(block.ends)

    def _name(self, block: _Block) -> None:
        """Turn the block's own codes of texts into those of the file."""
        lookup = np.zeros((len(self.texts), int(block.counts[:-1].max(initial=0))), np.int32)
        for j, row in enumerate(lookup):
            spans = block.texts[j, : block.counts[j]].tolist()
            row[: len(spans)] = [self._code(j, block.data[start:end]) for start, end in spans]
        recode(self._codes[:, block.first : block.first + block.rows], lookup)

    def _code(self, j: int, text: bytes) -> int:
        code = self._known[j].get(text)
        if code is None:
            name = text.decode("utf-8").strip()
            bare = name.encode()
            code = len(self._names[j]) if bare == text else self._code(j, bare)
            self._known[j][text] = code
            self._names[j] += [name] if bare == text else []
        return code

    def _put(self, batch: pa.RecordBatch | pa.Table, first: int) -> None:
        here = slice(first, first + batch.num_rows)
        for values, (_, at, _) in zip(self._values, self.numbers, strict=True):
            column = batch.column(f"f{at}")
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            values[here] = self._caster.numbers(column, at, self._first_row + first)
        for j, (codes, (_, at)) in enumerate(zip(self._codes, self.texts, strict=True)):
            column = batch.column(f"f{at}")
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            own = np.array([self._code(j, name.encode()) for name in column.dictionary.to_pylist()], np.int32)
            codes[here] = own[column.indices.to_numpy()]

    def _by_arrow(self, data: bytes, first_row: int) -> pa.Table:
        found = list(_batches(self._head, self._header, self.types, pa.BufferReader(data), first_row))
        return pa.Table.from_batches(found, pa.schema(list(self.types.items())))


def _whole_lines(file: Utf8Lines, skipped: int) -> Iterator[bytes]:
    """Yield blocks of whole lines, without the first ones."""
    rest = b""
    while data := file.read(BLOCK_BYTES):
        while skipped and (end := data.find(b"\n") + 1):
            data, skipped = data[end:], skipped - 1
        if skipped:
            continue
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join((rest, memoryview(data)[:cut]))
            rest = b""
        rest += data[cut:]
    if rest and not skipped:
        yield rest + b"\n"


def _batches(
    head: Head, header: Header, types: dict[str, pa.DataType], file: Any, first_row: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield what Arrow reads of the whole file, or of a block of rows without the header."""
    ragged: list[tuple[int, int]] = []
    names = [f"f{i}" for i in range(len(header.names))]
    skipped = header.lines if first_row is None else 0

    def refuse(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "error"

    try:
        # Without threads rows come with their numbers.
        yield from pa_csv.open_csv(
            file if first_row is not None else pa.PythonFile(file, mode="r"),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=MAX_LINE_BYTES + 16, column_names=names, skip_rows=skipped
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=header.delimiter, quote_char='"' if header.quoted else False, invalid_row_handler=refuse
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types, include_columns=list(types), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if ragged:
            row, cells = ragged[0]
            what = f"a row with {cells} cells, the header has {len(names)}"
            line = line_of(head, header, row - skipped - 1 + (first_row or 0))
            raise ParseError(what, path=head.path, line=line, hint=_DAMAGED) from None
        if "Empty CSV" not in str(error) and "Could not skip" not in str(error):
            raise ParseError(quote(error, 120), path=head.path, hint=_DAMAGED) from error
