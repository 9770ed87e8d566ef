"""Delimited text: open, check the header, cast columns block by block, name the line of whatever is wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError, quote
from gazetrack.readers.text.cells import Texts, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.readers.text.header import Header, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.base import Head

MAX_COLUMNS = 10_000
_NOTE_CHARS = 200
_NO_TEXT = {"", ".", "-", "na", "n/a", "nan", "none", "null"}


@dataclass(frozen=True)
class Columns:
    """Columns read from a table: float arrays and `Texts`, by the reader's own keys."""

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
        """Return a text column as Python strings, or empty texts when the table does not have it."""
        codes, names = self.texts(key)
        texts: npt.NDArray[np.object_] = np.array(names, object)[codes]
        return texts


def read_parts(head: Head, header: Header, wanted: Wanted) -> Iterator[Columns]:
    """Read some columns of a table in parts of some ten thousand rows, so that memory does not grow with the file.

    Parameters and errors are those of `read_columns`; a table without rows has no part. The texts
    of all parts share one list of names, which grows.
    """
    if len(header.names) > MAX_COLUMNS:
        what = f"{len(header.names):,} columns, more than {MAX_COLUMNS:,}"
        raise ParseError(
            what,
            path=head.path,
            line=header.lines,
            hint="not a table of gaze; export fewer columns",
        )
    _notice_twins(head, header)
    empty = {key: at for key, (at, _) in wanted.items()}
    n_rows = 0
    for rows, found in parts(head, header, wanted):
        n_rows += rows
        empty = {key: at for key, at in empty.items() if _is_empty(found[key])}
        yield Columns(rows, found)
    if n_rows and empty:
        names = quote(", ".join(header.names[at] for at in empty.values()), _NOTE_CHARS)
        head.reading.note(f"columns without a value in any of {n_rows} rows: {names}")


def _is_empty(column: Any) -> bool:
    if isinstance(column, Texts):
        return all(name.lower() in _NO_TEXT for name in column.names)
    return bool(np.isnan(column).all())


def _notice_twins(head: Head, header: Header) -> None:
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
        No rows, a row with too few or too many cells, a cell that is no number, a NUL byte, or a
        line over 1 MiB.
    """
    pieces = list(read_parts(head, header, wanted))
    if not pieces:
        raise no_rows(head, header)
    return Columns(
        sum(piece.n_rows for piece in pieces),
        {key: _joined([piece.found[key] for piece in pieces]) for key in wanted},
    )


def no_rows(head: Head, header: Header) -> ParseError:
    """Return the error about a table that ends with its header."""
    return ParseError(
        "a header and no rows", path=head.path, line=header.lines, hint="export the recording again"
    )


def _joined(pieces: list[Any]) -> Any:
    if isinstance(pieces[0], Texts):
        return Texts(np.concatenate([codes for codes, _ in pieces]), pieces[0].names)
    return np.concatenate(pieces)
