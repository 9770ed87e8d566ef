"""Tobii Pro Lab: which recording each row is of, by the columns that name it and by the clock, which begins anew."""

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
        self._head, self._header = head, header
        self._named = Names()
        self._clock = Clock()
        self._first_ms: dict[int, float] = {}  # by the code of the names
        self._again: dict[
            int, int
        ] = {}  # how often the clock of the named recording has begun again
        self._codes: dict[tuple[int, int], int] = {}
        self._rows = self._first_back = 0

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
            Their times.
        used : ndarray of bool
            Which rows are samples or messages: those of other sensors may be written late.

        Raises
        ------
        ParseError
            The rows are in no order of time, or step back to where no recording begins.
        """
        rows = np.flatnonzero(used)
        was_in_order = self._clock.first_back < 0
        self._keep_first(named[rows], t_ms[rows])
        again = rows[self._clock.take(t_ms[rows], named[rows])]
        if was_in_order and self._clock.first_back >= 0:
            steps = np.flatnonzero(np.diff(t_ms[rows]) < 0)
            self._first_back = self._rows + int(rows[steps[0] + 1] if len(steps) else rows[0])
        if self._clock.in_no_order:
            line = line_of(self._head, self._header, self._first_back)
            raise in_no_order(self._clock, self._head.path, line)
        codes = self._current(len(self._named.pairs))[named]
        for row in again.tolist():
            name = int(named[row])
            if t_ms[row] > self._first_ms[name] + MOST_DISORDER_MS:
                raise second_recording(
                    self._head.path, line_of(self._head, self._header, self._rows + row)
                )
            self._again[name] = self._again.get(name, 0) + 1
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
                f"the clock begins again {count} times: what follows is a recording of its own each time"
            )
        found: list[str] = []
        for name, again in self._codes:
            full = f"{named[name]}_{again + 1}" if again else named[name]
            while again and (full in found or full in named):
                full += "_"
            found.append(full)
        return found

    def _keep_first(self, named: Codes, t_ms: npt.NDArray[np.floating]) -> None:
        for name in np.unique(named).tolist():
            if name not in self._first_ms:
                self._first_ms[name] = float(t_ms[int((named == name).argmax())])

    def _code(self, name: int) -> int:
        return self._codes.setdefault((name, self._again.get(name, 0)), len(self._codes))

    def _current(self, n_names: int) -> Codes:
        return np.array([self._code(name) for name in range(n_names)], np.int32)


def _names(
    pairs: Sequence[tuple[str, str]], wanted: Wanted, stem: str, notes: list[str]
) -> list[str]:
    if "recording" not in wanted:
        return [owner for _, owner in pairs] if len(pairs) > 1 else [stem]
    names = names_of_pairs(pairs)
    if names != [name for name, _ in pairs]:
        notes.append(SHARED)
    return names
