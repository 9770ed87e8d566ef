"""The cells of a table, in parts of some ten thousand rows: a kernel parses what is plain, Arrow all else.

Plain is a block of whole lines with the header's number of cells each, and numbers in the usual notation with one
decimal mark; both ways give the same table. Blocks are parsed beside the thread that reads them, and fit the cache.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from gazetrack.errors import ParseError, quote
from gazetrack.kernels.cells import find_cells, parse_cells, recode
from gazetrack.readers._ahead import in_threads
from gazetrack.readers._numbers import Caster, line_of
from gazetrack.readers._utf8 import Utf8Lines
from gazetrack.readers.base import BLOCK_BYTES, MAX_LINE_BYTES
from gazetrack.schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers._tables import Header, Wanted
    from gazetrack.readers.base import Head

PART_ROWS = 60_000  # no power of two: the columns of a part would share their places in the cache
_DAMAGED = "the file is damaged here; export it again"


class Texts(NamedTuple):
    """A column of texts: names[codes[i]] is that of row i. All parts of a column share the list."""

    codes: npt.NDArray[np.int32]
    names: list[str]


@dataclass(eq=False)
class _Part:
    """Room for the rows of some blocks, a row a column; `lost` are rows that turned out to be blank lines."""

    exact: npt.NDArray[np.float64]
    short: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    rows: int = 0
    lost: list[int] = field(default_factory=list)


class _Block(NamedTuple):
    """A block of whole lines, where its cells end, and the rows of a part that are kept for it."""

    data: bytes
    ends: npt.NDArray[np.int32]
    found: int
    part: _Part
    first: int
    rows: int


class _Parsed(NamedTuple):
    """What the kernel found in a block; nothing where it is not plain."""

    block: _Block
    plain: bool
    mark: str
    texts: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int64]


def parts(head: Head, header: Header, wanted: Wanted) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of rows of each part and its columns: floats as wanted, or `Texts`.

    Raises
    ------
    ParseError
        A row with too few or too many cells, a cell that is no number, a NUL byte, or a line over 1 MiB.
    """
    table = _Parts(head, header, wanted)
    with Utf8Lines(head) as file:
        if header.quoted:
            for batch in _batches(head, header, table.types, file):
                yield from table.take_batch(batch)
        else:
            blocks = table.with_room(_whole_lines(file, header.lines))
            with in_threads(table.parse, blocks) as parsed:
                for found in parsed:
                    yield from table.take(found)
        yield from table.close()


