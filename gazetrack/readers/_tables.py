"""Delimited text: open, check the header, cast columns block by block, name the line of whatever is wrong."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from gazetrack.errors import ParseError, quote
from gazetrack.readers._utf8 import Utf8Lines
from gazetrack.readers.base import MAX_LINE_BYTES
from gazetrack.schema import TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.readers.base import Head

Kind = Literal["float64", "float32", "text"]
Wanted = Mapping[str, tuple[int, Kind]]

_MISSING = pa.array(["", ".", "-", "NA", "N/A", "n/a", "na", "nan", "NaN", "NAN"])
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
_LARGEST = 1e19  # nanoseconds since 1970 fit, and products of two do not overflow float32
_DAMAGED = "the file is damaged here; export it again"


@dataclass(frozen=True)
class Header:
    """The header line of a table.

    Parameters
    ----------
    names : tuple of str
        Column names without surrounding blanks; a nameless column has an empty one.
    lines : int
        Lines of the file up to and with the header.
    delimiter : str
        Tab, semicolon or comma.
    quoted : bool
        Whether double quotes enclose cells.
    """

    names: tuple[str, ...]
    lines: int
    delimiter: str
    quoted: bool

    def index(self, name: str, path: Path) -> int:
        """Return the position of a column.

        Raises
        ------
        ParseError
            It is not there, or twice.
        """
        if name not in self.names:
            hint = f"there are {quote(', '.join(self.names), 150)}"
            raise ParseError(f"no column {quote(name)!r}", path=path, line=self.lines, hint=hint)
        if self.names.count(name) > 1:
            hint = "rename one of the two"
            raise ParseError(f"column {quote(name)!r} is there twice", path=path, line=self.lines, hint=hint)
        return self.names.index(name)


@dataclass(frozen=True)
class Columns:
    """Columns read from a table: float arrays and dictionary-encoded texts, by the reader's own keys."""

    n_rows: int
    found: Mapping[str, Any]

    def number(self, key: str, missing: float = np.nan) -> npt.NDArray[np.floating]:
        """Return a numeric column, or a constant when the table does not have it."""
        column = self.found.get(key)
        return np.full(self.n_rows, missing) if column is None else column

    def text(self, key: str) -> npt.NDArray[np.object_]:
        """Return a text column as Python strings, or empty texts when the table does not have it."""
        column = self.found.get(key)
        if column is None:
            return np.full(self.n_rows, "", object)
        whole = column.combine_chunks()
        names = np.array([name.strip() for name in whole.dictionary.to_pylist()], object)
        texts: npt.NDArray[np.object_] = names[whole.indices.to_numpy()]
        return texts


def header_of(head: Head) -> Header | None:
    """Return the first line that is not blank as a header, or None when the head has no whole delimited line."""
    for i, line in enumerate(head.lines):
        line = line.removeprefix("\ufeff")
        if line.strip(" "):
            delimiter = "\t" if "\t" in line else max(";,", key=line.count)
            quoted = '"' in line or (delimiter != "\t" and '"' in head.text)
            row = next(csv.reader([line], delimiter=delimiter)) if quoted else line.split(delimiter)
            names = tuple(name.strip() for name in row)
            return Header(names, i + 1, delimiter, quoted) if len(names) > 1 else None
    return None


def needed_header(head: Head) -> Header:
    """Return the header.

    Raises
    ------
    ParseError
        There is none.
    """
    header = header_of(head)
    if header is None:
        hint = "the first line must name the columns, separated by tab, comma or semicolon"
        raise ParseError("no header line", path=head.path, line=1, hint=hint)
    return header


def read_columns(head: Head, header: Header, wanted: Wanted) -> Columns:
    """Read some columns of a table, block by block.

    Parameters
    ----------
    head : Head
        The first look at the file.
    header : Header
        Its header.
    wanted : mapping of str to (int, kind)
        The reader's own key to position and kind: ``float64``, ``float32`` or ``text``.

    Returns
    -------
    Columns
        Missing numbers (empty, ``.``, ``-``, ``NA``, ``nan``) are NaN.

    Raises
    ------
    ParseError
        No rows, a row with too few or too many cells, a cell that is no number, a NUL byte, or a line over 1 MiB.
    """
    caster = _Caster(head, header)
    parts: dict[str, list[Any]] = {key: [] for key in wanted}
    n_rows = 0
    with Utf8Lines(head) as file:
        for batch in _batches(head, header, wanted, file):
            for key, (at, kind) in wanted.items():
                column = batch.column(f"f{at}")
                parts[key].append(column if kind == "text" else caster.numbers(column, at, kind, n_rows))
            n_rows += batch.num_rows
    if not n_rows:
        raise ParseError("a header and no rows", path=head.path, line=header.lines, hint="export the recording again")
    return Columns(n_rows, {key: _joined(parts[key], kind) for key, (_, kind) in wanted.items()})


