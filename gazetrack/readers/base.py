"""The contract of a reader: three names, and the types that they take and give.

A reader is a module in this folder (or in a third party's package) with three names:

``FORMAT : Format``
    What it is called, what it reads, what is lost.
``sniff(head: Head) -> Verdict``
    How sure it is that the file is its own, judged from the content alone, and why, in words for
    the user. It must not read more of the file.
``read(head: Head, options: ReadOptions) -> Recording``
    Read the whole file, block by block. Tables come back through `schema.conform`. Whatever breaks
    the format raises `ParseError` with the line; nothing is guessed silently: every row not used is
    counted in ``dropped`` by reason.

Detection is a contest of verdicts, never a try-and-catch: see `registry.detect`.

All that a reader needs of the library to keep the contract can be imported from here; the first
look at a file is made in `head`, and what its text needed is kept in `reading`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from gazetrack.readers.head import Head, read_head
from gazetrack.readers.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen

__all__ = [
    "NO",
    "POSITION_SETTINGS",
    "Format",
    "Head",
    "Level",
    "ReadOptions",
    "Reader",
    "Reading",
    "Verdict",
    "read_head",
]

# What may stand among the columns and names none: how the positions are to be read.
POSITION_SETTINGS = frozenset({"unit", "origin", "y_axis"})


class Level(IntEnum):
    """How sure a reader is that a file is its own."""

    NO = 0
    SUFFIX = 1
    LIKELY = 2
    CERTAIN = 3


@dataclass(frozen=True)
class Verdict:
    """A level and the reason for it, in words for the user.

    Parameters
    ----------
    level : Level
        How sure the reader is.
    reason : str
        Why; of a file that belongs to a recording and holds no gaze, what it is.
    instead : str
        For such a file: which one to give instead.
    hint : str
        What to do so that the file can be read, where the reader knows its format but cannot read
        it as it is.
    """

    level: Level
    reason: str = ""
    instead: str = ""
    hint: str = ""


NO = Verdict(Level.NO)


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a reader reads.

    Parameters
    ----------
    name : str
        The name users type after ``--format``.
    title : str
        Tracker or software, as its makers write it.
    suffixes : tuple of str
        Usual file suffixes, with the dot. They never decide alone.
    provides : str
        What comes out: ``samples and events``, ``fixations``.
    units : str
        Units in the export and what is converted.
    lost : str
        What the export holds and the tables do not.
    source : str
        Where the format is described: a manual or an address.
    takes_columns : bool
        Whether `ReadOptions.columns` mean anything to the reader.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    provides: str
    units: str
    lost: str
    source: str
    takes_columns: bool = False


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a user may tell a reader.

    Parameters
    ----------
    columns : mapping of str to str
        For readers with `Format.takes_columns`: our name (x, y, t, duration, …) to the export's
        column; and the `POSITION_SETTINGS`.
    screen : Screen or None
        The screen that the user states, for positions that mean nothing without it, such as
        degrees. All other positions meet it in `tables.geometry`, behind the readers.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None


class Reader(Protocol):
    """A reader module, see this file's docstring."""

    FORMAT: Format

    def sniff(self, head: Head) -> Verdict:
        """Judge the file by its head."""

    def read(self, head: Head, options: ReadOptions) -> Recording:
        """Read the file."""
