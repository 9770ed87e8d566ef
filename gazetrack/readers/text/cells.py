"""The cells of a table, in parts of some ten thousand rows: a kernel parses what is plain, Arrow all else.

Plain is a block of whole lines with the header's number of cells each, and numbers in the usual
notation with one decimal mark; both ways give the same table. Of a block with other rows, the cells
that are wanted are picked first, see `ragged.py`. Blocks are parsed beside the thread that reads
them, and fit the cache.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from gazetrack.errors import ParseError, quote
from gazetrack.kernels.cells import find_cells, parse_cells, recode
from gazetrack.readers.opening import BLOCK_BYTES
from gazetrack.readers.text.ahead import in_threads
from gazetrack.readers.text.numbers import Caster
from gazetrack.readers.text.ragged import DAMAGED, Picked, RaggedRows
from gazetrack.readers.text.utf8 import Utf8Lines
from gazetrack.tables.schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header, Wanted

PART_ROWS = 60_000  # no power of two: the columns of a part would share their places in the cache


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
    """A block of whole lines, where its cells end, and the rows of a part that are kept for it.

    `picked` are the wanted cells alone where not all rows are as long as the header: `data` is made
    of them.
    """

    data: bytes
    ended: bool
    picked: Picked | None
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
        A row that cannot be one of this table, a cell that is no number, a NUL byte, or a line over
        1 MiB.
    """
    table = _Parts(head, header, wanted)
    with Utf8Lines(head) as file:
        blocks = _whole_lines(file, header.lines)
        if header.quoted:
            with in_threads(table.parse_quoted, table.ragged.quoted_blocks(blocks)) as quoted:
                for picked, ended, columns in quoted:
                    yield from table.take_quoted(picked, ended, columns)
        else:
            with in_threads(table.parse, table.with_room(blocks)) as parsed:
                for found in parsed:
                    yield from table.take(found)
        yield from table.close()
    table.finish()


