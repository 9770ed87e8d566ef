"""The cells of a table, part by part: a kernel parses what is plain, Arrow the rest.

Plain is a block of whole lines with the header's number of cells each, and numbers in the usual
notation with one decimal mark; both ways give the same table. Of a block with other rows, the cells
that are wanted are picked first, see `ragged`. Blocks are parsed beside the thread that reads the
table, and fit the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from gazetrack.kernels.cells import find_cells, parse_cells, recode
from gazetrack.readers.opening import BLOCK_BYTES
from gazetrack.readers.text.ahead import in_threads
from gazetrack.readers.text.arrow_cells import ArrowCells, arrow_name
from gazetrack.readers.text.numbers import Caster
from gazetrack.readers.text.parts import Part, TextNames, Texts
from gazetrack.readers.text.ragged import Picked, RaggedRows
from gazetrack.readers.text.utf8 import Utf8Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header, Kind, Wanted

PART_ROWS = 60_000  # no power of two: the columns of a part would share their places in the cache
_CELLS_OF_A_BLOCK = 1 << 16  # grows where a block has more


class _Found(NamedTuple):
    """Where the cells of a block end: the first `n_cells` of `ends`; and how many lines it has."""

    ends: npt.NDArray[np.int32]
    n_cells: int
    n_lines: int


class _Block(NamedTuple):
    """A block of whole lines, where its cells end, and the rows of a part that are kept for it.

    `ended` says whether the last line had a line end of its own. `picked` are the wanted cells
    alone, where not all rows are as long as the header: `data` is made of them then.
    """

    data: bytes
    ended: bool
    picked: Picked | None
    found: _Found
    part: Part
    first: int

    @property
    def rows(self) -> slice:
        """The rows of the part that are the block's."""
        return slice(self.first, self.first + self.found.n_lines)


class _Parsed(NamedTuple):
    """What the kernel made of a block; nothing that counts where the block is not plain.

    `mark` is the decimal mark it was parsed with. `texts` and `counts` are the dictionaries of the
    block's texts, see `parse_cells`.
    """

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
    table = _PartMaker(head, header, wanted)
    with Utf8Lines(head) as file:
        blocks = _whole_lines(file, header.lines)
        if header.quoted:
            # A line end may stand within quotes: rows are found one block after the other, and
            # Arrow parses them in threads.
            with in_threads(table.parse_quoted, table.ragged.quoted_blocks(blocks)) as quoted:
                for picked, ended, rows in quoted:
                    yield from table.take_quoted(picked, ended, rows)
        else:
            with in_threads(table.parse, table.with_room(blocks)) as parsed:
                for found in parsed:
                    yield from table.take(found)
        yield from table.close()
    table.finish()


