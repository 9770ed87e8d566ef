"""XDF, the container of LabRecorder: its chunks, checked before anything is allocated for them.

Specification: "XDF 1.0", https://github.com/sccn/xdf/wiki/Specifications: after ``XDF:`` chunks of
a length, a tag and a content; a stream header (tag 2) and a footer (6) are XML, samples (3) follow
the header of their stream.
"""

from __future__ import annotations

import html
import re
from typing import IO, TYPE_CHECKING, NamedTuple

from gazetrack.errors import ParseError
from gazetrack.readers.opening import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"XDF:"
_HEADER, _SAMPLES, _FOOTER = 2, 3, 6
_LENGTH_BYTES = (1, 4, 8)
_TAG_BYTES = 2
# What samples begin with: the number of their stream, and how many there are, in 1, 4 or 8 bytes
# behind a byte that says in how many.
_ID_BYTES = 4
_COUNT_BYTES = 9
_GAZE = {"gaze", "eyetracking", "eyetracker", "eye"}
_MAX_XML_BYTES = 16 * 1024**2
_MAX_STREAMS = 10_000
_BYTES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "float32": 4, "double64": 8}
_DAMAGED = "copy the file again; pyxdf can save what is before the damage"


class Stream(NamedTuple):
    """What the header of a stream says.

    Parameters
    ----------
    id : int
        The number by which chunks name their stream.
    name, kind : str
        What the recorder calls it, and its content type: ``Gaze``, ``EEG``, ….
    format : str
        The type of its values: ``float32``, ``string``, ….
    n_channels : int
        How many values a sample has.
    """

    id: int
    name: str
    kind: str
    format: str
    n_channels: int

    @property
    def is_gaze(self) -> bool:
        """Whether the stream is of the content type for gaze, or of one that users write for it."""
        letters = re.sub(r"[^a-z]", "", self.kind.lower())
        return letters in _GAZE and self.format != "string"

    @property
    def least_bytes(self) -> int:
        """The smallest sample: a flag, and its values or the lengths of its texts."""
        return 1 + self.n_channels * _BYTES.get(self.format, 2)


def first_streams(data: bytes) -> list[Stream]:
    """Return the streams whose headers are whole in the first bytes of a file.

    Damage, or the end of the bytes, ends the list: who judges a file does not refuse it.
    """
    found = []
    at = len(MAGIC)
    while at < len(data):
        # A chunk: how many bytes its length has, the length, a tag of two bytes, the content.
        width = data[at]
        start = at + 1 + width
        length = int.from_bytes(data[at + 1 : start], "little")
        end = start + length
        if width not in _LENGTH_BYTES or length < _TAG_BYTES or end > len(data):
            break
        tag = int.from_bytes(data[start : start + _TAG_BYTES], "little")
        if tag == _HEADER:
            found.append(_stream(data[start + _TAG_BYTES : end]))
        at = end
    return found


def checked_streams(file: IO[bytes], path: Path) -> list[Stream]:
    """Walk through all chunks, and return the streams.

    Parameters
    ----------
    file : binary file
        The file, at its start; it is read to its end.
    path : pathlib.Path
        The file's name, which an error gives.

    Raises
    ------
    ParseError
        A chunk that is cut off, holds more samples than fit, belongs to no stream, or has XML with
        entities.
    """
    streams: dict[int, Stream] = {}
    file.read(len(MAGIC))
    for at, tag, length in _chunks(file, path):
        is_xml = tag in (_HEADER, _FOOTER)
        if is_xml and length > _MAX_XML_BYTES:
            raise _error(f"a header of {length} bytes", path, at)
        wanted = length if is_xml else min(length, _ID_BYTES + _COUNT_BYTES)
        content = _exactly(file, wanted, path, at)
        _skip(file, length - wanted, path, at)
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise _error("XML with entities", path, at)
        if tag == _HEADER:
            stream = _stream(content)
            if stream.id in streams or len(streams) >= _MAX_STREAMS:
                raise _error(f"a second stream {stream.id}, or too many streams", path, at)
            streams[stream.id] = stream
        elif tag == _SAMPLES:
            _check_samples(content, length, streams, path, at)
    return list(streams.values())


def _chunks(file: IO[bytes], path: Path) -> Iterator[tuple[int, int, int]]:
    """Yield where a chunk begins, its tag and the length of its content.

    The caller reads the content before it asks for the next chunk.
    """
    at = len(MAGIC)
    while first := file.read(1):
        width = first[0]
        if width not in _LENGTH_BYTES:
            raise _error(f"a chunk whose length has {width} bytes", path, at)
        length = int.from_bytes(_exactly(file, width, path, at), "little")
        if length < _TAG_BYTES:
            raise _error("a chunk without a tag", path, at)
        tag = int.from_bytes(_exactly(file, _TAG_BYTES, path, at), "little")
        yield at, tag, length - _TAG_BYTES
        at += 1 + width + length


def _check_samples(
    content: bytes, length: int, streams: dict[int, Stream], path: Path, at: int
) -> None:
    """Refuse a chunk that declares more samples than it holds: pyxdf would make room for all."""
    stream = None
    if len(content) > _ID_BYTES:
        stream = streams.get(int.from_bytes(content[:_ID_BYTES], "little"))
    if stream is None:
        raise _error("samples of a stream without a header", path, at)
    width = content[_ID_BYTES]
    start = _ID_BYTES + 1
    n = int.from_bytes(content[start : start + width], "little")
    room = length - start - width
    if width not in _LENGTH_BYTES or n * stream.least_bytes > room:
        raise _error(f"{n} samples in a chunk of {length} bytes", path, at)


def _stream(content: bytes) -> Stream:
    """Return what a header says: its number, and XML up to the description of the channels."""
    text = content[_ID_BYTES:].split(b"<desc", 1)[0].decode("utf-8", "replace")
    elements = re.findall(r"<(\w+)>([^<]*)</\1>", text)
    facts = {key: html.unescape(value).strip() for key, value in elements}
    count = facts.get("channel_count", "")
    return Stream(
        id=int.from_bytes(content[:_ID_BYTES], "little"),
        name=facts.get("name", ""),
        kind=facts.get("type", ""),
        format=facts.get("channel_format", ""),
        n_channels=int(count) if re.fullmatch(r"[0-9]{1,6}", count) else 0,
    )


def _exactly(file: IO[bytes], size: int, path: Path, at: int) -> bytes:
    """Return so many bytes; a file that ends before is damaged."""
    data = file.read(size)
    if len(data) < size:
        raise _error("ends in the middle of a chunk", path, at)
    return data


def _skip(file: IO[bytes], size: int, path: Path, at: int) -> None:
    """Read on over so many bytes, block by block: a packed file cannot be sought in."""
    while size:
        size -= len(_exactly(file, min(size, BLOCK_BYTES), path, at))


def _error(what: str, path: Path, at: int) -> ParseError:
    return ParseError(f"damaged XDF: {what}", path=path, byte=at, hint=_DAMAGED)