class _Parts:
    """The part in the making."""

    def __init__(self, head: Head, header: Header, wanted: Wanted) -> None:
        self.exact, self.short, self.texts = (
            {key: at for key, (at, kind) in wanted.items() if kind == own} for own in ("float64", "float32", "text")
        )
        self.numbers = self.exact | self.short
        self.types = {f"f{at}": pa.string() for at in self.numbers.values()}
        self.types |= {f"f{at}": TEXT for at in self.texts.values()}
        self._head, self._header = head, header
        self._wanted = np.array([*self.numbers.values(), *self.texts.values()], np.int64)
        self._caster = Caster(head, header, tuple(self.numbers.values()))
        self._known: list[dict[bytes, int]] = [{} for _ in self.texts]
        self._names: list[list[str]] = [[] for _ in self.texts]
        self._spare: list[npt.NDArray[np.int32]] = []
        self._part = self._room(0)
        self._first_row = 0

    def _room(self, rows: int) -> _Part:
        n = max(PART_ROWS, rows)
        numbers = np.empty((len(self.exact), n)), np.empty((len(self.short), n), np.float32)
        return _Part(*numbers, np.empty((len(self.texts), n), np.int32))

    def with_room(self, blocks: Iterator[bytes]) -> Iterator[_Block]:
        """Yield the blocks with room for their rows in a part."""
        part, delimiter = self._part, ord(self._header.delimiter)
        for data in blocks:
            cells = np.frombuffer(data, np.uint8)
            ends = self._spare.pop() if self._spare else np.empty(1 << 16, np.int32)
            while (found := find_cells(cells, delimiter, ends))[0] < 0:
                ends = np.empty(2 * ends.size, np.int32)
            rows = found[1]
            if part.rows + rows > part.codes.shape[1]:
                part = self._room(rows)
            yield _Block(data, ends, found[0], part, part.rows, rows)
            part.rows += rows

    def parse(self, block: _Block) -> _Parsed:
        """Write the cells of a block to its place, texts as codes of its own; done by several threads."""
        rows, width = block.rows, len(self._header.names)
        texts, counts = np.empty((len(self.texts), rows, 2), np.int32), np.zeros(len(self.texts) + 1, np.int64)
        mark = "," if self._caster.marks == {","} else "."
        plain = block.found == rows * width
        if plain:
            here = slice(block.first, block.first + rows)
            numbers, codes = (block.part.exact[:, here], block.part.short[:, here]), block.part.codes[:, here]
            cells, ends = np.frombuffer(block.data, np.uint8), block.ends[: block.found].reshape(rows, width)
            plain = rows == parse_cells(cells, ends, self._wanted, ord(mark), numbers, codes, texts, counts)
        self._spare.append(block.ends)
        return _Parsed(block, plain, mark, texts, counts)

    def take(self, found: _Parsed) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take a block: what the kernel made of it, or what Arrow makes of it where it is not plain."""
        block = found.block
        if block.part is not self._part:
            yield from self.close()
            self._part = block.part
        marked = bool(found.plain and found.counts[-1] and self._header.delimiter != ",")
        if found.plain and not (marked and self._caster.marks - {found.mark}):
            self._caster.marks |= {found.mark} if marked else set()
            self._name(found)
            return
        first_row = self._first_row + block.first - len(block.part.lost)
        rows = list(_batches(self._head, self._header, self.types, pa.BufferReader(block.data), first_row))
        table = pa.Table.from_batches(rows, pa.schema(list(self.types.items())))
        self._put(table, block.first, first_row)
        block.part.lost += range(block.first + table.num_rows, block.first + block.rows)

    def take_batch(self, batch: pa.RecordBatch) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take rows that Arrow has parsed."""
        part = self._part
        if part.rows + batch.num_rows > part.codes.shape[1]:
            yield from self.close()
            self._part = part = self._room(batch.num_rows)
        self._put(batch, part.rows, self._first_row + part.rows)
        part.rows += batch.num_rows

    def close(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the part, which is complete."""
        part = self._part
        columns: list[npt.NDArray[Any]] = [kind[:, : part.rows] for kind in (part.exact, part.short, part.codes)]
        if part.lost:
            columns = [np.delete(kind, part.lost, axis=1) for kind in columns]
        exact, short, codes = columns
        rows = codes.shape[1]
        self._first_row += rows
        if rows:
            texts = {key: Texts(*both) for key, *both in zip(self.texts, codes, self._names, strict=True)}
            yield rows, dict(zip(self.numbers, (*exact, *short), strict=True)) | texts

    def _name(self, found: _Parsed) -> None:
        """Turn the block's own codes of texts into those of the file."""
        block = found.block
        for j, own in enumerate(block.part.codes[:, block.first : block.first + block.rows]):
            spans = found.texts[j, : found.counts[j]].tolist()
            codes = [self._code(j, block.data[start:end]) for start, end in spans]
            if codes != list(range(len(codes))):
                recode(own, np.array(codes, np.int32))

    def _code(self, j: int, text: bytes) -> int:
        code = self._known[j].get(text)
        if code is None:
            name = text.decode("utf-8").strip()
            bare = name.encode()
            code = len(self._names[j]) if bare == text else self._code(j, bare)
            self._known[j][text] = code
            self._names[j] += [name] if bare == text else []
        return code

    def _put(self, batch: pa.RecordBatch | pa.Table, first: int, first_row: int) -> None:
        here = slice(first, first + batch.num_rows)
        part = self._part
        for values, at in zip((*part.exact, *part.short), self.numbers.values(), strict=True):
            column = batch.column(f"f{at}")
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            values[here] = self._caster.numbers(column, at, first_row)
        for j, (codes, at) in enumerate(zip(part.codes, self.texts.values(), strict=True)):
            column = batch.column(f"f{at}")
            column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            own = np.array([self._code(j, name.encode()) for name in column.dictionary.to_pylist()], np.int32)
            codes[here] = own[column.indices.to_numpy()]


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
