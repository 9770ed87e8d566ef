"""Delimited text: check the header, cast columns block by block, name the line of what is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError, quote
from gazetrack.readers.text.cells import parts
from gazetrack.readers.text.parts import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header, Wanted

MAX_COLUMNS = 10_000
_NOTE_CHARS = 200
# What stands for a missing text, in lower case.
_NO_TEXT = {"", ".", "-", "na", "n/a", "nan", "none", "null"}


@dataclass(frozen=True)
class Columns:
    """Columns read from a table: float arrays and `Texts`, by the reader's own keys.

    Parameters
    ----------
    n_rows : int
        The number of rows, which all columns share.
    found : mapping of str to ndarray or Texts
        The columns that the table has, by the reader's own keys.
    """

    n_rows: int
    found: Mapping[str, Any]

    def number(self, key: str, missing: float = np.nan) -> npt.NDArray[np.floating]:
        """Return a numeric column, or a constant when the table does not have it."""
        column = self.found.get(key)
        return np.full(self.n_rows, missing) if column is None else column

    def texts(self, key: str) -> Texts:
        """Return a text column as codes, of an empty text when the table does not have it."""
        column = self.found.get(key)
        return Texts(np.zeros(self.n_rows, np.int32), [""]) if column is None else column

    def text(self, key: str) -> npt.NDArray[np.object_]:
        """Return a text column as Python strings, empty ones when the table does not have it."""
        codes, names = self.texts(key)
        texts: npt.NDArray[np.object_] = np.array(names, object)[codes]
        return texts


def read_parts(head: Head, header: Header, wanted: Wanted) -> Iterator[Columns]:
    """Read some columns of a table in parts of some ten thousand rows.

    So memory does not grow with the file. Parameters and errors are those of `read_columns`; a
    table without rows has no part. The texts of all parts share one list of names, which grows, but
    for those of the kind ``own_text``.
    """
    if len(header.names) > MAX_COLUMNS:
        what = f"{len(header.names):,} columns, more than {MAX_COLUMNS:,}"
        hint = "not a table of gaze; export fewer columns"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    _note_twins(head, header)
    # Columns without a value so far, by the reader's keys; their positions are kept for the note.
    empty = {key: at for key, (at, _) in wanted.items()}
    n_rows = 0
    for n_of_part, found in parts(head, header, wanted):
        n_rows += n_of_part
        empty = {key: at for key, at in empty.items() if _is_empty(found[key])}
        yield Columns(n_of_part, found)
    if n_rows and empty:
        names = quote(", ".join(header.names[at] for at in empty.values()), _NOTE_CHARS)
        head.reading.note(f"columns without a value in any of {n_rows} rows: {names}")


def _is_empty(column: Any) -> bool:
    if isinstance(column, Texts):
        return all(name.lower() in _NO_TEXT for name in column.names)
    return bool(np.isnan(column).all())


def _note_twins(head: Head, header: Header) -> None:
    """Note columns that share their name: a reader asks by name, and gets neither."""
    counts = Counter(name for name in header.names if name)
    twins = [f"{name} ({count} times)" for name, count in counts.items() if count > 1]
    if twins:
        names = quote(", ".join(twins), _NOTE_CHARS)
        head.reading.note(f"columns whose name is there more than once, none of them used: {names}")


def read_columns(head: Head, header: Header, wanted: Wanted) -> Columns:
    """Read some columns of a table, block by block.

    Parameters
    ----------
    head : Head
        The first look at the file.
    header : Header
        Its header, as `header_of` finds it or as the reader knows it.
    wanted : mapping of str to (int, kind)
        The reader's own key to position and kind: ``float64``, ``float32`` or ``text``.

    Returns
    -------
    Columns
        Missing numbers (empty, ``.``, ``-``, ``NA``, ``nan``) are NaN.

    Raises
    ------
    ParseError
        No rows, a row with too few or too many cells, a cell that is no number, a NUL byte, or a
        line over 1 MiB.
    """
    pieces = list(read_parts(head, header, wanted))
    if not pieces:
        raise no_rows(head, header)
    return joined(pieces)


def joined(pieces: Sequence[Columns]) -> Columns:
    """Return the parts of a table, of which there is one at least, as one."""
    n_rows = sum(piece.n_rows for piece in pieces)
    keys = pieces[0].found
    found = {key: _joined([piece.found[key] for piece in pieces]) for key in keys}
    return Columns(n_rows, found)


def no_rows(head: Head, header: Header) -> ParseError:
    """Return the error about a table that ends with its header."""
    hint = "export the recording again"
    return ParseError("a header and no rows", path=head.path, line=header.lines, hint=hint)


def _joined(pieces: list[Any]) -> Any:
    if isinstance(pieces[0], Texts):
        # The list of names is one and the same in all pieces.
        codes = np.concatenate([piece.codes for piece in pieces])
        return Texts(codes, pieces[0].names)
    return np.concatenate(pieces)
