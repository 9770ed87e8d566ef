"""What lies within a file: unpacked, member by member, column by column, until there is only text.

A name in a compressed page of Parquet or in a picture within a web page stands in no byte of the
file. Every layer is yielded as bytes that can be searched, with words that say where it lies.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import codecs
import gzip
import json
import lzma
import mmap
import re
import tarfile
import tempfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gazetrack.workflows.scrubbing import heads
from gazetrack.workflows.scrubbing.pdf import parts_of_pdf
from gazetrack.workflows.scrubbing.piece import NotSearched, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from gazetrack.workflows.scrubbing.piece import Data

DEEPEST = 6
MOST_UNPACKED_BYTES = 16 * 2**30
_IN_MEMORY_BYTES = 64 * 2**20
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}(?:(?:\r?\n|\\n)[A-Za-z0-9+/_-]+)*={0,2}")
_SURELY_BASE64 = 64  # characters; shorter ones count where they are text
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_HEAD_BYTES = 8
_PNG_PLAIN = (b"tEXt", b"iTXt", b"eXIf")
_JPEG_TEXTS = (0xE1, 0xED, 0xFE)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ZIP_TAIL_BYTES = 2**16 + 22
_MAT_HEAD_BYTES = 128
_MAT_PACKED = 15
_TAR_MARK = slice(257, 262)
_DICOM_MARK = slice(128, 132)
_PNG_PACKED = (b"zTXt", b"iTXt", b"iCCP")
_PARQUET = b"PAR1"
_ZSTD = b"\x28\xb5\x2f\xfd"
_FIRST_BYTES = 8192
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
# UTF-16 of Latin letters without a mark at its beginning.
_WIDE_TEXT = re.compile(rb"(?:[\t\n\r -~]\0){4,}[\t\n\r -~]?|(?:\0[\t\n\r -~]){4,}\0?")
_HEX_DIGITS = re.compile(rb"[0-9a-f]*|[0-9A-F]*")
_ENCRYPTED = 0x1
_BATCH_ROWS = 65_536


def pieces_of(path: Path) -> Iterator[Piece]:
    """Return all that a file holds.

    Parameters
    ----------
    path : pathlib.Path
        A regular file, of any kind and size.

    Yields
    ------
    Piece
        The file's own bytes first, then what is packed in them.

    Raises
    ------
    NotSearched
        Something in it is encrypted, damaged, too large or packed too often.
    OSError
        The file cannot be read.
    """
    with path.open("rb") as stream:
        yield from _within(_mapped(stream), ())
    if path.suffix.casefold() == ".br":
        raise NotSearched("packed with brotli")


def _mapped(stream: IO[bytes]) -> Data:
    is_empty = stream.seek(0, 2) == 0
    return b"" if is_empty else mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


def _within(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    if len(where) > DEEPEST:
        raise NotSearched(f"packed more than {DEEPEST} times")
    first = data[:_FIRST_BYTES]
    is_text = _is_text(first)
    yield Piece(where, data, is_text=is_text)
    may_have_fields = not is_text and not heads.has_head(first)
    if may_have_fields and (fields := heads.fields_of(data)):
        yield Piece((*where, "fields of text"), fields, is_text=True)
    try:
        for fits, unpack in _UNPACKERS:
            if fits(first):
                yield from unpack(data, where)
        if not first.startswith(_ZIP) and _ends_as_zip(data):
            yield from _of_zip(data, where)
    except (
        EOFError, OSError, ValueError, RuntimeError, NotImplementedError,
        lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error, pa.ArrowException,
    ) as error:  # fmt: skip
        what = " in ".join(("damaged", *reversed(where)))
        raise NotSearched(what) from error
    for match in _BASE64.finditer(data):
        yield from _of_base64(match[0], where)


def _is_text(first: bytes) -> bool:
    """Whether bytes are lines of text: without control characters, or marked as UTF-16."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        return True
    if _WIDE_TEXT.fullmatch(first):
        return True
    return not first.startswith(b"%PDF") and first == first.translate(None, delete=_CONTROLS)


def _of_base64(text: bytes, where: tuple[str, ...]) -> Iterator[Piece]:
    plain = re.sub(rb"\s|\\n", b"", text).rstrip(b"=")
    is_digest = _HEX_DIGITS.fullmatch(plain) is not None
    if is_digest:
        return
    altchars = b"-_" if re.search(rb"[-_]", plain) else None
    whole = plain[: len(plain) - (len(plain) % 4 == 1)]
    try:
        decoded = base64.b64decode(whole + b"=" * (-len(whole) % 4), altchars)
    except binascii.Error:
        return
    if len(plain) >= _SURELY_BASE64 or _is_text(decoded):
        yield from _within(decoded, (*where, "base64"))


