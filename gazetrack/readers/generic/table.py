"""Any table of gaze samples or fixations, whose columns the user names, or unmistakable headers.

There is no specification: what a column means is said by ``--columns``, or by names that mean one
thing only. Times and positions in a unit that they cannot be in are refused, never guessed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.generic.asked import NAME
from gazetrack.readers.generic.columns import guess
from gazetrack.readers.generic.named import read_named
from gazetrack.readers.text.header import header_of, needed_header

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

FORMAT = Format(
    name=NAME,
    title="Any delimited text",
    suffixes=(".csv", ".tsv", ".txt"),
    provides="samples, or fixations when a duration column is named",
    units="time in ms, positions in px from the top left, unless said otherwise: "
    "see Units and origins",
    lost="all columns that are not named",
    source="",
    takes_columns=True,
)


def sniff(head: Head) -> Verdict:
    """Judge the file by its header: only unmistakable names count."""
    header = header_of(head)
    if header is None:
        return NO
    found = guess(header)
    if found:
        return Verdict(Level.LIKELY, "columns " + ", ".join(found.values()))
    seen = quote(", ".join(header.names[:12]), 120)
    return Verdict(Level.NO, f"a table whose columns say nothing certain ({seen})")


def read(head: Head, options: ReadOptions) -> Recording:
    """Read a table by the columns that `options` name, else by its header.

    Raises
    ------
    ConfigError
        An unknown key or unit, a column that is not there, or no position or time.
    ParseError
        A damaged row or cell, times that cannot be in the unit they are taken for, or that step
        back.
    """
    return read_named(head, needed_header(head), options)
