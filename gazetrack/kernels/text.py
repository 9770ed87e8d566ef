"""Lines of EyeLink text exports, parsed from bytes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit
from gazetrack.kernels._words import bytes_before, short_number, trailing_zeros, word_at

_POW10 = 10.0 ** np.arange(19)
_KEPT = np.array(
    [0, *(2 ** (8 * i) - 1 for i in range(1, 9))], np.uint64
)  # the lowest bytes of a word
_SPACES = np.uint64(0x2020202020202020)


@jit
def _parse_number(data: npt.NDArray[np.uint8], start: int, end: int, mark: int) -> float:
    """Return the plain decimal number in data[start:end], NaN for anything else.

    `mark` is the decimal mark. The grammar is ``[+-]?(digits[.digits?] | .digits)``. Up to 15
    digits give the nearest double, because the integer of all digits and the power of ten are both
    exact; digits of a fraction beyond the 15th are cut off.
    """
    i = start
    negative = False
    if i < end and (data[i] == 45 or data[i] == 43):
        negative = data[i] == 45
        i += 1
    mantissa = np.int64(0)
    digits = 0
    places = 0
    seen = False
    point = False
    while i < end:
        c = data[i]
        if 48 <= c <= 57:
            seen = True
            if digits < 15:
                mantissa = mantissa * 10 + (c - 48)
                places += point
                digits += mantissa > 0
            elif not point:
                if digits == 18:
                    return math.nan
                mantissa = mantissa * 10 + (c - 48)
                digits += 1
            if places == 18:  # the last power of the table
                digits = 15
        elif c == mark and not point:
            point = True
        else:
            return math.nan
        i += 1
    if not seen:
        return math.nan
    value: float = np.float64(mantissa) / _POW10[places]
    return -value if negative else value


@inlined
def _after_blanks(data: npt.NDArray[np.uint8], start: int) -> int:
    """Return the first place from `start` on that holds neither a blank nor a tab."""
    i = start
    while i < data.size and (data[i] == 32 or data[i] == 9):
        i += 1
        if i + 8 <= data.size:  # all the blanks that pad a number, without a branch for each
            i += trailing_zeros(word_at(data, i) ^ _SPACES) >> 3
    return i


@inlined
def _end_of_token(data: npt.NDArray[np.uint8], start: int) -> int:
    """Return where the token that begins at `start` ends.

    It ends at a blank, a tab, a line end, or the end of data.
    """
    i = start
    while i + 8 <= data.size:
        length = bytes_before(word_at(data, i), 33)
        i += length
        if length == 8:
            continue
        c = data[i]
        if c == 32 or c == 9 or c == 10 or c == 13:
            return i
        i += 1  # another control character belongs to the token
    while i < data.size and data[i] != 32 and data[i] != 9 and data[i] != 10 and data[i] != 13:
        i += 1
    return i


@inlined
def _end_of_line(data: npt.NDArray[np.uint8], start: int) -> int:
    """Return where the line that holds the place `start` ends.

    It ends at its first CR or LF, or at the end of data.
    """
    i = start
    while i < data.size:
        if i + 8 <= data.size:
            length = bytes_before(word_at(data, i), 14)
            i += length
            if length == 8:
                continue
        if data[i] == 10 or data[i] == 13:
            return i
        i += 1
    return i


@inlined
def _next_line(data: npt.NDArray[np.uint8], end: int) -> int:
    """Return where the line behind the line end at `end` begins: LF, CR, CR LF or CR CR LF."""
    n = data.size
    i = end
    if i < n:
        carriage = data[i] == 13
        i += 1
        if carriage and i < n and data[i] == 10:
            i += 1
        elif carriage and i + 1 < n and data[i] == 13 and data[i + 1] == 10:
            i += 2
    return i


@inlined
def _short_token(word: np.uint64, length: int) -> float:
    """Return the number in the lowest bytes of a word, NaN for anything else; length 1 to 8."""
    sign = word & np.uint64(255)
    if sign == 45 or sign == 43:
        word >>= np.uint64(8)
        length -= 1
    value = short_number(word, length, 46) if length > 0 else math.inf
    if value == math.inf:
        return math.nan
    return -value if sign == 45 else value


@jit
def _token_number(data: npt.NDArray[np.uint8], start: int, end: int) -> float:
    """Return the number in data[start:end], NaN for anything else; short ones at once."""
    if end - start > 8 or start + 8 > data.size:
        return _parse_number(data, start, end, 46)
    return _short_token(word_at(data, start), end - start)


@inlined
def _is_quality(data: npt.NDArray[np.uint8], start: int, end: int) -> bool:
    """Whether data[start:end] is the tracker's marks of quality.

    They are 3 or more of ``.``, C, I and R; or those of a head target, which are 13 of one eye and
    17 of two: a point, or one of the letters A, B, C, F, L, M, N, R and T.
    """
    length = end - start
    of_eyes = length >= 3
    of_target = length == 13 or length == 17
    for i in range(start, end):
        c = data[i]
        of_eyes &= c == 46 or c == 67 or c == 73 or c == 82
        of_target &= c == 46 or 65 <= c <= 67 or c == 70 or 76 <= c <= 78 or c == 82 or c == 84
        if not (of_eyes or of_target):
            return False
    return of_eyes or of_target


@jit
def _more_values(data: npt.NDArray[np.uint8], start: int, tabs: int, tabbed: bool) -> int:
    """Return how many values of a sample follow from the token at `start` on.

    They end at the marks of quality, or with the line. tabs: how many tabs stand before the token;
    tabbed: whether tabs part the values.
    """
    count = 0
    i = start
    while i < data.size and data[i] != 10 and data[i] != 13:
        end = _end_of_token(data, i)
        if tabbed and tabs > 1:
            count += tabs - 1
        if _is_quality(data, i, end):
            return count
        in_cell = tabbed and tabs == 0 and (data[i] == 45 or 48 <= data[i] <= 57)
        if not in_cell:
            count += 1
        i = end
        tabs = 0
        while i < data.size and (data[i] == 32 or data[i] == 9):
            tabs += data[i] == 9
            i += 1
    return count


@jit
def parse_samples(
    data: npt.NDArray[np.uint8],
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
    fields: npt.NDArray[np.uint8],
    n_values: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
) -> tuple[int, int, int]:
    """Parse the lines that begin with a digit, or a minus and a digit.

    All others that are not empty are marked. data [B] whole lines, ended by LF, CR, CR LF or CR CR
    LF. For sample s: times[s] its first field, NaN if it is no number; values[s, :6] the next six
    fields, NaN where a field is a lone point (the tracker's mark of a missing value) or absent,
    infinity where it is any other text that is no number; fields[s] their count, 7 at most;
    n_values[s] how many fields, 255 at most, stand between the time and the marks of quality, or
    the end of the line; lines[s] the line counted from 0. Where a tab follows the time, tabs part
    the fields: one with nothing in it, or with a blank between numbers, is text as well. Elsewhere
    blanks do, and text is -infinity, and so are dots: a value may be lost before it, all others be
    of other columns. For other line o: others[o] = start, end (without line end), line, samples
    before it. The outputs hold at least as many rows as data has lines. Returns the numbers of
    samples, other lines, and lines.
    """
    n = data.size
    i = 0
    line = 0
    n_samples = 0
    n_others = 0
    while i < n:
        start = i
        negative = (
            data[i] == 45 and i + 1 < n and 48 <= data[i + 1] <= 57
        )  # of tools that count from an event
        is_sample = negative or 48 <= data[i] <= 57
        if is_sample:
            field = 0
            tabbed = False
            tabs = 0
            quality = 0  # the field with the marks of quality
            for k in range(6):
                values[n_samples, k] = math.nan
            while field < 8:
                tabs = 0
                while i < n and (data[i] == 32 or data[i] == 9):
                    tabs += data[i] == 9
                    i += 1
                if i == n or data[i] == 10 or data[i] == 13:
                    break
                if field == 1:
                    tabbed = tabs > 0
                if tabbed and tabs == 0 and (data[i] == 45 or 48 <= data[i] <= 57):
                    # A cell with a blank in it is no number; those behind it keep their columns.
                    values[n_samples, field - 2] = math.inf
                    i = _end_of_token(data, i)
                    continue
                while tabbed and tabs > 1 and field < 7:
                    values[n_samples, field - 1] = math.inf
                    field += 1
                    tabs -= 1
                if field >= 7:
                    break
                first = i
                number = math.nan
                length = bytes_before(word_at(data, i), 33) if i + 8 <= n else 8
                after = data[i + length] if length < 8 else 0
                if after == 9 or after == 32 or after == 10 or after == 13:
                    number = _short_token(word_at(data, i), length)
                    i += length
                else:
                    i = _end_of_token(data, i)
                    number = _token_number(data, first, i)
                if field == 0:
                    times[n_samples] = number
                elif math.isnan(number) and (i > first + 1 or data[first] != 46):
                    # The marks of quality follow the values: one of them is lost.
                    if quality == 0 and _is_quality(data, first, i):
                        quality = field
                    dots = data[first] == 46 and data[first + 1] == 46
                    values[n_samples, field - 1] = math.inf if tabbed and not dots else -math.inf
                else:
                    values[n_samples, field - 1] = number
                field += 1
            fields[n_samples] = field
            n_before = (quality if quality > 0 else max(field, 1)) - 1
            if field == 7 and quality == 0:
                n_before += _more_values(data, i, tabs, tabbed)
            n_values[n_samples] = min(n_before, 255)
            lines[n_samples] = line
            n_samples += 1
        i = _end_of_line(data, i)
        if i > start and not is_sample:
            others[n_others, 0] = start
            others[n_others, 1] = i
            others[n_others, 2] = line
            others[n_others, 3] = n_samples
            n_others += 1
        i = _next_line(data, i)
        line += 1
    return n_samples, n_others, line


@jit
def settle_samples(
    values: npt.NDArray[np.float32], width: int, has_pupil: bool
) -> tuple[bool, int, int, int]:
    """Turn what stands for a missing value into NaN, in place.

    values [S, 6]: x, y and pupil of one eye or two, as `parse_samples` gives them, of which the
    first `width` (3 or 6) count. has_pupil: whether a pupil above 0 came before them. The tracker
    writes a lost eye with a pupil of 0: all three values of the eye become NaN. But a recording
    without any pupil sizes has a pupil of 0 beside every position: while no pupil above 0 has come,
    a pupil of 0 beside a position stays as it is. Infinity is text; a sample with -infinity has no
    value that is known to be of its column.

    Returns whether a pupil above 0 has come by now; how often a pupil of 0 stayed; how many values
    were text that is no number; and the first sample with such a text, S without any.
    """
    n = values.shape[0]
    texts, first_text, unsettled = 0, n, 0
    for s in range(n):
        shifted = False
        for k in range(width):
            shifted |= values[s, k] == -math.inf
        for k in range(width):
            value = values[s, k]
            if shifted or value == math.inf:
                values[s, k] = math.nan
                texts += 1
                first_text = min(first_text, s)
            elif k % 3 == 2 and value > 0:
                has_pupil = True
    for eye in range(0, width, 3):
        for s in range(n):
            if values[s, eye + 2] == 0:
                if has_pupil or math.isnan(values[s, eye] + values[s, eye + 1]):
                    values[s, eye] = values[s, eye + 1] = values[s, eye + 2] = math.nan
                else:
                    unsettled += 1
    return has_pupil, unsettled, texts, first_text


@jit
def place_samples(
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
    fields: npt.NDArray[np.uint8],
    width: int,
    first: int,
    previous: float,
    placed: npt.NDArray[np.float32],
) -> tuple[int, int, int, int]:
    """Put samples as `settle_samples` leaves them into columns.

    times [S], values [S, 6], fields [S]: the samples, of which the first `width` values (3 or 6)
    count. previous: the time before the first one. placed [8, S]: x, y, pupil of the left eye, then
    of the right one, then the mean of the eyes' x and y, or the one that is there; NaN where
    missing. The values are those from column `first` on (0 or 3). Returns the first sample without
    a time or enough values, S without any; the one whose time is furthest behind that of the one
    before it; and how many are behind it, and how many equal.
    """
    n = times.size
    damaged, steepest, backwards, repeats = n, 0, 0, 0
    largest = math.inf
    for s in range(n):
        if damaged == n and (math.isnan(times[s]) or fields[s] <= width):
            damaged = s
        step = times[s] - previous
        if step < largest:
            largest = step
            steepest = s
        backwards += step < 0
        repeats += step == 0
        previous = times[s]
    for k in range(6):
        for s in range(n):
            placed[k, s] = values[s, k - first] if first <= k < first + width else math.nan
    for axis in (0, 1):
        for s in range(n):
            left, right = placed[axis, s], placed[3 + axis, s]
            mean = (left + right) * np.float32(0.5)
            placed[6 + axis, s] = (
                mean if not math.isnan(mean) else right if math.isnan(left) else left
            )
    return damaged, steepest, backwards, repeats
