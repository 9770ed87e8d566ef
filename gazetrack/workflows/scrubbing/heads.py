"""What files of images say of themselves in fields of text, in which short names count as well.

In packed or binary bytes three letters come up by chance. Heads of known formats hold text:
NIfTI-1 and -2 (https://nifti.nimh.nih.gov/nifti-1), NRRD (a blank line ends the head), the tags of
TIFF, and all elements of DICOM that hold text (PS3.5 6.2).
"""

from __future__ import annotations

import re
import struct
import warnings
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gazetrack.workflows.scrubbing.piece import NotSearched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gazetrack.workflows.scrubbing.piece import Data

# By the length of the head, where it says at which byte voxels begin, and as what number.
_VOXELS_FROM = {348: (108, "f"), 540: (168, "q")}
_LONGEST_HEAD = 2**20
# Letters between two zeros: a field of fixed width, as a program pads it.
_FIELD = re.compile(rb"(?:[ -~]|[\xc2-\xf4][\x80-\xbf]{1,3}){3,}(?=\0)")
_FIRST_LETTER = 32  # a blank
_LONGEST_FIELD = 4096
_CHUNK_BYTES = 2**20
_FEW_BYTES = 2**16
_LEAST_BYTES_A_LETTER = 100
_DICOM_TEXTS = (
    "AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT",
    "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT",
)  # fmt: skip
_DICOM_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_FIRST_BYTES = 4096


def fields_of(data: Data) -> bytes:
    """Return the texts between zeros in some binary bytes, a line each.

    Parameters
    ----------
    data : bytes or mmap.mmap
        Of a file, or of a part of it.
    """
    found: list[bytes] = []
    for first in range(0, len(data), _CHUNK_BYTES):
        chunk = data[first : first + _CHUNK_BYTES + _LONGEST_FIELD]
        values = np.frombuffer(chunk, np.uint8)
        # Most of a volume is zeros: only where letters follow one is there anything to look at.
        begins = np.flatnonzero((values[:-1] == 0) & (values[1:] >= _FIRST_LETTER))
        first_letters = begins[begins < _CHUNK_BYTES] + 1
        matches = (_FIELD.match(chunk, at, at + _LONGEST_FIELD) for at in first_letters.tolist())
        here = [match[0] for match in matches if match]
        # So many are no fields: values of an image lie between zeros by chance.
        if len(chunk) < _FEW_BYTES or sum(map(len, here)) * _LEAST_BYTES_A_LETTER < len(chunk):
            found += here
    return b"\n".join(found)


def has_head(first: bytes) -> bool:
    """Whether the text of a file stands in its head, and what follows are voxels.

    Parameters
    ----------
    first : bytes
        The first bytes of a file.
    """
    return is_nifti(first) or first.startswith(b"NRRD")


def is_nifti(first: bytes) -> bool:
    """Whether the first bytes of a file are the head of NIfTI-1, NIfTI-2 or Analyze 7.5."""
    size = int.from_bytes(first[:4], "little")
    swapped = int.from_bytes(first[:4], "big")
    return size in _VOXELS_FROM or swapped in _VOXELS_FROM


def nifti_head(data: Data) -> bytes:
    """Return the head of a NIfTI file and its extensions, with line ends in place of zeros.

    Parameters
    ----------
    data : bytes or mmap.mmap
        A file that `is_nifti`; where its voxels begin stands in its head.
    """
    is_little = int.from_bytes(data[:4], "little") in _VOXELS_FROM
    size = int.from_bytes(data[:4], "little" if is_little else "big")
    ends = "<" if is_little else ">"
    place, kind = _VOXELS_FROM[size]
    stated = data[place : place + struct.calcsize(kind)]
    begin = struct.unpack(f"{ends}{kind}", stated)[0] if len(stated) == struct.calcsize(kind) else 0
    end = int(begin) if size <= begin <= _LONGEST_HEAD else size
    return data[:end].replace(b"\0", b"\n")


def nrrd_head(data: Data) -> bytes:
    """Return the head of an NRRD file: all before the first blank line.

    Parameters
    ----------
    data : bytes or mmap.mmap
        A file that begins with ``NRRD``.
    """
    return re.split(rb"\r?\n\r?\n", data[:_LONGEST_HEAD], maxsplit=1)[0]


def tiff_texts(stream: IO[bytes]) -> bytes:
    """Return the texts among the tags of all pictures of a TIFF file, a line each.

    Parameters
    ----------
    stream : file of bytes
        The file, open for reading and at its beginning.

    Raises
    ------
    OSError
        It is damaged.
    """
    texts = []
    with Image.open(stream, formats=("TIFF",)) as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            values = dict(getattr(picture, "tag_v2", {})).values()
            texts += [str(value) for value in values if isinstance(value, str)]
    return "\n".join(texts).encode("utf-8", "replace")


def dicom_texts(stream: IO[bytes]) -> tuple[bytes, list[bytes]]:
    """Return the texts of a DICOM file, a line each, and what it holds in other forms.

    Parameters
    ----------
    stream : file of bytes
        The file, which begins with 128 bytes and ``DICM``.

    Returns
    -------
    bytes, list of bytes
        All texts as UTF-8, names also with blanks between their parts; and the values of elements
        of bytes other than pixels, such as those whose kind nobody tells.

    Raises
    ------
    NotSearched
        It is damaged, packed as a whole, or pydicom is not installed.
    """
    try:
        pydicom = import_module("pydicom")
    except ImportError:
        what = "DICOM, which pydicom reads (pip install 'gazetrack[medical]')"
        raise NotSearched(what) from None
    # What unpacks as a whole may fill the memory before anybody can count it.
    if _DEFLATED in stream.read(_FIRST_BYTES):
        raise NotSearched("DICOM that is packed as a whole")
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(stream)
            texts = _texts_of([*found.file_meta, *found.iterall()])
    except Exception as error:  # hostile bytes raise anything
        raise NotSearched("damaged DICOM") from error
    # pydicom ends quietly where bytes are no elements.
    if not found or "TransferSyntaxUID" not in found.file_meta:
        raise NotSearched("damaged DICOM")
    return texts


def _texts_of(elements: Iterable[Any]) -> tuple[bytes, list[bytes]]:
    texts: list[str] = []
    others: list[bytes] = []
    for element in elements:
        if element.VR in _DICOM_TEXTS:
            values = element.value if element.VM > 1 else [element.value]
            texts += [text for value in values for text in {str(value), _as_words(str(value))}]
        elif isinstance(element.value, bytes) and int(element.tag) not in _DICOM_PIXELS:
            others.append(element.value)
    return "\n".join(texts).encode("utf-8", "replace"), others


def _as_words(text: str) -> str:
    return re.sub(r"[\^=]+", " ", text)