def _unpacked(stream: IO[bytes]) -> Data:
    """Return what a stream gives: in memory, or in a file without a name where it is long."""
    head = stream.read(_IN_MEMORY_BYTES)
    if len(head) < _IN_MEMORY_BYTES:
        return head
    with tempfile.TemporaryFile() as file:
        file.write(head)
        while block := stream.read(2**20):
            file.write(block)
            if file.tell() > MOST_UNPACKED_BYTES:
                raise NotSearched(f"unpacks to more than {MOST_UNPACKED_BYTES // 2**30} GiB")
        file.flush()
        return _mapped(file)


def _stream(data: Data) -> IO[bytes]:
    return pa.BufferReader(pa.py_buffer(data))  # type: ignore[no-any-return]


def _of_stream(opened: Callable[[IO[bytes]], Any], name: str) -> Unpack:
    def unpack(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
        with opened(_stream(data)) as stream:
            unpacked = _unpacked(stream)
        yield from _within(unpacked, (*where, name))

    return unpack


def _of_zip(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    with zipfile.ZipFile(_stream(data)) as archive:
        names = "\n".join(archive.namelist()).encode("utf-8", "surrogateescape")
        yield Piece((*where, "names in the archive"), names, is_text=True)
        for number, member in enumerate(archive.infolist(), 1):
            place = (*where, f"member {number} of the archive")
            if member.flag_bits & _ENCRYPTED:
                raise NotSearched("encrypted: " + ", ".join(place))
            with archive.open(member) as stream:
                unpacked = _unpacked(stream)
            yield from _within(unpacked, place)


def _ends_as_zip(data: Data) -> bool:
    """Whether the list of an archive's members stands at the end, as behind a program."""
    return data[-_ZIP_TAIL_BYTES:].find(b"PK\x05\x06") >= 0 and zipfile.is_zipfile(_stream(data))


def _of_tar(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    with tarfile.open(fileobj=_stream(data), mode="r:") as archive:
        for number, member in enumerate(archive, 1):
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield from _within(_unpacked(stream), (*where, f"member {number} of the archive"))


def _of_zlib(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    text = _inflated(data[:])
    if text:
        yield from _within(text, (*where, "unpacked"))


def _of_mat(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    """Return the packed variables of a MATLAB file, version 5."""
    order: Literal["little", "big"] = "little" if data[126:128] == b"IM" else "big"
    at = _MAT_HEAD_BYTES
    while at + 8 <= len(data):
        kind = int.from_bytes(data[at : at + 4], order)
        length = int.from_bytes(data[at + 4 : at + 8], order)
        if kind == _MAT_PACKED:
            variable = _inflated(data[at + 8 : at + 8 + length])
            yield from _within(variable, (*where, "variable"))
        at += 8 + length


def _refused(name: str) -> Unpack:
    def refuse(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:  # noqa: ARG001
        raise NotSearched(" in ".join((name, *reversed(where))))

    return refuse


def _of_jpeg(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    """Return what stands before the picture: EXIF, XMP and comments."""
    at = 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (b"\xda", b"\xd9", b""):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] in _JPEG_TEXTS:
            yield Piece((*where, "text of the picture"), data[at + 4 : at + 2 + length], True)
        at += 2 + max(length, 2)


def _of_parquet(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    schema = pq.ParquetFile(_stream(data)).schema_arrow
    texts = [
        field.name
        for field in schema
        if pa.types.is_large_string(field.type) or pa.types.is_string(field.type)
    ]
    # As dictionaries: what no row uses any more may still be in one.
    file = pq.ParquetFile(_stream(data), read_dictionary=texts)
    about = _metadata(file.schema_arrow, file.metadata.metadata, str(file.metadata.created_by))
    yield from _within(about, (*where, "metadata of the table"))
    for number, field in enumerate(schema, 1):
        if pa.types.is_floating(field.type):
            continue
        for batch in file.iter_batches(_BATCH_ROWS, columns=[field.name]):
            yield from _of_columns(batch, number, where)


def _of_arrow(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    """Return the columns of an Arrow file, such as Feather, and what is said of them."""
    file = pa.ipc.open_file(_stream(data))
    about = _metadata(file.schema, file.schema.metadata)
    yield from _within(about, (*where, "metadata of the table"))
    for number in range(file.num_record_batches):
        batch = file.get_batch(number)
        batch.validate(full=True)
        yield from _of_columns(batch, 1, where)


def _of_columns(batch: pa.RecordBatch, first: int, where: tuple[str, ...]) -> Iterator[Piece]:
    for number, column in enumerate(batch.columns, first):
        if not pa.types.is_floating(column.type):
            values = "\n".join(_values(column)).encode("utf-8", "surrogateescape")
            yield from _within(values, (*where, f"column {number} of the table"))


def _metadata(schema: pa.Schema, stated: dict[bytes, bytes] | None, *more: str) -> bytes:
    """Return all texts of a table that are in no row: names, metadata, and who wrote it."""
    said = dict(stated or {})
    for field in (schema, *schema):
        said |= field.metadata or {}
    texts = [text.decode("utf-8", "replace") for pair in said.items() for text in pair]
    about = json.dumps([*schema.names, *more, *texts], ensure_ascii=False)
    return about.encode("utf-8", "surrogateescape")


def _values(column: pa.Array) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary
    if pa.types.is_nested(column.type):
        return [json.dumps(value, default=str, ensure_ascii=False) for value in column.to_pylist()]
    different = pc.unique(column).to_pylist()
    return [
        value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
        for value in different
    ]


def _of_png(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    """Return the texts of a picture, packed and plain."""
    at = len(_PNG)
    while at + _PNG_HEAD_BYTES <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + _PNG_HEAD_BYTES]
        body = data[at + _PNG_HEAD_BYTES : at + _PNG_HEAD_BYTES + length]
        if kind in _PNG_PLAIN:
            yield Piece((*where, "text of the picture"), body, is_text=True)
        if kind in _PNG_PACKED:
            # Where in the chunk the packed part begins depends on its kind; only one place unpacks.
            starts = (n for n, byte in enumerate(body) if byte & 0x0F == 8)
            text = next(filter(None, (_inflated(body[start:]) for start in starts)), b"")
            yield from _within(text, (*where, "text of the picture"))
        at += _PNG_HEAD_BYTES + length + 4


def _of_pdf(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    try:
        for name, part, is_text in parts_of_pdf(data[:]):
            place = (*where, name)
            yield from [Piece(place, part, is_text=True)] if is_text else _within(part, place)
    except NotSearched as error:
        raise NotSearched(" in ".join((str(error), *reversed(where)))) from error


def _of_dicom(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    texts, others = heads.dicom_texts(_stream(data))
    yield Piece((*where, "texts of the image"), texts, is_text=True)
    for number, other in enumerate(others, 1):
        yield from _within(other, (*where, f"element {number} of bytes"))


def _of_head(head: Callable[[Data], bytes]) -> Unpack:
    def unpack(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
        yield Piece((*where, "head of the image"), head(data), is_text=True)

    return unpack


def _of_tiff(data: Data, where: tuple[str, ...]) -> Iterator[Piece]:
    texts = heads.tiff_texts(_stream(data))
    yield Piece((*where, "text of the picture"), texts, is_text=True)


def _inflated(data: bytes) -> bytes:
    """Return what zlib unpacks, at most as much as is held in memory; nothing of other bytes."""
    try:
        return zlib.decompressobj().decompress(data, _IN_MEMORY_BYTES)
    except zlib.error:
        return b""


if TYPE_CHECKING:
    Unpack = Callable[[Data, tuple[str, ...]], Iterator[Piece]]


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda first: first.startswith(marks)


def _lz4(stream: IO[bytes]) -> Any:
    return pa.CompressedInputStream(stream, "lz4")


_UNPACKERS: list[tuple[Callable[[bytes], bool], Unpack]] = [
    (_begins(b"\x1f\x8b"), _of_stream(gzip.open, "unpacked")),
    (_begins(b"BZh"), _of_stream(bz2.BZ2File, "unpacked")),
    (_begins(b"\xfd7zXZ\0"), _of_stream(lzma.LZMAFile, "unpacked")),
    (_begins(_ZSTD), _of_stream(lambda s: pa.CompressedInputStream(s, "zstd"), "unpacked")),
    (_begins(b"\x04\x22\x4d\x18"), _of_stream(_lz4, "unpacked")),
    (_begins(b"\x5d\0\0"), _of_stream(lzma.LZMAFile, "unpacked")),
    (_begins(b"x\x01", b"x\x5e", b"x\x9c", b"x\xda"), _of_zlib),
    (_begins(*_ZIP), _of_zip),
    (lambda first: first[_TAR_MARK] == b"ustar", _of_tar),
    (_begins(b"MATLAB 5.0 MAT-file"), _of_mat),
    (_begins(b"\xff\xd8\xff"), _of_jpeg),
    (_begins(b"7z\xbc\xaf\x27\x1c"), _refused("packed as 7z")),
    (_begins(b"Rar!\x1a\x07"), _refused("packed as rar")),
    (lambda first: b"\x89HDF\r\n\x1a\n" in (first[:8], first[512:520]), _refused("HDF5")),
    (lambda first: first[:3] == b"ORC" and not _is_text(first), _refused("ORC")),
    (_begins(_PARQUET), _of_parquet),
    (_begins(b"ARROW1\0\0"), _of_arrow),
    (_begins(b"FEA1"), _refused("the first version of Feather")),
    (lambda first: first[_DICOM_MARK] == b"DICM", _of_dicom),
    (heads.is_nifti, _of_head(heads.nifti_head)),
    (_begins(b"NRRD"), _of_head(heads.nrrd_head)),
    (_begins(b"II*\0", b"MM\0*"), _of_tiff),
    (_begins(_PNG), _of_png),
    (_begins(b"%PDF"), _of_pdf),
]
