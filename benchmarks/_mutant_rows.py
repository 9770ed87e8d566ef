"""Changes to the rows of an export whose truth is known: damage, and what does no harm.

Damage of the class ``error`` makes another recording of it: rows in another order, times that are
none, a header that is not its own, two recordings in one file, words where numbers belong. That of
the class ``notice`` is what trackers leave as well: cells without a value, rows that are short, a
sample twice. Of both, what changes a number has to be refused, noted or counted. Changes of the
class ``harmless`` leave the numbers as they are.
"""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from tests.damage import LEAST_ROWS, clocks, filled, frozen, in_order, numbers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.damage import Export

    Change = Callable[[np.random.Generator, Export], "Export | None"]
    Plain = Callable[[np.random.Generator, bytes], "bytes | None"]


def _some(rng: np.random.Generator, n: int) -> set[int]:
    """Return a few rows that follow one another."""
    first = int(rng.integers(n))
    return set(range(first, min(n, first + int(rng.integers(1, max(2, n // 3))))))


def _column(rng: np.random.Generator, export: Export) -> int:
    return int(rng.integers(len(export.names)))


def _shuffled(rng: np.random.Generator, export: Export) -> Export:
    return in_order(export, rng.permutation(len(export.rows)).tolist())


def _backwards(_rng: np.random.Generator, export: Export) -> Export:
    return in_order(export, range(len(export.rows))[::-1])


def _header_missing(_rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    return replace(export, header=export.rows[0], rows=export.rows[1:])


def _header_repeated(rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    at = int(rng.integers(1, len(export.rows)))
    return replace(export, rows=(*export.rows[:at], export.header, *export.rows[at:]))


def _two_recordings(_rng: np.random.Generator, export: Export) -> Export:
    return replace(export, rows=export.rows * 2)


def _called_another(rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    names = export.names
    at = _column(rng, export)
    twin = names[_column(rng, export)]
    if not twin or twin == names[at]:
        return None
    header = export.header.split(export.delimiter)
    header[at] = header[names.index(twin)]
    return replace(export, header=export.delimiter.join(header))


def _standing_clock(_rng: np.random.Generator, export: Export) -> Export | None:
    times = [] if export.header is None else clocks(export)
    return frozen(export, times) if times else None


def _reset_clock(_rng: np.random.Generator, export: Export) -> Export | None:
    """Let all that counts begin anew in the middle."""
    times = [] if export.header is None else clocks(export)
    if not times:
        return None
    middle = len(export.rows) // 2
    starts = [export.cells(row) for row in export.rows]

    def change(row: int, cells: list[str]) -> list[str]:
        if row < middle:
            return cells
        return [
            starts[row - middle][at] if at in times and at < len(starts[row - middle]) else cell
            for at, cell in enumerate(cells)
        ]

    return export.with_cells(change)


def _in_numbers(rng: np.random.Generator, export: Export, word: str) -> Export | None:
    """Put a word into a cell of some rows of a column of numbers."""
    if export.header is None:
        return None
    columns = [at for at in range(len(export.names)) if np.isfinite(numbers(export, at)).any()]
    if not columns:
        return None
    at = columns[int(rng.integers(len(columns)))]
    rows = _some(rng, len(export.rows))

    def change(row: int, cells: list[str]) -> list[str]:
        if "MSG" in cells[:2]:
            return cells  # the text of a message is of no column, and any is as good
        return [word if row in rows and i == at else cell for i, cell in enumerate(cells)]

    return export.with_cells(change)


def _words(rng: np.random.Generator, export: Export) -> Export | None:
    return _in_numbers(rng, export, WORDS["words for numbers"])


def _half_numbers(rng: np.random.Generator, export: Export) -> Export | None:
    return _in_numbers(rng, export, WORDS["half numbers"])


def _empty_cells(rng: np.random.Generator, export: Export) -> Export | None:
    return _in_numbers(rng, export, "")


def _not_a_number(rng: np.random.Generator, export: Export) -> Export | None:
    return _in_numbers(rng, export, "nan")


def _huge(rng: np.random.Generator, export: Export) -> Export | None:
    return _in_numbers(rng, export, WORDS["huge numbers"])


def _column_without(value: str) -> Change:
    def change(rng: np.random.Generator, export: Export) -> Export | None:
        return None if export.header is None else filled(export, [_column(rng, export)], value)

    return change


def _no_positions(_rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    times = set(clocks(export))
    return filled(export, set(range(len(export.names))) - times, "") if times else None


def _two_swapped(rng: np.random.Generator, export: Export) -> Export:
    order = list(range(len(export.rows)))
    at = int(rng.integers(len(order) - 1))
    order[at], order[at + 1] = order[at + 1], order[at]
    return in_order(export, order)


def _row_twice(rng: np.random.Generator, export: Export) -> Export:
    at = int(rng.integers(len(export.rows)))
    return replace(export, rows=(*export.rows[: at + 1], *export.rows[at:]))


def _short_rows(rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    rows = _some(rng, len(export.rows))
    left = int(rng.integers(1, len(export.names)))
    return export.with_cells(lambda row, cells: cells[:left] if row in rows else cells)


def _cut_off(rng: np.random.Generator, export: Export) -> Export | None:
    """Let the last row end within its first half."""
    if export.header is None:
        return None
    last = export.rows[-1]
    return replace(
        export, rows=(*export.rows[:-1], last[: int(rng.integers(1, len(last) // 2 + 2))])
    )


def _other_order(rng: np.random.Generator, export: Export) -> Export | None:
    """Put the columns in another order; a name that comes twice would mean another one."""
    if export.header is None or len(set(export.names)) < len(export.names) or '"' in export.header:
        return None
    n = len(export.names)
    if any(len(export.cells(row)) != n for row in export.rows):
        return None
    order = rng.permutation(n).tolist()

    def moved(line: str) -> str:
        cells = line.split(export.delimiter)
        return export.delimiter.join(cells[i] for i in order)

    return replace(export, header=moved(export.header), rows=tuple(map(moved, export.rows)))


def _more_columns(_rng: np.random.Generator, export: Export) -> Export | None:
    if export.header is None:
        return None
    n = len(export.names)
    if not export.names[-1] or any(len(export.cells(row)) != n for row in export.rows):
        return None
    mark = export.delimiter
    rows = tuple(f"{row}{mark}{i % 3}" for i, row in enumerate(export.rows))
    return replace(export, header=f"{export.header}{mark}remark of the lab", rows=rows)


def _quoted(_rng: np.random.Generator, export: Export) -> Export | None:
    """Quote every cell that is filled, as spreadsheets do: all rows are of one length there."""
    if export.header is None or any('"' in row for row in (export.header, *export.rows)):
        return None
    n = len(export.names)
    if any(len(export.cells(row)) != n for row in export.rows):
        return None

    def quoted(line: str) -> str:
        cells = line.split(export.delimiter)
        return export.delimiter.join(f'"{cell}"' if cell else cell for cell in cells)

    return replace(export, header=quoted(export.header), rows=tuple(map(quoted, export.rows)))


ERRORS: dict[str, Change] = {
    "rows shuffled": _shuffled,
    "rows backwards": _backwards,
    "header missing": _header_missing,
    "header repeated": _header_repeated,
    "two recordings": _two_recordings,
    "a column called another": _called_another,
    "clock stands still": _standing_clock,
    "clock starts again": _reset_clock,
    "words for numbers": _words,
    "half numbers": _half_numbers,
    "the last row cut": _cut_off,
}
NOTICES: dict[str, Change] = {
    "empty cells": _empty_cells,
    "cells that are no number": _not_a_number,
    "huge numbers": _huge,
    "a column empty": _column_without(""),
    "a column nan": _column_without("nan"),
    "all but times empty": _no_positions,
    "two rows swapped": _two_swapped,
    "a row twice": _row_twice,
    "short rows": _short_rows,
}
# After these a value is missing; and what the others put into cells.
MISSING = {"empty cells", "cells that are no number"}
WORDS = {
    "cells that are no number": "nan",
    "words for numbers": "broken",
    "half numbers": "12.5x",
    "huge numbers": "1e300",
}
HARMLESS_ROWS: dict[str, Change] = {
    "columns in another order": _other_order,
    "a column more": _more_columns,
    "cells quoted": _quoted,
}


def _text(change: Callable[[str], bytes]) -> Plain:
    """Return a change of an export as text; of one that is no UTF-8 text, there is none."""

    def changed(_rng: np.random.Generator, data: bytes) -> bytes | None:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None
        return None if "\0" in text or data.startswith(b"PAR1") else change(text)

    return changed


def _ends(end: str) -> Callable[[str], bytes]:
    def change(text: str) -> bytes:
        return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\n", end).encode()

    return change


def _in_members(rng: np.random.Generator, data: bytes) -> bytes:
    at = int(rng.integers(len(data) + 1))
    return gzip.compress(data[:at]) + gzip.compress(data[at:])


HARMLESS: dict[str, Plain] = {
    "line ends of Windows": _text(_ends("\r\n")),
    "line ends of Unix": _text(_ends("\n")),
    "line ends doubled by Windows": _text(_ends("\r\r\n")),
    "a mark of UTF-8": _text(lambda text: b"\xef\xbb\xbf" + text.encode()),
    "UTF-16": _text(lambda text: text.encode("utf-16")),
    "UTF-16, big-endian": _text(lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    "UTF-32": _text(lambda text: text.encode("utf-32")),
    "blank lines behind it": _text(lambda text: text.rstrip("\n").encode() + b"\n\n\n"),
    "gzip": lambda _rng, data: gzip.compress(data),
    "gzip in members": _in_members,
}


def has_rows(export: Export | None) -> bool:
    """Return whether there are enough rows to damage their order."""
    return export is not None and not export.trials and len(export.rows) >= LEAST_ROWS
