"""Tobii Pro Lab: which recording each row is of.

The columns that name the recording and the participant tell, as far as they are there, and the
clock, which begins anew with every recording.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.shared.clock import in_no_order, second_recording
from gazetrack.readers.shared.fixation_rows import SHARED, names_of_pairs
from gazetrack.readers.text.numbers import line_of
from gazetrack.readers.tobii.rows import Names
from gazetrack.tables.clock import MOST_DISORDER_MS, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header, Wanted
    from gazetrack.readers.text.table import Columns

    Codes = npt.NDArray[np.int32]


class Recordings:
    """Numbers the recordings of an export, part by part.

    The user chooses the columns, so those that name the recording and the participant may not be
    there. Each recording counts its time from its own start: where that comes again, another one
    begins.

    Parameters
    ----------
    head, header : Head, Header
        The export, to name the line of rows in no order.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self._head = head
        self._header = header
        self._named = Names()
        self._clock = Clock()
        # By the code of the names: the first time, and how often the clock has begun again.
        self._first_ms: dict[int, float] = {}
        self._again: dict[int, int] = {}
        # The code of a recording by that of its names and how often their clock has begun again.
        self._codes: dict[tuple[int, int], int] = {}
        # Rows of the parts before, and the first row of all whose time steps back.
        self._rows = 0
        self._first_back = 0

    def named(self, table: Columns) -> Codes:
        """Return the code of each row's names alone."""
        return self._named.codes(table, "recording", "participant")

    def codes(
        self, named: Codes, t_ms: npt.NDArray[np.floating], used: npt.NDArray[np.bool_]
    ) -> Codes:
        """Return the code of each row's recording.

        Parameters
        ----------
        named : ndarray of int32
            Codes of the names in each row of the part, see `named`.
        t_ms : ndarray of float
            The time in each row of the part.
        used : ndarray of bool
            Which rows are samples or messages: those of other sensors may be written late.

        Raises
        ------
        ParseError
            The rows are in no order of time, or step back to where no recording begins.
        """
        rows = np.flatnonzero(used)
        t_used = t_ms[rows]
        was_in_order = self._clock.first_back < 0
        self._keep_first(named[rows], t_used)
        again = rows[self._clock.take(t_used, named[rows])]
        if was_in_order and self._clock.first_back >= 0:
            # The clock counts the rows that are used; the line needs the row of the file.
            steps_back = np.flatnonzero(np.diff(t_used) < 0)
            row = rows[steps_back[0] + 1] if len(steps_back) else rows[0]
            self._first_back = self._rows + int(row)
        if self._clock.in_no_order:
            line = line_of(self._head, self._header, self._first_back)
            raise in_no_order(self._clock, self._head.path, line)

        codes = self._current(len(self._named.pairs))[named]
        for row in again.tolist():
            name = int(named[row])
            latest_start = self._first_ms[name] + MOST_DISORDER_MS
            if t_ms[row] > latest_start:
                line = line_of(self._head, self._header, self._rows + row)
                raise second_recording(self._head.path, line)
            self._again[name] = self._again.get(name, 0) + 1
            # `rest` is a view: all rows of this name from here on are of the next recording.
            rest = codes[row:]
            rest[named[row:] == name] = self._code(name)
        self._rows += len(named)
        return codes

    def names(self, wanted: Wanted, notes: list[str]) -> list[str]:
        """Return the recordings' names, by their codes.

        As named, with the participant where two share a name; by the participants where nothing is
        named; else the stem. What begins where a clock begins again has its number behind the name.
        """
        named = _names(list(self._named.pairs), wanted, self._head.stem, notes)
        if self._again:
            count = sum(self._again.values())
            notes.append(
                f"the clock begins again {count} times: "
                "what follows is a recording of its own each time"
            )
        found: list[str] = []
        for name, again in self._codes:
            full = named[name]
            if again:
                full = f"{full}_{again + 1}"
                # Somebody may have called another recording so already.
                while full in found or full in named:
                    full += "_"
            found.append(full)
        return found

    def _keep_first(self, named: Codes, t_ms: npt.NDArray[np.floating]) -> None:
        """Remember the first time of each name that is new."""
        for name in np.unique(named).tolist():
            if name not in self._first_ms:
                self._first_ms[name] = float(t_ms[int((named == name).argmax())])

    def _code(self, name: int) -> int:
        """Return the code of the recording that rows of a name now belong to."""
        recording = (name, self._again.get(name, 0))
        return self._codes.setdefault(recording, len(self._codes))

    def _current(self, n_names: int) -> Codes:
        """Return the codes of the recordings that rows of each name now belong to."""
        return np.array([self._code(name) for name in range(n_names)], np.int32)


def _names(
    pairs: Sequence[tuple[str, str]], wanted: Wanted, stem: str, notes: list[str]
) -> list[str]:
    """Return a name for each pair of a recording and its participant."""
    if "recording" not in wanted:
        return [owner for _, owner in pairs] if len(pairs) > 1 else [stem]
    names = names_of_pairs(pairs)
    if names != [name for name, _ in pairs]:
        notes.append(SHARED)
    return names
