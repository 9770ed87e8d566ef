"""How a file is to be read, and what came up before any reader saw its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

# The reason under which a row without its line end is counted, in words for the user.
CUT_OFF = "cut off at the end of the file"


@dataclass(eq=False, kw_only=True)
class Reading:
    """How a file is to be read, and what its text needed so that it could be.

    Parameters
    ----------
    salvage : bool
        Whether to take the whole rows of a file that is cut off.
    trust_gzip : bool
        Whether to unpack gzip without the limits of ratio and size.
    mended : dict of str to int
        Rows that are used though their text was not as the header says, by what was done.
    lines : dict of str to int
        The first line of each kind of mended rows.
    dropped : dict of str to int
        Rows that were lost before any reader saw them, by reason.
    notes : list of str
        What else was found, in words for the user.
    """

    salvage: bool = False
    trust_gzip: bool = False
    mended: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def mend(self, what: str, rows: int, line: int) -> None:
        """Count mended rows; a table that is read twice counts once.

        Parameters
        ----------
        what : str
            What was done to the rows, in words for the user.
        rows : int
            The number of such rows in the whole table.
        line : int
            The line of the first of them, counted from 1.
        """
        self.mended[what] = max(rows, self.mended.get(what, 0))
        self.lines[what] = min(line, self.lines.get(what, line))

    def note(self, words: str) -> None:
        """Add a note, once: a file is opened several times and would repeat it."""
        if words not in self.notes:
            self.notes.append(words)

    def for_companion(self) -> Reading:
        """Return a way to read another file of the recording, which has mended rows of its own."""
        return Reading(salvage=self.salvage, trust_gzip=self.trust_gzip)

    def applied(self, recording: Recording) -> Recording:
        """Return the recording with what was found and done before its reader saw the rows."""
        mended = [
            f"{count} rows {what} (first: line {self.lines[what]})"
            for what, count in self.mended.items()
        ]
        dropped = dict(recording.dropped)
        for reason, count in self.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
        return replace(
            recording,
            rows_in=recording.rows_in + sum(self.dropped.values()),
            dropped=dropped,
            mended=dict(self.mended),
            notes=(*mended, *self.notes, *recording.notes),
        )
