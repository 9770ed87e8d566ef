"""The header of delimited text: the names of its columns, where they are, and what separates them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gazetrack.errors import ParseError, did_you_mean, quote

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.readers.base import Head

Kind = Literal["float64", "float32", "text"]
Wanted = Mapping[str, tuple[int, Kind]]


@dataclass(frozen=True)
class Header:
    """The header line of a table.

    Parameters
    ----------
    names : tuple of str
        Column names without surrounding blanks; a nameless column has an empty one.
    lines : int
        Lines of the file up to and with the header.
    delimiter : str
        Tab, semicolon or comma.
    quoted : bool
        Whether double quotes enclose cells.
    """

    names: tuple[str, ...]
    lines: int
    delimiter: str
    quoted: bool

    def index(self, name: str, path: Path) -> int:
        """Return the position of a column.

        Raises
        ------
        ParseError
            It is not there, or twice.
        """
        if name not in self.names:
            hint = f"{did_you_mean(name, self.names)}there are {quote(', '.join(self.names), 150)}"
            raise ParseError(f"no column {quote(name)!r}", path=path, line=self.lines, hint=hint)
        if self.names.count(name) > 1:
            hint = "rename one of the two"
            raise ParseError(
                f"column {quote(name)!r} is there twice", path=path, line=self.lines, hint=hint
            )
        return self.names.index(name)


def header_of(head: Head) -> Header | None:
    """Return the first line that is not blank as a header, or None when the head has no whole delimited line."""
    for i, line in enumerate(head.lines):
        line = line.removeprefix("\ufeff")
        if line.strip(" "):
            delimiter = "\t" if "\t" in line else max(";,", key=line.count)
            quoted = '"' in line or (delimiter != "\t" and '"' in head.text)
            row = next(csv.reader([line], delimiter=delimiter)) if quoted else line.split(delimiter)
            names = tuple(name.strip() for name in row)
            return Header(names, i + 1, delimiter, quoted) if len(names) > 1 else None
    return None


def needed_header(head: Head) -> Header:
    """Return the header.

    Raises
    ------
    ParseError
        There is none.
    """
    header = header_of(head)
    if header is None:
        hint = "the first line must name the columns, separated by tab, comma or semicolon"
        raise ParseError("no header line", path=head.path, line=1, hint=hint)
    return header
