"""Eight and sixty-four bytes of text at once.

This is what numba has no name for, with a slow twin where compilation is switched off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gazetrack.kernels._jit import inlined

if TYPE_CHECKING:
    import numpy.typing as npt

_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_ZEROS = np.uint64(0x3030303030303030)  # "00000000"
_UPPER, _SIX = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x0606060606060606)
_LOWER = np.uint64(0x0F0F0F0F0F0F0F0F)
_PAIRS, _HALF = np.uint64(0x000000FF000000FF), np.uint64(0xFFFFFFFF)
_UNITS, _HUNDREDS = np.uint64(1 + (10000 << 32)), np.uint64(100 + (1000000 << 32))
_POW10 = 10.0 ** np.arange(9)


@intrinsic
def _word_at(typing: Any, data: Any, at: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.intp), generate


@intrinsic
def _marks_at(typing: Any, data: Any, at: Any, one: Any, other: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        vector, lane = ir.VectorType(ir.IntType(8), 64), ir.IntType(32)
        place = builder.bitcast(builder.gep(array.data, [args[1]]), vector.as_pointer())
        loaded = builder.load(place, align=1)
        found = None
        for mark in args[2:]:
            splat = builder.insert_element(
                ir.Constant(vector, ir.Undefined), mark, ir.Constant(lane, 0)
            )
            splat = builder.shuffle_vector(
                splat, splat, ir.Constant(ir.VectorType(lane, 64), [0] * 64)
            )
            equal = builder.icmp_unsigned("==", loaded, splat)
            found = equal if found is None else builder.or_(found, equal)
        return builder.bitcast(found, ir.IntType(64))

    return types.uint64(data, types.intp, types.uint8, types.uint8), generate


@intrinsic
def _trailing_zeros(typing: Any, word: Any) -> Any:  # noqa: ARG001
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ARG001
        return builder.cttz(args[0], cgutils.false_bit)

    return types.uint64(types.uint64), generate


@inlined
def _fast_word_at(data: npt.NDArray[np.uint8], at: int) -> np.uint64:
    """Return data[at:at + 8] as a little-endian number; data must hold them all."""
    return _word_at(data, at)  # type: ignore[call-arg]


@inlined
def _fast_marks_at(data: npt.NDArray[np.uint8], at: int, one: int, other: int) -> np.uint64:
    """Return which of data[at : at + 64] are one of two bytes, the first in the lowest bit.

    All 64 bytes must lie within the data.
    """
    return _marks_at(data, at, np.uint8(one), np.uint8(other))  # type: ignore[call-arg]


@inlined
def _fast_trailing_zeros(word: np.uint64) -> int:
    """Return the number of zero bits below the lowest one, 64 without any."""
    return np.int64(_trailing_zeros(word))  # type: ignore[call-arg, return-value]


@inlined
def _fast_without_lowest(word: np.uint64) -> np.uint64:
    """Return the word without its lowest bit that is set; 0 stays 0."""
    return word & (word - np.uint64(1))


@inlined
def _fast_bytes_before(word: np.uint64, limit: int) -> int:
    """Return how many bytes of a word come before the first one below `limit`, or 8.

    They are counted from the lowest byte; `limit` is 128 at most.
    """
    return (
        trailing_zeros((word - np.uint64(limit) * _ONES) & ~word & _TOPS) >> 3
    )  # the lowest bit set is exact


@inlined
def _fast_short_number(word: np.uint64, length: int, mark: int) -> float:
    """Return the decimal number in the lowest bytes of a word, infinity for anything else.

    length 1 to 8; mark is the decimal mark's byte. The grammar is ``digits[mark digits?] | mark
    digits``. The value is the nearest double: the integer of all digits and the power of ten are
    both exact. Eight digits become a number in three multiplications: D. Lemire, "Quickly parsing
    eight digits", 2018.
    """
    room = np.uint64(8 * (8 - length))
    word = (word << room) | (_ZEROS & ((np.uint64(1) << room) - np.uint64(1)))
    other = word ^ (np.uint64(mark) * _ONES)
    hit = (other - _ONES) & ~other & _TOPS  # the lowest bit set is that of the first mark
    places = 0
    if hit != 0:
        if length == 1:
            return np.inf
        bit = trailing_zeros(hit) & ~7
        places = 7 - (bit >> 3)
        shift = np.uint64(bit)
        above = ((word >> shift) >> np.uint64(8)) << shift << np.uint64(8)
        below = word & ((np.uint64(1) << shift) - np.uint64(1))
        word = above | (below << np.uint64(8)) | np.uint64(48)
    if (word & _UPPER) != _ZEROS or ((word + _SIX) & _UPPER) != _ZEROS:
        return np.inf
    word &= _LOWER
    word = word * np.uint64(10) + (word >> np.uint64(8))
    word = ((word & _PAIRS) * _HUNDREDS + ((word >> np.uint64(16)) & _PAIRS) * _UNITS) >> np.uint64(
        32
    )
    number: float = np.float64(np.int64(word & _HALF)) / _POW10[places]
    return number


def _slow_word_at(data: npt.NDArray[np.uint8], at: int) -> np.uint64:
    word = data[at : at + 8].reshape(8)  # refused where the data end: compiled code reads on
    return np.uint64(int.from_bytes(word.tobytes(), "little"))


def _slow_marks_at(data: npt.NDArray[np.uint8], at: int, one: int, other: int) -> np.uint64:
    cells = data[at : at + 64].reshape(64)
    found = (cells == one) | (cells == other)
    return np.uint64(int.from_bytes(np.packbits(found, bitorder="little").tobytes(), "little"))


def _slow_trailing_zeros(word: np.uint64) -> int:
    whole = int(word)
    return (whole & -whole).bit_length() - 1 if whole else 64


def _slow_without_lowest(word: np.uint64) -> np.uint64:
    whole = int(word)
    return np.uint64(whole & (whole - 1)) if whole else word


def _slow_bytes_before(word: np.uint64, limit: int) -> int:
    return next((i for i, byte in enumerate(int(word).to_bytes(8, "little")) if byte < limit), 8)


def _slow_short_number(word: np.uint64, length: int, mark: int) -> float:
    token = int(word).to_bytes(8, "little")[:length]
    digits = token.replace(bytes([mark]), b"", 1)
    places = len(token) - 1 - token.index(mark) if mark in token else 0
    return int(digits) / 10.0**places if digits.isdigit() else np.inf


if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
    word_at, marks_at = _slow_word_at, _slow_marks_at
    trailing_zeros, without_lowest = _slow_trailing_zeros, _slow_without_lowest
    short_number, bytes_before = _slow_short_number, _slow_bytes_before
else:
    word_at, marks_at = _fast_word_at, _fast_marks_at
    trailing_zeros, without_lowest = _fast_trailing_zeros, _fast_without_lowest
    short_number, bytes_before = _fast_short_number, _fast_bytes_before
