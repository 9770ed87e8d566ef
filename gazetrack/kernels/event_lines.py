"""Lines of eye movements in EyeLink text exports, parsed from bytes."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit
from gazetrack.kernels.text import _after_blanks, _end_of_token, _token_number

UNKNOWN_TIME = 4294967295.0  # how edf2asc writes a time that the tracker never knew: -1 in 32 bits

_EFIX, _ESACC, _EBLINK = (np.frombuffer(word, np.uint8) for word in (b"EFIX", b"ESACC", b"EBLINK"))
_SFIX, _SSACC, _SBLINK = (np.frombuffer(word, np.uint8) for word in (b"SFIX", b"SSACC", b"SBLINK"))


@inlined
def _is_word(
    data: npt.NDArray[np.uint8], start: int, end: int, word: npt.NDArray[np.uint8]
) -> bool:
    if end - start != word.size:
        return False
    for i in range(word.size):
        if data[start + i] != word[i]:
            return False
    return True


@jit
def parse_events(
    data: npt.NDArray[np.uint8],
    others: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.uint8],
    fields: npt.NDArray[np.float64],
) -> None:
    """Parse the lines of eye movements among the lines of `parse_samples` that are no samples.

    others [O, 4] as `parse_samples` gives it. kinds [O]: 1 EFIX, 2 ESACC, 3 EBLINK, 4 SFIX, 5
    SSACC, 6 SBLINK, 0 any other line, also one of these that cannot be used: too short, of no eye,
    without times, of an unknown time, or that ends before it starts. fields [O, 10]: the eye (0
    left, 1 right) and the start; of an end then the other numbers in the order of the line: end,
    duration, and 3 more of EFIX, 6 of ESACC, NaN where one is none.
    """
    for o in range(others.shape[0]):
        start, end = others[o, 0], others[o, 1]
        kinds[o] = 0
        i = min(_end_of_token(data, start), end)
        needed = 0
        if _is_word(data, start, i, _EFIX):
            kind, needed = 1, 8
        elif _is_word(data, start, i, _ESACC):
            kind, needed = 2, 11
        elif _is_word(data, start, i, _EBLINK):
            kind, needed = 3, 5
        elif _is_word(data, start, i, _SFIX):
            kind, needed = 4, 3
        elif _is_word(data, start, i, _SSACC):
            kind, needed = 5, 3
        elif _is_word(data, start, i, _SBLINK):
            kind, needed = 6, 3
        if needed == 0:
            continue
        token = 1
        while token < needed:
            i = _after_blanks(data, i)
            if i >= end:
                break
            first = i
            i = min(_end_of_token(data, i), end)
            if token == 1:
                if i - first != 1 or (data[first] != 76 and data[first] != 82):
                    break
                fields[o, 0] = data[first] == 82
            else:
                fields[o, token - 1] = _token_number(data, first, i)
            token += 1
        if token < needed:
            continue
        is_beginning = kind > 3 and not math.isnan(fields[o, 1])
        if is_beginning or (kind <= 3 and fields[o, 1] <= fields[o, 2] < UNKNOWN_TIME):
            kinds[o] = kind