class _PartMaker:
    """Makes parts of blocks.

    Three threads meet here. `with_room` and `parse` run in those of `in_threads`: `with_room` in
    one of them at a time, `parse` in both at once, each writing to the rows that `with_room` has
    kept for its block. All else runs in the thread that reads the table, which takes the blocks in
    their order: what is known of the whole file (names of texts, decimal marks, lines) changes in
    it alone.
    """

    def __init__(self, head: Head, header: Header, wanted: Wanted) -> None:
        exact = _of_kind(wanted, "float64")
        short = _of_kind(wanted, "float32")
        self._numbers = exact | short
        own = _of_kind(wanted, "own_text")
        self._texts = _of_kind(wanted, "text") | own
        self._n_exact = len(exact)
        self._n_short = len(short)

        self._header = header
        self._wanted = np.array([*self._numbers.values(), *self._texts.values()], np.int64)
        self.ragged = RaggedRows(head, header, self._wanted)
        # Where the wanted columns are among those that are picked, which are in the file's order.
        self._picked_wanted = np.searchsorted(self.ragged.columns, self._wanted)
        self._arrow = ArrowCells(
            head,
            header,
            picked=self.ragged.columns.tolist(),
            numbers=self._numbers.values(),
            texts=self._texts.values(),
        )
        self._caster = Caster(head, header, tuple(self._numbers.values()))
        self._names = [TextNames() for _ in self._texts]
        # Whether the names of a column are kept from part to part, column by column.
        self._are_kept = [key not in own for key in self._texts]

        # Arrays for the ends of cells that no block needs any more. Several threads put one back
        # (appending is atomic), and only the one in `with_room` takes one.
        self._spare: list[npt.NDArray[np.int32]] = []
        self._part = self._new_part(0)
        self._first_row = 0

    def _new_part(self, n_rows: int) -> Part:
        room = max(PART_ROWS, n_rows)
        return Part(
            exact=np.empty((self._n_exact, room)),
            short=np.empty((self._n_short, room), np.float32),
            codes=np.empty((len(self._texts), room), np.int32),
        )

    def with_room(self, blocks: Iterator[tuple[bytes, bool]]) -> Iterator[_Block]:
        """Yield the blocks with room for their rows in a part."""
        part = self._part
        for data, ended in blocks:
            found = self._cells_of(data)
            picked = None
            if found.n_cells != found.n_lines * len(self._header.names):
                picked = self.ragged.pick(data)
                data = picked.data
                self._spare.append(found.ends)
                found = self._cells_of(data)
            if part.n_rows + found.n_lines > part.room:
                part = self._new_part(found.n_lines)
            yield _Block(data, ended, picked, found, part, first=part.n_rows)
            part.n_rows += found.n_lines

    def _cells_of(self, data: bytes) -> _Found:
        """Find where the cells of a block end."""
        cells = np.frombuffer(data, np.uint8)
        delimiter = ord(self._header.delimiter)
        ends = self._spare.pop() if self._spare else np.empty(_CELLS_OF_A_BLOCK, np.int32)
        n_cells, n_lines = find_cells(cells, delimiter, ends)
        while n_cells < 0:
            ends = np.empty(2 * ends.size, np.int32)
            n_cells, n_lines = find_cells(cells, delimiter, ends)
        return _Found(ends, n_cells, n_lines)

    def parse(self, block: _Block) -> _Parsed:
        """Write the cells of a block to its rows of the part; several threads do this at once.

        Texts become codes of the block's own dictionary: that of the file belongs to the thread
        that takes the blocks.
        """
        wanted = self._wanted
        width = len(self._header.names)
        if block.picked is not None:
            wanted = self._picked_wanted
            width = self.ragged.width
        n_lines = block.found.n_lines
        texts = np.empty((len(self._texts), n_lines, 2), np.int32)
        counts = np.zeros(len(self._texts) + 1, np.int64)
        # A guess: the blocks before this one may not be taken yet. `take` looks whether it holds.
        mark = "," if self._caster.marks == {","} else "."

        # As many cells a line as that: `with_room` has picked them where it was not so.
        part = block.part
        n_plain = parse_cells(
            np.frombuffer(block.data, np.uint8),
            block.found.ends[: block.found.n_cells].reshape(n_lines, width),
            wanted,
            mark=ord(mark),
            columns=(part.exact, part.short, part.codes),
            first=block.first,
            texts=texts,
            counts=counts,
        )
        self._spare.append(block.found.ends)
        return _Parsed(block, n_plain == n_lines, mark, texts, counts)

    def take(self, parsed: _Parsed) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take the next block: what the kernel made of it, or else what Arrow makes of it."""
        block = parsed.block
        if block.part is not self._part:
            # Blocks come in their order: no other has rows in the part before.
            yield from self.close()
            self._part = block.part
        first_row = self._first_row + block.first - len(block.part.blank_rows)
        if block.picked is not None:
            self.ragged.count(block.picked, block.ended, first_row)
        if parsed.plain and self._is_of_one_mark(parsed):
            self._take_names(parsed)
            return

        picked = block.picked
        if picked is None:
            # It has as many cells as rows of the header's length would have, perhaps in rows of
            # other lengths.
            picked = self.ragged.pick(block.data)
            self.ragged.count(picked, block.ended, first_row)
        self._put(self._arrow.parse(picked), block.first, first_row)
        # The kernel counts blank lines as rows, Arrow does not.
        blank = range(block.first + picked.rows, block.first + block.found.n_lines)
        block.part.blank_rows.extend(blank)

    def parse_quoted(self, block: tuple[Picked, bool]) -> tuple[Picked, bool, pa.Table]:
        """Parse rows with quoted cells; several threads do this at once."""
        picked, ended = block
        return picked, ended, self._arrow.parse(picked)

    def take_quoted(
        self, picked: Picked, ended: bool, rows: pa.Table
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Take the next rows with quoted cells."""
        if self._part.n_rows + picked.rows > self._part.room:
            yield from self.close()
            self._part = self._new_part(picked.rows)
        part = self._part
        first_row = self._first_row + part.n_rows
        self.ragged.count(picked, ended, first_row)
        self._put(rows, part.n_rows, first_row)
        part.n_rows += picked.rows

    def close(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the part, to which no more rows are added, if it has any."""
        part = self._part.complete()
        self._first_row += part.n_rows
        if not part.n_rows:
            return
        numbers = [*part.exact, *part.short]
        columns: dict[str, Any] = dict(zip(self._numbers, numbers, strict=True))
        for key, codes, known in zip(self._texts, part.codes, self._names, strict=True):
            columns[key] = Texts(codes, known.names)
        yield part.n_rows, columns
        pairs = zip(self._names, self._are_kept, strict=True)
        self._names = [names if kept else TextNames() for names, kept in pairs]

    def finish(self) -> None:
        """Say what was unusual about the rows of the whole table."""
        self.ragged.finish(self._first_row)

    def _is_of_one_mark(self, parsed: _Parsed) -> bool:
        """Whether the block has the decimal mark of the rows before it; the mark is kept."""
        has_marks = bool(parsed.counts[-1])
        # Between commas, no comma can mark decimals: there is nothing to mix up.
        if not has_marks or self._header.delimiter == ",":
            return True
        if self._caster.marks - {parsed.mark}:
            return False
        self._caster.marks.add(parsed.mark)
        return True

    def _take_names(self, parsed: _Parsed) -> None:
        """Turn the block's own codes of texts into those of the file."""
        block = parsed.block
        codes = block.part.codes[:, block.rows]
        for known, own, texts, count in zip(
            self._names, codes, parsed.texts, parsed.counts[:-1], strict=True
        ):
            lookup = [known.code(block.data[start:end]) for start, end in texts[:count].tolist()]
            # Mostly the codes are the same already, as most columns have few texts.
            if lookup != list(range(len(lookup))):
                recode(own, np.array(lookup, np.int32))

    def _put(self, rows: pa.Table, first: int, first_row: int) -> None:
        """Write rows as Arrow parses them to the part.

        Parameters
        ----------
        rows : pyarrow.Table
            The wanted columns, all as texts.
        first : int
            The row of the part where they begin.
        first_row : int
            The row of the table where they begin, for errors.
        """
        part = self._part
        here = slice(first, first + rows.num_rows)
        numbers = [*part.exact, *part.short]
        for values, at in zip(numbers, self._numbers.values(), strict=True):
            cells = rows.column(arrow_name(at)).combine_chunks()
            if at in self._texts.values():  # wanted as a number and as a text
                cells = cells.cast(pa.string())
            values[here] = self._caster.numbers(cells, at, first_row)
        for codes, known, at in zip(part.codes, self._names, self._texts.values(), strict=True):
            cells = rows.column(arrow_name(at)).combine_chunks()
            own_names = cells.dictionary.to_pylist()
            lookup = np.array([known.code(name.encode()) for name in own_names], np.int32)
            codes[here] = lookup[cells.indices.to_numpy()]


def _of_kind(wanted: Wanted, kind: Kind) -> dict[str, int]:
    """Return the positions of the wanted columns of one kind by the reader's keys."""
    return {key: at for key, (at, own) in wanted.items() if own == kind}


def _whole_lines(file: Utf8Lines, n_skipped: int) -> Iterator[tuple[bytes, bool]]:
    """Yield blocks of whole lines, and whether the last line of each has an end of its own.

    Parameters
    ----------
    file : Utf8Lines
        The file at its beginning.
    n_skipped : int
        How many lines to leave out: those up to and with the header.
    """
    rest = b""
    while data := file.read(BLOCK_BYTES):
        while n_skipped and (end := data.find(b"\n") + 1):
            data = data[end:]
            n_skipped -= 1
        if n_skipped:
            continue
        cut = data.rfind(b"\n") + 1
        if cut:
            # Joined from a view: the block is copied once, not twice.
            yield b"".join((rest, memoryview(data)[:cut])), True
            rest = b""
        rest += data[cut:]
    if rest and not n_skipped:
        yield rest + b"\n", False
