"""Damage to the bytes and the words of an export, of which no reader can know the truth.

Nothing is asked of what is read of it but that it is read in order or refused in order.
"""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Change = Callable[[np.random.Generator, bytes, bytes], bytes]

_NUMBER = re.compile(rb"-?[0-9]+(?:[.,][0-9]+)?")
_WORD = re.compile(rb"[A-Za-z][A-Za-z0-9_ ]*")
NUMBERS = (
    *(b"", b"nan", b"NaN", b"inf", b"-Infinity", b"-0", b"0", b"-1", b"1e308", b"1e400"),
    *(b"9" * 30, b"9" * 5000, b"1_000", b"0x1F", b"1,5", b"1.5.2", b"--", b".", b"e", b"+5"),
    *("\u0663\u0664".encode(), b"1e-400", b"9223372036854775808", b"-9223372036854775809"),
    *(b"1 000", b'"12"', b"NULL", b"true", b"[1, 2]", b"{}", b"\x00", b"99999999999.5"),
)
WORDS = (
    *(b"", b"../../x", b"/etc/passwd", b"..\\x", b"-rf", b"~", b"con", b"NUL.txt", b"%s{0}"),
    *(b"a\nb", b"a\tb", b"a,b", b'"', b"'", b"\x1b[31m", "\u202etxt.exe".encode(), b"x" * 300),
    *(b"=cmd()", b"\xff\xfe", b"\xed\xa0\x80", "e\u0301".encode(), b"x", b"y", b"timestamp"),
    *(b"null", b"nan", b"[[[[[[[[", b"]}", b"x" * 70_000, b"[px]", b"[ms]", b"#", b"**"),
)
_FOREIGN = (
    *(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"PK\x03\x04\x14\0", b"\x7fELF\x02\x01\x01\0", b"%PDF-1.7"),
    *(b"PAR1\x15\x04\x15\x10", b"XDF:\x01\x05\x02\0", b"\x89HDF\r\n\x1a\n", b"SR_RESEARCH_BINARY"),
)
_ENCODINGS = ("utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp1252", "shift_jis", "cp037")


def _at(rng: np.random.Generator, data: bytes) -> int:
    return int(rng.integers(len(data) + 1))