class _Parts:
    """The part in the making."""

    def __init__(self, head: Head, header: Header, wanted: Wanted) -> None:
        self.exact, self.short, self.texts = (
            {key: at for key, (at, kind) in wanted.items() if kind == own}
            for own in ("float64", "float32", "text")
        )
        self.numbers = self.exact | self.short
        self.types = {f"f{at}": pa.string() for at in self.numbers.values()}
        self.types |= {f"f{at}": TEXT for at in self.texts.values()}
        self._head, self._header = head, header
        self._wanted = np.array([*self.numbers.values(), *self.texts.values()], np.int64)
        self.ragged = RaggedRows(head, header, self._wanted)
        self._ranks = np.searchsorted(self.ragged.columns, self._wanted)
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

    def with_room(self, blocks: Iterator[tuple[bytes, bool]]) -> Iterator[_Block]:
        """Yield the blocks with room for their rows in a part."""
        part, width = self._part, len(self._header.names)
        for data, ended in blocks:
            ends, found, rows = self._cells_of(data)
            picked = self.ragged.pick(data) if found != rows * width else None
            if picked is not None:
                data = picked.data
                self._spare.append(ends)
                ends, found, rows = self._cells_of(data)
            if part.rows + rows > part.codes.shape[1]:
                part = self._room(rows)
            yield _Block(data, ended, picked, ends, found, part, part.rows, rows)
            part.rows += rows

    def _cells_of(self, data: bytes) -> tuple[npt.NDArray[np.int32], int, int]:
        """Return where the cells of a block end, their number, and that of its lines."""
        cells, delimiter = np.frombuffer(data, np.uint8), ord(self._header.delimiter)
        ends = self._spare.pop() if self._spare else np.empty(1 << 16, np.int32)
        while (found := find_cells(cells, delimiter, ends))[0] < 0:
            ends = np.empty(2 * ends.size, np.int32)
        return ends, *found

    def parse(self, block: _Block) -> _Parsed:
        """Write the cells of a block to its place, texts as codes of its own; done by several threads."""
        rows, width, wanted = block.rows, len(self._header.names), self._wanted
        if block.picked is not None:
            width, wanted = self.ragged.width, self._ranks
        texts, counts = (
            np.empty((len(self.texts), rows, 2), np.int32),
            np.zeros(len(self.texts) + 1, np.int64),
        )
        mark = "," if self._caster.marks == {","} else "."
        plain = block.found == rows * width
        if plain:
            here = slice(block.first, block.first + rows)
            numbers, codes = (
                (block.part.exact[:, here], block.part.short[:, here]),
                block.part.codes[:, here],
            )
            cells, ends = (
                np.frombuffer(block.data, np.uint8),
                block.ends[: block.found].reshape(rows, width),
            )
            plain = rows == parse_cells(
                cells, ends, wanted, ord(mark), numbers, codes, texts, counts
            )
        self._spare.append(block.ends)
        return _Parsed(block, plain, mark, texts, counts)

    def take(self, found: _Parsed) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take a block: what the kernel made of it, or what Arrow makes of it where it is not plain."""
        block = found.block
        if block.part is not self._part:
            yield from self.close()
            self._part = block.part
        first_row = self._first_row + block.first - len(block.part.lost)
        if block.picked is not None:
            self.ragged.count(block.picked, block.ended, first_row)
        marked = bool(found.plain and found.counts[-1] and self._header.delimiter != ",")
        if found.plain and not (marked and self._caster.marks - {found.mark}):
            self._caster.marks |= {found.mark} if marked else set()
            self._name(found)
            return
        picked = block.picked
        if picked is None:
            # As many cells as rows of the header's length would have, perhaps of rows of other
            # lengths.
            picked = self.ragged.pick(block.data)
            self.ragged.count(picked, block.ended, first_row)
        self._put(self._by_arrow(picked), block.first, first_row)
        block.part.lost += range(block.first + picked.rows, block.first + block.rows)

    def parse_quoted(self, block: tuple[Picked, bool]) -> tuple[Picked, bool, pa.Table]:
        """Parse rows with quoted cells; done by several threads."""
        return *block, self._by_arrow(block[0])

    def take_quoted(
        self, picked: Picked, ended: bool, columns: pa.Table
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take rows with quoted cells."""
        part = self._part
        if part.rows + picked.rows > part.codes.shape[1]:
            yield from self.close()
            self._part = part = self._room(picked.rows)
        first_row = self._first_row + part.rows
        self.ragged.count(picked, ended, first_row)
        self._put(columns, part.rows, first_row)
        part.rows += picked.rows

    def finish(self) -> None:
        """Say what was unusual about the rows."""
        self.ragged.finish(self._first_row)

    def _by_arrow(self, picked: Picked) -> pa.Table:
        """Return the wanted columns of rows, parsed by Arrow."""
        schema, head, header = pa.schema(list(self.types.items())), self._head, self._header
        if not picked.rows:
            return schema.empty_table()
        names = [*(f"f{at}" for at in self.ragged.columns), ""]
        read = pa_csv.ReadOptions(
            use_threads=False, block_size=len(picked.data) + 1, column_names=names
        )
        marks = pa_csv.ParseOptions(
            delimiter=header.delimiter,
            quote_char='"' if header.quoted else False,
            newlines_in_values=header.quoted,
        )
        types = pa_csv.ConvertOptions(
            column_types=self.types, include_columns=list(self.types), strings_can_be_null=False
        )
        try:
            table = pa_csv.read_csv(pa.BufferReader(picked.data), read, marks, types)
        except pa.ArrowInvalid as error:
            raise ParseError(quote(error, 120), path=head.path, hint=DAMAGED) from error
        if table.num_rows != picked.rows:
            what = f"quoted cells that make {table.num_rows} rows or {picked.rows}"
            raise ParseError(what, path=head.path, hint=DAMAGED)
        return table

    def close(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the part, which is complete."""
        part = self._part
        columns: list[npt.NDArray[Any]] = [
            kind[:, : part.rows] for kind in (part.exact, part.short, part.codes)
        ]
        if part.lost:
            columns = [np.delete(kind, part.lost, axis=1) for kind in columns]
        exact, short, codes = columns
        rows = codes.shape[1]
        self._first_row += rows
        if rows:
            texts = {
                key: Texts(*both) for key, *both in zip(self.texts, codes, self._names, strict=True)
            }
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

    def _put(self, batch: pa.Table, first: int, first_row: int) -> None:
        here = slice(first, first + batch.num_rows)
        part = self._part
        for values, at in zip((*part.exact, *part.short), self.numbers.values(), strict=True):
            column = batch.column(f"f{at}").combine_chunks()
            values[here] = self._caster.numbers(column, at, first_row)
        for j, (codes, at) in enumerate(zip(part.codes, self.texts.values(), strict=True)):
            column = batch.column(f"f{at}").combine_chunks()
            own = np.array(
                [self._code(j, name.encode()) for name in column.dictionary.to_pylist()], np.int32
            )
            codes[here] = own[column.indices.to_numpy()]


def _whole_lines(file: Utf8Lines, skipped: int) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of whole lines, without the first ones, and whether the last line of each has an end of its own."""
    rest = b""
    while data := file.read(BLOCK_BYTES):
        while skipped and (end := data.find(b"\n") + 1):
            data, skipped = data[end:], skipped - 1
        if skipped:
            continue
        cut = data.rfind(b"\n") + 1
        if cut:
            yield b"".join((rest, memoryview(data)[:cut])), True
            rest = b""
        rest += data[cut:]
    if rest and not skipped:
        yield rest + b"\n", False
