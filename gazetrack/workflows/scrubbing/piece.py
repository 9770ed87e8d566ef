"""Bytes that can be searched, and what cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import mmap

    Data: TypeAlias = bytes | mmap.mmap


class NotSearched(Exception):
    """A part of a file that cannot be looked into, so that nobody knows what it holds."""


@dataclass(frozen=True)
class Piece:
    """Bytes that can be searched.

    Parameters
    ----------
    where : tuple of str
        How to get to them from the file, such as a member of an archive, and a column of it.
    data : bytes or mmap.mmap
        The bytes themselves, in memory or mapped from a file.
    is_text : bool
        Whether they are lines of text, and not packed or binary.
    """

    where: tuple[str, ...]
    data: Data
    is_text: bool
