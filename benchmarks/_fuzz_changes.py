"""Small changes that leave a table a table, so that the search gets behind the first look at it.

Most inputs with flipped bytes are refused at once; a wrong cell, a column too many or a row too few
are what comes to the code that makes tables.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from _mutant_bytes import NUMBERS, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    Change = Callable[[np.random.Generator, list[bytes], bytes], None]

_NUMBER = re.compile(rb"-?[0-9]{1,18}(?:[.,][0-9]+)?")
_MOST_AT_ONCE = 3
# Long ones are cut off again, or make everything behind them no part of the input.
_NASTY = [text for text in (*NUMBERS, *WORDS) if len(text) < 40]


def delimiter_of(lines: Sequence[bytes]) -> bytes:
    """Return what is between the cells of most lines."""
    text = b"\n".join(lines[-20:])
    return max((b"\t", b",", b";", b" "), key=text.count)


def _any(rng: np.random.Generator, found: Sequence[bytes]) -> bytes:
    return found[int(rng.integers(len(found)))]


def _line(rng: np.random.Generator, lines: Sequence[bytes]) -> int:
    """Return the number of a line; the first ones, where headers are, more often."""
    n = len(lines) if rng.random() < 0.7 else min(len(lines), 3)
    return int(rng.integers(n))


def _cell(rng: np.random.Generator, lines: list[bytes], mark: bytes) -> None:
    """Put another text in place of a cell: of the column, of the line, or a nasty one."""
    at = _line(rng, lines)
    cells = lines[at].split(mark)
    column = int(rng.integers(len(cells)))
    other = _any(rng, lines).split(mark)
    of_column = other[min(column, len(other) - 1)]
    cells[column] = _any(rng, [of_column, _any(rng, cells), _any(rng, _NASTY)])
    lines[at] = mark.join(cells)


def _number(rng: np.random.Generator, lines: list[bytes], _mark: bytes) -> None:
    """Make a number larger, smaller, negative, or a little off."""
    at = _line(rng, lines)
    found = list(_NUMBER.finditer(lines[at]))
    if not found:
        return
    match = found[int(rng.integers(len(found)))]
    value = float(match.group().replace(b",", b"."))
    factor = (-1.0, 0.0, 1.0 + 1e-6, 0.001, 10.0, 1000.0, 1e6)[int(rng.integers(7))]
    changed = value * factor + (1.0 if rng.random() < 0.3 else 0.0)
    is_whole = match.group().lstrip(b"-").isdigit() and changed == int(changed)
    text = repr(int(changed) if is_whole else changed).encode()
    lines[at] = lines[at][: match.start()] + text + lines[at][match.end() :]


def _row(rng: np.random.Generator, lines: list[bytes], _mark: bytes) -> None:
    """Lose a line, repeat one, or let two change places."""
    at = _line(rng, lines)
    to = int(rng.integers(len(lines)))
    what = int(rng.integers(3))
    if what == 0 and len(lines) > 1:
        del lines[at]
    elif what == 1:
        lines.insert(to, lines[at])
    else:
        lines[at], lines[to] = lines[to], lines[at]


def _column(rng: np.random.Generator, lines: list[bytes], mark: bytes) -> None:
    """Lose a column of all lines, repeat one, or let two change places."""
    widest = max(line.count(mark) for line in lines) + 1
    one, two = (int(number) for number in rng.integers(widest, size=2))
    what = int(rng.integers(3))
    for number, line in enumerate(lines):
        cells = line.split(mark)
        if max(one, two) >= len(cells):
            continue
        if what == 0:
            del cells[one]
        elif what == 1:
            cells.insert(two, cells[one])
        else:
            cells[one], cells[two] = cells[two], cells[one]
        lines[number] = mark.join(cells)


def _same(rng: np.random.Generator, lines: list[bytes], mark: bytes) -> None:
    """Give a column the same text in all lines but the first."""
    widest = max(line.count(mark) for line in lines) + 1
    column = int(rng.integers(widest))
    text = _any(rng, [_any(rng, _NASTY), _any(rng, _any(rng, lines).split(mark))])
    for number, line in enumerate(lines[1:], 1):
        cells = line.split(mark)
        if column < len(cells):
            cells[column] = text
            lines[number] = mark.join(cells)


_CHANGES: tuple[Change, ...] = (_cell, _cell, _number, _row, _column, _same)


def gently_changed(rng: np.random.Generator, data: bytes) -> bytes:
    """Return a text with one to three small changes of its cells, rows and columns.

    Parameters
    ----------
    rng : numpy.random.Generator
        Chooses them.
    data : bytes
        The text; of any bytes, something comes out.
    """
    lines = data.split(b"\n")
    for _ in range(int(rng.integers(1, _MOST_AT_ONCE + 1))):
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        change(rng, lines, delimiter_of(lines))
    return b"\n".join(lines)
