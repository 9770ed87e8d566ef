"""What a PDF holds: its texts as letters, however they are coded, and what is packed in it.

pypdf reads the document as it is now. An earlier state of it that a program left in the file is
found by its marks: what was deleted from the document may still stand there.

Format: ISO 32000-1, 7.3.4 (strings), 7.4 (filters), 7.5.6 (incremental updates), 9.10 (text).
"""

from __future__ import annotations

import io
import re
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from gazetrack.workflows.scrubbing.piece import NotSearched

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 64 * 2**20  # of one stream
_STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
_LITERAL = re.compile(rb"\(((?:[^\\()]|\\.)*)\)", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f\s]{4,})>")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
_MARKS = {b"\xfe\xff": "utf-16-be", b"\xff\xfe": "utf-16-le", b"\xef\xbb\xbf": "utf-8"}
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
# Programs write a letter at a time, with what moves it between them.
_TEXT = re.compile(rb"\bBT\b(.*?)\bET\b", re.DOTALL)
# How matplotlib before 3.11 draws a letter that its font of 256 letters has not.
_DRAWN_LETTER = re.compile(rb"/[\w+]+-(?:uni[0-9A-F]{4}|[A-Za-z]+) Do\b")
_HINT = "PDF, which pypdf reads (pip install 'gazetrack[pdf]')"


def parts_of_pdf(data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Return what stands in a PDF, and what is packed in it.

    Parameters
    ----------
    data : bytes
        All bytes of the file, from its mark to its end.

    Yields
    ------
    str, bytes, bool
        What it is called, its bytes, and whether they are text for sure: others may be packed, or
        be a file of their own.

    Raises
    ------
    NotSearched
        It is encrypted, damaged, or codes its text so that nobody can tell the letters; or pypdf is
        not installed.
    """
    yield "texts of the document", _strings(data), True
    for match in _STREAM.finditer(data):
        unpacked = _inflated(data[match.end() : data.find(b"endstream", match.end())])
        if unpacked:
            yield "text of the page", unpacked, False
            yield "text of the page", _shown(unpacked), True
            if _DRAWN_LETTER.search(unpacked):
                raise NotSearched("PDF that draws letters as pictures")
    try:
        pypdf = import_module("pypdf")
    except ImportError:
        raise NotSearched(_HINT) from None
    try:
        yield from _as_it_is(pypdf, data)
    except NotSearched:
        raise
    except Exception as error:  # hostile bytes raise anything
        raise NotSearched("damaged PDF") from error


def _as_it_is(pypdf: Any, data: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Return what the document holds, as pypdf reads it."""
    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted:
        raise NotSearched("encrypted PDF")
    pages = [page.extract_text() for page in reader.pages]
    yield "text of the page", "\n".join(pages).encode("utf-8", "replace"), True
    numbers = {
        (number, generation)
        for generation, places in reader.xref.items()
        for number in places
        if number
    } | {(number, 0) for number in reader.xref_objStm}
    texts: list[str] = []
    is_by_glyph = False
    for number, generation in sorted(numbers):
        found = reader.get_object(pypdf.generic.IndirectObject(number, generation, reader))
        texts += _texts(pypdf.generic, found)
        if isinstance(found, pypdf.generic.StreamObject):
            yield "a stream of the document", bytes(found.get_data()), False
        is_by_glyph |= _is_by_glyph(found)
    yield "texts of the document", "\n".join(texts).encode("utf-8", "replace"), True
    if is_by_glyph:
        raise NotSearched("PDF with numbers of glyphs as text")


def _texts(generic: Any, found: Any) -> Iterator[str]:
    """Return the strings and names in an object, not those of others that it refers to."""
    if isinstance(found, generic.DictionaryObject):
        for name, value in found.items():
            yield str(name)
            yield from _texts(generic, value)
    elif isinstance(found, generic.ArrayObject):
        for value in found:
            yield from _texts(generic, value)
    elif isinstance(found, generic.ByteStringObject):
        yield bytes(found).decode("latin-1")
    elif isinstance(found, str):
        yield str(found)


def _is_by_glyph(found: Any) -> bool:
    """Whether an object is a font of which nobody tells what letters its numbers are."""
    is_font = isinstance(found, dict) and found.get("/Subtype") == "/Type0"
    return is_font and "/ToUnicode" not in found


def _strings(data: bytes) -> bytes:
    """Return the strings of a document that are letters alone, as UTF-8."""
    raw = [_unescaped(text) for text in _LITERAL.findall(data)]
    for digits in _HEX.findall(data):
        plain = b"".join(digits.split())
        raw.append(bytes.fromhex((plain + b"0" * (len(plain) % 2)).decode("ascii")))
    texts = (_decoded(text) for text in raw)
    return "\n".join(text for text in texts if text.isprintable()).encode("utf-8", "replace")


def _shown(text: bytes) -> bytes:
    """Return the letters that a page shows, without what moves them; of two bytes the second."""
    blocks = [_LITERAL.findall(block) for block in _TEXT.findall(text)]
    return b"\n".join(
        b"".join(_unescaped(one).replace(b"\0", b"") for one in block) for block in blocks
    )


def _unescaped(text: bytes) -> bytes:
    def letter(match: re.Match[bytes]) -> bytes:
        if match[1][:1] in b"01234567":
            return bytes([int(match[1], 8) & 0xFF])
        return _CONTROLS.get(match[1], b"" if match[1].isspace() else match[1])

    return _ESCAPE.sub(letter, text)


def _decoded(text: bytes) -> str:
    for mark, code in _MARKS.items():
        if text.startswith(mark):
            return text[len(mark) :].decode(code, "replace")
    return text.decode("latin-1")


def _inflated(data: bytes) -> bytes:
    """Return what zlib unpacks, at most as much as is held in memory; nothing of other bytes."""
    try:
        return zlib.decompressobj().decompress(data, _MOST_BYTES)
    except zlib.error:
        return b""
