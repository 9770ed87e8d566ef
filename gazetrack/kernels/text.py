"""Sample lines of text exports, parsed from bytes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import jit

_POW10 = 10.0 ** np.arange(19)


@jit
def _parse_number(data: npt.NDArray[np.uint8], start: int, end: int, mark: int) -> float:
    """Return the plain decimal number in data[start:end], NaN for anything else; mark is the decimal mark.

    The grammar is ``[+-]?(digits[.digits?] | .digits)``. Up to 15 digits give the nearest double, because the integer
    of all digits and the power of ten are both exact; digits of a fraction beyond the 15th are cut off.
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


@jit
def parse_samples(
    data: npt.NDArray[np.uint8],
    times: npt.NDArray[np.float64],
    values: npt.NDArray[np.float32],
    fields: npt.NDArray[np.uint8],
    lines: npt.NDArray[np.int64],
    others: npt.NDArray[np.int64],
) -> tuple[int, int, int]:
    """Parse the lines that begin with a digit, and mark all others that are not empty.

    data [B] whole lines, ended by LF, CR, CR LF or CR CR LF. For sample s: times[s] its first field, values[s, :6] the
    next six fields, NaN where a field is no number or absent; fields[s] their count, 7 at most; lines[s] the line
    counted from 0. For other line o: others[o] = start, end (without line end), line, samples before it. The outputs
    hold at least as many rows as data has lines. Returns the numbers of samples, other lines, and lines.
    """
    n = data.size
    i = 0
    line = 0
    n_samples = 0
    n_others = 0
    while i < n:
        start = i
        if 48 <= data[i] <= 57:
            field = 0
            for k in range(6):
                values[n_samples, k] = math.nan
            while field < 7:
                while i < n and (data[i] == 32 or data[i] == 9):
                    i += 1
                if i == n or data[i] == 10 or data[i] == 13:
                    break
                first = i
                while i < n and data[i] != 32 and data[i] != 9 and data[i] != 10 and data[i] != 13:
                    i += 1
                number = _parse_number(data, first, i, 46)
                if field == 0:
                    times[n_samples] = number
                else:
                    values[n_samples, field - 1] = number
                field += 1
            fields[n_samples] = field
            lines[n_samples] = line
            n_samples += 1
        while i < n and data[i] != 10 and data[i] != 13:
            i += 1
        if i > start and not 48 <= data[start] <= 57:
            others[n_others, 0] = start
            others[n_others, 1] = i
            others[n_others, 2] = line
            others[n_others, 3] = n_samples
            n_others += 1
        if i < n:
            carriage = data[i] == 13
            i += 1
            if carriage and i < n and data[i] == 10:
                i += 1
            elif carriage and i + 1 < n and data[i] == 13 and data[i + 1] == 10:
                i += 2
        line += 1
    return n_samples, n_others, line
