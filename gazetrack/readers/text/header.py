"""The header of delimited text: the names of its columns, their places, and what separates them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazetrack.errors import ParseError, did_you_mean, quote

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.readers.head import Head

# Texts of which hardly one is there twice, such as times of many digits, are own_text: each part of
# the table has a list of names for itself, and none of all of them is kept.
Kind = Literal["float64", "float32", "text", "own_text"]
# What a reader asks of a table: its own key to the position of a column and what it holds.
Wanted = Mapping[str, tuple[int, Kind]]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The header line of a table.

    Parameters
    ----------
    names : tuple of str
        Column names without surrounding blanks; a nameless column has an empty one.
    lines : int
        Lines of the file up to and with the header.
    delimiter : str
        What separates cells: a tab, a semicolon or a comma.
    quoted : bool
        Whether double quotes enclose cells.
    """

    names: tuple[str, ...]
    lines: int
    delimiter: str
    quoted: bool

    def index(self, name: str, path: Path) -> int:
        """Return the position of a column, counted from 0.

        Parameters
        ----------
        name : str
            The name of the column as in the header.
        path : pathlib.Path
            The file, for the error.

        Raises
        ------
        ParseError
            The column is not there, or it is there twice.
        """
        if name not in self.names:
            hint = f"{did_you_mean(name, self.names)}there are {quote(', '.join(self.names), 150)}"
            raise ParseError(f"no column {quote(name)!r}", path=path, line=self.lines, hint=hint)
        if self.names.count(name) > 1:
            what = f"column {quote(name)!r} is there twice"
            raise ParseError(what, path=path, line=self.lines, hint="rename one of the two")
        return self.names.index(name)

    def needed(
        self, names: Mapping[str, str], kind: Kind, path: Path
    ) -> dict[str, tuple[int, Kind]]:
        """Return what to ask of the table for columns that must be there, as `Wanted`.

        Parameters
        ----------
        names : mapping of str to str
            The reader's own key to the name of the column.
        kind : {"float64", "float32", "text", "own_text"}
            What all of these columns hold.
        path : pathlib.Path
            The file, for the error.

        Raises
        ------
        ParseError
            One of the columns is not there, or it is there twice.
        """
        return {key: (self.index(name, path), kind) for key, name in names.items()}

    def present(
        self, names: Mapping[str, str], kind: Kind, path: Path
    ) -> dict[str, tuple[int, Kind]]:
        """Return the same for those of the columns that are there.

        Parameters and errors are those of `needed`.
        """
        there = {key: name for key, name in names.items() if name in self.names}
        return self.needed(there, kind, path)


def header_of(head: Head) -> Header | None:
    """Return the first line that is not blank as a header.

    None is returned where the head has no whole line, or the line is not delimited.
    """
    for number, line in enumerate(head.lines, 1):
        # A program that joins files may leave the mark of UTF-8 at the start of a line.
        text = line.removeprefix("\ufeff")
        if not text.strip(" "):
            continue
        # A tab never stands in a name, while a comma may: "Gaze point X (px, left)".
        delimiter = "\t" if "\t" in text else max(";,", key=text.count)
        # In a table with tabs, quotes below the header are part of the texts.
        quoted = '"' in text or (delimiter != "\t" and '"' in head.text)
        cells = next(csv.reader([text], delimiter=delimiter)) if quoted else text.split(delimiter)
        if len(cells) < 2:
            return None
        names = tuple(name.strip() for name in cells)
        return Header(names=names, lines=number, delimiter=delimiter, quoted=quoted)
    return None


def needed_header(head: Head) -> Header:
    """Return the header.

    Raises
    ------
    ParseError
        The file has no header line.
    """
    header = header_of(head)
    if header is None:
        hint = "the first line must name the columns, separated by tab, comma or semicolon"
        raise ParseError("no header line", path=head.path, line=1, hint=hint)
    return header