def _joined(parts: list[Any], kind: Kind) -> Any:
    return pa.chunked_array(parts, type=TEXT).unify_dictionaries() if kind == "text" else np.concatenate(parts)


def _batches(head: Head, header: Header, wanted: Wanted, file: Utf8Lines) -> Iterator[pa.RecordBatch]:
    ragged: list[tuple[int, int]] = []
    names = [f"f{i}" for i in range(len(header.names))]
    types = {names[at]: TEXT if kind == "text" else pa.string() for at, kind in wanted.values()}

    def refuse(row: pa_csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "error"

    try:
        # Without threads rows come with their numbers.
        yield from pa_csv.open_csv(
            pa.PythonFile(file, mode="r"),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=MAX_LINE_BYTES + 16, column_names=names, skip_rows=header.lines
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
            line = line_of(head, header, row - header.lines - 1)
            raise ParseError(what, path=head.path, line=line, hint=_DAMAGED) from None
        if "Empty CSV" not in str(error) and "Could not skip" not in str(error):
            raise ParseError(quote(error, 120), path=head.path, hint=_DAMAGED) from error


def line_of(head: Head, header: Header, row: int) -> int:
    """Return the line of a data row, both counted from their own start: blank lines are no rows."""
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for line, text in enumerate(file, 1):
            if line > header.lines and text.strip(b"\n"):
                row -= 1
                if row < 0:
                    return line
    return header.lines


@dataclass
class _Caster:
    """Casts cells to numbers by a strict grammar, with one decimal mark per file."""

    head: Head
    header: Header
    marks: set[str] = field(default_factory=set)

    def numbers(self, column: pa.Array, at: int, kind: Kind, first_row: int) -> npt.NDArray[np.floating]:
        """Return the column as numbers, NaN where missing."""
        cells = self._without_missing(column)
        if self.header.delimiter != "," and "." not in self.marks and _any(pc.match_substring(cells, ".")):
            self.marks.add(".")
        try:
            numbers = pc.cast(cells, pa.float64())
        except pa.ArrowInvalid:
            cells = self._without_missing(pc.ascii_trim_whitespace(column))
            numbers = self._cast_slowly(cells, at, first_row)
        result: npt.NDArray[np.floating] = numbers.to_numpy(zero_copy_only=False)
        wrong = ~(np.abs(result) <= _LARGEST)
        if np.count_nonzero(wrong) != cells.null_count:
            row = int((wrong & cells.is_valid().to_numpy(zero_copy_only=False)).argmax())
            self._refuse(cells, row, at, first_row)
        return result.astype(kind)

    @staticmethod
    def _without_missing(column: pa.Array) -> pa.Array:
        return pc.if_else(pc.is_in(column, value_set=_MISSING), pa.scalar(None, pa.string()), column)

    def _cast_slowly(self, cells: pa.Array, at: int, first_row: int) -> pa.Array:
        comma = pc.match_substring_regex(cells, r"^[^.,]*,[^.,]*$")
        if self.header.delimiter != "," and _any(comma):
            self.marks.add(",")
        if len(self.marks) > 1:
            mixed = comma if _any(comma) else pc.match_substring(cells, ".")
            self._refuse(cells, _first(mixed), at, first_row, "the decimal mark changes between point and comma")
        if "," in self.marks:
            cells = pc.replace_substring(cells, ",", ".")
        good = pc.match_substring_regex(cells, _NUMBER)
        if _any(pc.invert(good)):
            self._refuse(cells, _first(pc.invert(good)), at, first_row)
        return pc.cast(cells, pa.float64())

    def _refuse(self, cells: pa.Array, row: int, at: int, first_row: int, what: str = "") -> None:
        line = line_of(self.head, self.header, first_row + row)
        name = quote(self.header.names[at], 40)
        what = what or f"{quote(cells[row].as_py(), 30)!r} in column {name!r} is not a number"
        hint = "correct the cell, or empty it if the value is missing"
        raise ParseError(what, path=self.head.path, line=line, column=at + 1, hint=hint)


def _any(mask: pa.Array) -> bool:
    return bool(pc.any(mask).as_py())


def _first(mask: pa.Array) -> int:
    return int(pc.index(mask, pa.scalar(True)).as_py())