def _flipped(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    changed = bytearray(data)
    for at in rng.integers(0, max(len(data), 1), int(rng.integers(1, 20))).tolist():
        if changed:
            changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _cut_out(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + data[at + int(rng.integers(1, 400)) :]


def _copied(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    start = _at(rng, data)
    at = _at(rng, data)
    return data[:at] + data[start : start + int(rng.integers(1, 2000))] + data[at:]


def _truncated(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    return data[: _at(rng, data)]


def _zeros(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    at = _at(rng, data)
    n = int(rng.integers(1, 600))
    return data[:at] + bytes(n) + data[at + (n if rng.random() < 0.5 else 0) :]


def _noise(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    at = _at(rng, data)
    n = int(rng.integers(1, 300))
    return data[:at] + rng.bytes(n) + data[at + n :]


def _foreign(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    return _FOREIGN[int(rng.integers(len(_FOREIGN)))] + data[_at(rng, data) :]


def _spliced(rng: np.random.Generator, data: bytes, other: bytes) -> bytes:
    return data[: _at(rng, data)] + other[_at(rng, other) :]


def _followed(_rng: np.random.Generator, data: bytes, other: bytes) -> bytes:
    return data + other


def _encoded(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    encoding = _ENCODINGS[int(rng.integers(len(_ENCODINGS)))]
    return data.decode("utf-8", "replace").encode(encoding, "replace")


def _mixed_ends(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    ends = (b"\n", b"\r\n", b"\r", b"\r\r\n", b"\n\n", b"\x0b", "\u2028".encode(), b"\x85")
    lines = data.split(b"\n")
    return b"".join(line + ends[int(rng.integers(len(ends)))] for line in lines)


def _replaced(
    pattern: re.Pattern[bytes], nasty: tuple[bytes, ...], rng: np.random.Generator, data: bytes
) -> bytes:
    """Put nasty texts in place of some of what a pattern finds."""
    found = list(pattern.finditer(data))
    if not found:
        return data
    chosen = sorted({int(i) for i in rng.integers(0, len(found), int(rng.integers(1, 6)))})
    parts = []
    end = 0
    for number in chosen:
        match = found[number]
        parts += [data[end : match.start()], nasty[int(rng.integers(len(nasty)))]]
        end = match.end()
    return b"".join(parts) + data[end:]


def _numbers(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    return _replaced(_NUMBER, NUMBERS, rng, data)


def _words(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    return _replaced(_WORD, WORDS, rng, data)


def _first_words(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    """Damage the first lines alone, where headers are."""
    end = 0
    for _ in range(int(rng.integers(1, 12))):
        end = data.find(b"\n", end) + 1 or len(data)
    change = _words if rng.random() < 0.6 else _numbers
    return change(rng, data[:end], b"") + data[end:]


def _number_everywhere(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    """Put one nasty text in place of a number wherever it comes."""
    found = _NUMBER.findall(data)
    if not found:
        return data
    return data.replace(
        found[int(rng.integers(len(found)))], NUMBERS[int(rng.integers(len(NUMBERS)))]
    )


def _quoted(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + b'"' * int(rng.integers(1, 4)) + data[at:]


def _lines(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    lines = data.split(b"\n")
    for _ in range(int(rng.integers(1, 6))):
        at = int(rng.integers(len(lines)))
        what = rng.random()
        if what < 0.4:
            del lines[at]
            lines = lines or [b""]
        elif what < 0.7:
            lines.insert(int(rng.integers(len(lines) + 1)), lines[at])
        else:
            to = int(rng.integers(len(lines)))
            lines[at], lines[to] = lines[to], lines[at]
    return b"\n".join(lines)


def _long_line(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    at = _at(rng, data)
    return data[:at] + b"x" * 1_200_000 + data[at:]


def _many_cells(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    marks = (b"\t", b",", b";", b"[", b"{", b" ")
    at = data.find(b"\n", _at(rng, data))
    return data[:at] + marks[int(rng.integers(len(marks)))] * 12_000 + data[at:]


def _other_delimiter(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    marks = (b"\t", b",", b";", b" ", b"|", b".")
    old, new = rng.permutation(len(marks))[:2].tolist()
    return data.replace(marks[old], marks[new])


def _packed(rng: np.random.Generator, data: bytes, other: bytes) -> bytes:
    """Damage an export that is packed."""
    packed = gzip.compress(data, 1)
    what = int(rng.integers(5))
    if what == 0:
        return _truncated(rng, packed, b"")
    if what == 1:
        return _flipped(rng, packed, b"")
    if what == 2:
        return packed + other[:200]
    if what == 3:
        return gzip.compress(packed)
    return b"\x1f\x8b\x08" + packed[10:]


def _next_to_nothing(rng: np.random.Generator, data: bytes, _other: bytes) -> bytes:
    nothing = (
        b"",
        b"\n",
        b" ",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\0",
        b"\r",
        b"[]",
        b"{}",
        b"\x1f\x8b",
    )
    return nothing[int(rng.integers(len(nothing)))] + data[: int(rng.integers(3))]


CHANGES: dict[str, Change] = {
    "bits flipped": _flipped,
    "bytes cut out": _cut_out,
    "bytes copied": _copied,
    "cut off": _truncated,
    "zeros": _zeros,
    "noise": _noise,
    "a foreign beginning": _foreign,
    "two exports spliced": _spliced,
    "another export behind it": _followed,
    "another encoding": _encoded,
    "line ends mixed": _mixed_ends,
    "numbers replaced": _numbers,
    "words replaced": _words,
    "header damaged": _first_words,
    "a number replaced everywhere": _number_everywhere,
    "quotes opened": _quoted,
    "lines lost, repeated or moved": _lines,
    "a line of a megabyte": _long_line,
    "many cells": _many_cells,
    "another delimiter": _other_delimiter,
    "damaged gzip": _packed,
    "next to nothing": _next_to_nothing,
}
