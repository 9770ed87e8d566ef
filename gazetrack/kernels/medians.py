"""Medians of many numbers, by counting instead of comparing."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gazetrack.kernels._jit import inlined, jit

Floats = npt.NDArray[np.float64]

_DIGITS = 65536  # of a number of four digits: the 64 bits of its order
_FIRST_SHIFT = 48
_SIGN = np.int64(np.iinfo(np.int64).min)


@inlined
def _middle(
    order: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> tuple[np.int64, np.int64]:
    """Return the two numbers in the middle of order [N], one and the same for odd N, N > 0.

    The digits of the lower one are found one by one: numbers are counted by their first digit, and
    those that share it with the one in the middle by the next. `order` is changed, `counts`
    [_DIGITS] is scratch.
    """
    n = order.size
    rank = (n - 1) // 2
    left = n
    for shift in range(_FIRST_SHIFT, -1, -16):
        counts[:] = 0
        for i in range(left):
            counts[(order[i] >> shift) & (_DIGITS - 1)] += 1
        digit = 0
        while rank >= counts[digit]:
            rank -= counts[digit]
            digit += 1
        kept = 0
        for i in range(left):
            value = order[i]
            if (value >> shift) & (_DIGITS - 1) == digit:
                # Those that are kept move to the front, the others behind them.
                order[i] = order[kept]
                order[kept] = value
                kept += 1
        left = kept
    lower: np.int64 = order[0]
    if n % 2 == 1 or rank + 1 < left:
        return lower, lower
    # The next number is the least of all that come after. Shifted to unsigned order by the sign.
    upper = np.int64(-1)
    for i in range(left, n):
        if (order[i] ^ _SIGN) > (lower ^ _SIGN) and (order[i] ^ _SIGN) < (upper ^ _SIGN):
            upper = order[i]
    return lower, upper


@jit
def middles(values: Floats) -> Floats:
    """Return the two numbers in the middle of values [N], and the two middle ones of their sizes.

    NaN is left out; all four are NaN where nothing is left. The bits of a float, read as an
    integer, are in its order, where those of negative ones are inverted; sizes are in the order of
    the bits without the sign.
    """
    bits = values.view(np.int64)
    order = np.empty(values.size, np.int64)
    sizes = np.empty(values.size, np.int64)
    n = 0
    for i in range(values.size):
        if not math.isnan(values[i]):
            order[n] = ~bits[i] if bits[i] < 0 else bits[i] ^ _SIGN
            sizes[n] = bits[i] & ~_SIGN
            n += 1
    if n == 0:
        return np.full(4, np.nan)
    counts = np.empty(_DIGITS, np.int64)
    found = np.empty(4, np.int64)
    found[0], found[1] = _middle(order[:n], counts)
    for k in range(2):
        found[k] = ~found[k] if found[k] >= 0 else found[k] ^ _SIGN
    found[2], found[3] = _middle(sizes[:n], counts)
    return found.view(np.float64)


def median_and_square(values: Floats) -> tuple[float, float]:
    """Return the median of values [N], and that of their squares, without NaN; NaN of nothing.

    The same as `numpy.median`'s to the last bit, which compiled code, free to join a product and a
    sum, does not promise.
    """
    lower, upper, small, large = middles(values).tolist()
    return (lower + upper) / 2, (small**2 + large**2) / 2
