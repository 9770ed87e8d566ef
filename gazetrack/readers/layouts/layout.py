"""What is known of the tables of a public data set: columns, units, screen, rate, what is missing.

A layout holds facts alone. Where a table has columns of its own, these are named in the words of
``--columns``; where a tracker's software wrote it, the reader of that software is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.readers.text.header import Header
    from gazetrack.tables.screen import Screen


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of one kind of table of a data set.

    Parameters
    ----------
    name : str
        What users type after ``--layout``.
    title : str
        The data set, as its makers call it, and which of its tables this is.
    columns : mapping of str to str
        Our keys to the table's columns, and the settings of positions, as in ``--columns``; empty
        where `reader` reads the table.
    mark : tuple of str
        Columns that no other table has all of: a table with these is recognised. Empty where the
        header could be anybody's.
    screen : Screen or None
        The screen of the study, as far as it is known.
    rate_hz : float or None
        The sampling rate; None of tables of fixations.
    tracker : str
        The tracker, as its makers call it.
    no_header : tuple of str
        Names for the columns of a table that has no header, of which ``row`` is the number of the
        row, counted from 0, which the table does not have either.
    only : (str, str) or None
        A column and the text that it has in the rows that are read; all others are counted. None
        where all rows are.
    twice : bool
        Whether times are whole milliseconds at 2000 Hz, so that each is there twice.
    directions : bool
        Whether positions are directions of the eye, in degrees, of which no screen is known.
    participant : str
        A pattern of the file's name without its ending, whose one group is the participant; empty
        where names do not tell.
    reader : str
        The reader of a tracker's software that reads the table; empty where `columns` do.
    missing : str
        What stands for missing gaze, in words.
    notes : tuple of str
        What to know when reading it, in words for the user.
    unsure : tuple of str
        What is taken from a second source, or inferred, and was not seen in the data set's own
        papers, in words for the user.
    """

    name: str
    title: str
    columns: Mapping[str, str] = field(default_factory=dict)
    mark: tuple[str, ...] = ()
    screen: Screen | None = None
    rate_hz: float | None = None
    tracker: str = ""
    no_header: tuple[str, ...] = ()
    only: tuple[str, str] | None = None
    twice: bool = False
    directions: bool = False
    participant: str = ""
    reader: str = ""
    missing: str = ""
    notes: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()

    def fits(self, header: Header) -> bool:
        """Tell whether a table is surely of this layout, by its header."""
        return bool(self.mark) and set(self.mark) <= set(header.names)

    def participant_of(self, stem: str) -> str:
        """Return the participant whom the name of a file tells, or an empty text."""
        found = re.fullmatch(self.participant, stem) if self.participant else None
        return "" if found is None else found[1]
