"""Cells of delimited text, found and parsed in bytes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit
from gazetrack.kernels._words import marks_at, short_number, trailing_zeros, without_lowest, word_at
from gazetrack.kernels.text import _parse_number

_SLOTS = 64
_KEPT = np.array(
    [0, *(2 ** (8 * i) - 1 for i in range(1, 9))], np.uint64
)  # the lowest bytes of a word
_MISSING = np.array(
    [
        int.from_bytes(token, "little")
        for token in (b".", b"-", b"NA", b"na", b"nan", b"NaN", b"NAN", b"N/A", b"n/a")
    ],
    np.uint64,
)


@jit
def find_cells(
    data: npt.NDArray[np.uint8], delimiter: int, ends: npt.NDArray[np.int32]
) -> tuple[int, int]:
    """Write the positions of all delimiters and line feeds in data [B] to `ends`.

    Returns their number and that of the line feeds alone; -1 for both when there are more than
    ends.size - 72.
    """
    n = data.size
    room = ends.size - 72
    found = 0
    lines = 0
    i = 0
    while i + 64 <= n and found <= room:
        mask = marks_at(data, i, delimiter, 10)
        feeds = marks_at(data, i, 10, 10)
        while feeds != 0:
            lines += 1
            feeds = without_lowest(feeds)
        k = found
        while mask != 0:
            # Eight at a time, whether there are as many or not, saves most of the mispredicted
            # branches.
            for _ in range(8):
                ends[k] = i + trailing_zeros(mask)
                k += 1
                found += mask != 0
                mask = without_lowest(mask)
        i += 64
    while i < n and found <= room:
        if data[i] == delimiter or data[i] == 10:
            lines += data[i] == 10
            ends[found] = i
            found += 1
        i += 1
    if found > room:
        return -1, -1
    return found, lines


@inlined
def _number(data: npt.NDArray[np.uint8], start: int, end: int, mark: int) -> float:
    """Return the number in data[start:end].

    It is NaN for a mark of missing data, and infinity for what is neither.
    """
    first = start
    negative = data[start] == 45
    if negative or data[start] == 43:
        start += 1
    length = end - start
    value = math.inf
    if 0 < length <= 8 and start + 8 <= data.size:
        value = short_number(word_at(data, start), length, mark)
    elif 0 < length <= 16:
        value = _parse_number(data, first, end, mark)
        if not math.isnan(value):
            return value
        value = math.inf
    if value != math.inf:
        return -value if negative else value
    if end - first <= 3:
        word = np.uint64(0)
        for i in range(end - first):
            word |= np.uint64(data[first + i]) << np.uint64(8 * i)
        for token in _MISSING:
            if word == token:
                return math.nan
    return math.inf


@inlined
def _has_mark(data: npt.NDArray[np.uint8], start: int, end: int, mark: int) -> bool:
    for i in range(start, end):
        if data[i] == mark:
            return True
    return False


@inlined
def _same(data: npt.NDArray[np.uint8], a: int, b: int, length: int) -> bool:
    i = 0
    while i + 8 <= length:
        if word_at(data, a + i) != word_at(data, b + i):
            return False
        i += 8
    while i < length:
        if data[a + i] != data[b + i]:
            return False
        i += 1
    return True


@jit
def parse_cells(
    data: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int32],
    wanted: npt.NDArray[np.int64],
    mark: int,
    columns: tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.int32]],
    first: int,
    texts: npt.NDArray[np.int32],
    counts: npt.NDArray[np.int64],
) -> int:
    """Parse some columns of whole lines: numbers, then texts as codes of an own dictionary.

    data [B] the lines, each ended by LF. ends [R, C] where the cells end, see `find_cells`. wanted
    [K] the columns among the C: numbers, first the exact ones, then texts. mark is the decimal
    mark's byte. columns: numbers [M, S] and [N, S], S >= first + R, NaN where missing, and codes
    [T, S], T = K - M - N; the lines' rows are those from `first` on. They are whole: slices would
    be of many types, each compiled on its own. texts[j, codes[j, first + r]] is where a text starts
    and ends in data; counts[j] of them, where one text may be twice. texts [T, R, 2]. counts
    [T + 1], the last: whether any number has a decimal mark. Returns the first row that is not
    plain (its last cell does not end the line, or a number is in none of the plain notations), R
    when all are.
    """
    rows, width = ends.shape
    exact, short, codes = columns
    n_exact = exact.shape[0]
    n_numbers = n_exact + short.shape[0]
    n_texts = wanted.size - n_numbers
    slots = np.full((n_texts, _SLOTS), -1, np.int32)
    latest = np.full(n_texts, -1, np.int32)
    words = np.zeros(n_numbers, np.uint64)
    values = np.full(n_numbers, math.nan)
    counts[:] = 0
    marked = False
    line = 0
    for r in range(rows):
        if data[ends[r, width - 1]] != 10:
            return r
        for j in range(n_numbers):
            c = wanted[j]
            start = line if c == 0 else ends[r, c - 1] + 1
            length = ends[r, c] - start
            word = np.uint64(0)
            if length <= 8 and start + 8 <= data.size:
                word = word_at(data, start) & _KEPT[length]
            if length == 0:
                words[j] = np.uint64(0)
                values[j] = math.nan
            elif word == 0 or word != words[j]:  # most columns keep their number for a while
                words[j] = word
                values[j] = _number(data, start, ends[r, c], mark)
                if values[j] == math.inf:
                    return r
                if not marked:
                    marked = not math.isnan(values[j]) and _has_mark(data, start, ends[r, c], mark)
            if j < n_exact:
                exact[j, first + r] = values[j]
            else:
                short[j - n_exact, first + r] = values[j]
        for j in range(n_texts):
            c = wanted[n_numbers + j]
            start = line if c == 0 else ends[r, c - 1] + 1
            length = ends[r, c] - start
            code = latest[j]
            known = code >= 0 and texts[j, code, 1] - texts[j, code, 0] == length
            if not (known and _same(data, start, texts[j, code, 0], length)):
                middle = np.int64(data[start + (length >> 1)])
                slot = (
                    length * 31
                    + np.int64(data[start]) * 7
                    + np.int64(data[ends[r, c] - 1]) * 3
                    + middle
                ) % _SLOTS
                code = slots[j, slot]
                known = code >= 0 and texts[j, code, 1] - texts[j, code, 0] == length
                if not (known and _same(data, start, texts[j, code, 0], length)):
                    code = counts[j]
                    counts[j] += 1
                    texts[j, code, 0] = start
                    texts[j, code, 1] = ends[r, c]
                    slots[j, slot] = code
                latest[j] = code
            codes[j, first + r] = code
        line = ends[r, width - 1] + 1
    counts[n_texts] = marked
    return int(rows)


@inlined
def _kind_beyond(data: npt.NDArray[np.uint8], start: int, end: int) -> int:
    """Return what a cell that no column claims holds: 0 nothing, 1 text, 2 a number.

    The cell is data[start:end].
    """
    digits = False
    other = False
    for i in range(start, end):
        c = data[i]
        if c == 32 or c == 9 or c == 34:  # blanks, and the quotes around an empty cell
            continue
        if 48 <= c <= 57:
            digits = True
        elif c != 43 and c != 44 and c != 45 and c != 46 and c != 69 and c != 101:  # + , - . E e
            return 1
        else:
            other = True
    if digits:
        return 2
    return 1 if other else 0


@inlined
def _is_last(kind: int, last_kind: int) -> bool:
    """Whether a cell of a kind may be the last of a row, see `pick_cells`."""
    if last_kind == 0:
        return True
    return kind == 0 if last_kind == 3 else kind == 1 or (kind == 2 and last_kind == 2)


@jit
def pick_cells(
    data: npt.NDArray[np.uint8],
    marks: tuple[int, int],
    wanted: npt.NDArray[np.int64],
    widths: tuple[int, int, int, int, int],
    out: npt.NDArray[np.uint8],
    facts: npt.NDArray[np.int64],
) -> tuple[int, int, int]:
    """Write some cells of each row, so that rows of any length become rows of one.

    Those of another length are counted. data [B] lines, each ended by LF; blank ones are no rows.
    marks: the bytes of the delimiter and of the quote that may enclose cells, 0 for none. wanted
    [K] the columns to keep, ascending. widths: the columns up to the last one that has a name, all
    columns of the header, the cells that most rows have, how many fewer a row has at most that may
    have lost a separator, and what its last cell is then: 1 text, 2 text or a number, 3 nothing, 0
    any. All its cells are empty then. out: of each row its wanted cells as they are,
    empty where the row ends before, and an empty one, so that no row is a blank line; at most B +
    (K + 2) * R bytes for R line ends. facts [12]: the rows; those that end before the last name;
    those that end before a wanted cell; those with empty cells beyond the header; those with text
    beyond it; those that may have lost a separator, which count as nothing else; the first one of
    each of these five kinds, -1 for none; and the cells of the last row. A row is refused where a
    number stands beyond the header, or as many cells as make a second row. Returns the bytes
    written, those read (less than B where a quote is left open) and the first refused row, else -1.
    """
    delimiter, quote = marks
    named, width, usual, most_lost, last_kind = widths
    facts[:6] = 0
    facts[6:11] = -1
    facts[11] = 0
    refused = -1
    n = data.size
    i = 0
    written = 0
    while i < n:
        if data[i] == 10:
            i += 1
            continue
        row_start, row_written = i, written
        cell = 0
        kept = 0
        texts = 0
        numbers = 0
        last = False
        while not last:
            start = i
            wants = kept < wanted.size and wanted[kept] == cell
            if quote != 0 and data[i] == quote:
                i += 1
                while i < n and (data[i] != quote or (i + 1 < n and data[i + 1] == quote)):
                    i += 1 if data[i] != quote else 2
                if i >= n:
                    return row_written, row_start, refused
                if wants:
                    for k in range(start, i):
                        out[written + k - start] = data[k]
                    written += i - start
            if wants:
                while data[i] != delimiter and data[i] != 10:
                    out[written] = data[i]
                    written += 1
                    i += 1
                out[written] = delimiter
                written += 1
                kept += 1
            else:
                while data[i] != delimiter and data[i] != 10:
                    i += 1
            if cell >= width:
                kind = _kind_beyond(data, start, i)
                texts += kind != 0
                numbers += kind == 2
            last = data[i] == 10
            i += 1
            cell += 1
        row = facts[0]
        is_fewer = max(usual - most_lost, 1) <= cell < usual
        lost = is_fewer and _is_last(_kind_beyond(data, start, i - 1), last_kind)
        if lost:
            written = row_written
            kept = 0
        short = not lost and kept < wanted.size
        spare = cell > width and texts == 0
        kinds = (cell < named and not lost, short, spare, texts > 0, lost)
        for k in range(5):
            if kinds[k]:
                facts[1 + k] += 1
                if facts[6 + k] < 0:
                    facts[6 + k] = row
        if refused < 0 and (numbers > 0 or texts >= max(2, width - 1)):
            refused = row
        facts[0] += 1
        facts[11] = cell
        while kept < wanted.size:
            out[written] = delimiter
            written += 1
            kept += 1
        out[written] = 10
        written += 1
    return written, n, refused


@jit
def recode(codes: npt.NDArray[np.int32], lookup: npt.NDArray[np.int32]) -> None:
    """Replace each of the codes [R]: codes[r] becomes lookup[codes[r]]; lookup [M]."""
    for r in range(codes.size):
        codes[r] = lookup[codes[r]]
