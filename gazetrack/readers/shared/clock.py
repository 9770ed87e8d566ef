"""The clock of rows: what times are counted from, and where they cannot be of one recording.

A reader of samples asks `timed_rows`; one that counts its times otherwise asks `check_clock` or
`check_lines` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.text.numbers import line_of
from gazetrack.tables.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header

CUT = "cut the file here into one per recording, or export it with the columns that name them"
NO_TIME = "no time"


class TimedRows(NamedTuple):
    """The rows of a table that have a time, and their times on the recording's own clock.

    Attributes
    ----------
    rows : ndarray of bool, shape (n,)
        Which of the table's n rows have a time.
    t_ms : ndarray of float64, shape (m,)
        The times of these rows in ms, counted from the first of them.
    origin_ms : float
        The time of the first of them on the export's clock, ms; 0 without any.
    dropped : dict of str to int
        The number of rows without a time under `NO_TIME`; empty where all have one.
    """

    rows: npt.NDArray[np.bool_]
    t_ms: npt.NDArray[np.float64]
    origin_ms: float
    dropped: dict[str, int]


def timed_rows(
    head: Head,
    header: Header,
    time_ms: npt.NDArray[np.floating],
    among: npt.NDArray[np.bool_] | None = None,
) -> TimedRows:
    """Return the rows of a table that have a time, counted from the first of them.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.
    time_ms : ndarray of float64, shape (n,)
        The times of its rows on the export's clock, ms; NaN where missing.
    among : ndarray of bool, shape (n,), optional
        The rows that are samples at all; all of them by default.

    Raises
    ------
    ParseError
        As `check_clock` does.
    """
    rows = np.isfinite(time_ms)
    n_without = int((~rows).sum())
    if among is not None:
        n_without = int((among & ~rows).sum())
        rows &= among
    time = time_ms[rows]
    check_clock(head, header, time, rows)
    origin = float(time[0]) if time.size else 0.0
    dropped = counted({NO_TIME: n_without})
    return TimedRows(rows, time - origin, origin, dropped)


def check_clock(
    head: Head,
    header: Header,
    t: npt.NDArray[np.floating],
    used: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.object_ | np.int64] | None = None,
) -> None:
    """Refuse a table in which a second recording begins, or whose rows are in no order of time.

    What is less than that, `gazetrack.tables.plausible` notes of every format.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.
    t : ndarray, shape (n,)
        Times of the samples or fixations in ms; missing ones are passed over.
    used : ndarray of bool, shape (m,)
        Which of the table's rows the n are.
    groups : ndarray of str, shape (n,), optional
        What each belongs to that has a clock of its own, such as the recording. Without it all have
        one clock.

    Raises
    ------
    ParseError
        The clock of a group begins again, or more than a fifth of its times are before the one
        above them.
    """
    known = np.isfinite(t)
    rows = np.flatnonzero(used)[known]
    of_known = None if groups is None else groups[known]
    # The line of a row is searched in the file, and only when an error names it.
    _check(head.path, t[known], of_known, lambda at: line_of(head, header, int(rows[at])))


def check_lines(
    head: Head,
    t: npt.NDArray[np.floating],
    lines: npt.NDArray[np.integer],
    groups: npt.NDArray[np.object_] | None = None,
) -> None:
    """Refuse a file of lines, each with a time of its own, as `check_clock` refuses a table.

    Parameters
    ----------
    head : Head
        The first look at the file.
    t : ndarray, shape (n,)
        Times of the lines in ms, none missing.
    lines : ndarray of int, shape (n,)
        The line of each, counted from 1.
    groups : ndarray of str, shape (n,), optional
        What each line belongs to that has a clock of its own, as in `check_clock`.

    Raises
    ------
    ParseError
        The clock begins again, or more than a fifth of the times are before the one above them.
    """
    _check(head.path, t, groups, lambda at: int(lines[at]))


def _check(
    path: Path,
    t: npt.NDArray[np.floating],
    groups: npt.NDArray[np.object_] | None,
    line_at: Callable[[int], int],
) -> None:
    """Refuse times that begin again or are in no order; `line_at` gives the line of one of them."""
    clock = Clock()
    clock.take(t, None if groups is None else pd.factorize(groups)[0])
    if clock.in_no_order:
        raise in_no_order(clock, path, line_at(clock.first_back))
    if clock.first_restart >= 0:
        raise second_recording(path, line_at(clock.first_restart))


class RowClock:
    """Follows the times of a table that is read in parts, and refuses what `check_clock` refuses.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self._head = head
        self._header = header
        self._clock = Clock()
        self._n_rows = 0
        # The rows of the table that the clock's first steps back and restarts are in; -1 for none.
        self._first_back = -1
        self._first_restart = -1

    def take(
        self,
        t: npt.NDArray[np.floating],
        used: npt.NDArray[np.bool_],
        groups: npt.NDArray[np.integer] | None = None,
    ) -> None:
        """Take a part of the table.

        Parameters
        ----------
        t : ndarray, shape (n,)
            Times of the samples in ms, none missing.
        used : ndarray of bool, shape (m,)
            Which of the part's rows the n are.
        groups : ndarray of int, shape (n,), optional
            What each belongs to that has a clock of its own, as the same number in all parts.
        """
        n_before = self._clock.rows
        self._clock.take(t, groups)
        if self._first_back < 0 <= self._clock.first_back:
            self._first_back = self._row(self._clock.first_back - n_before, used)
        if self._first_restart < 0 <= self._clock.first_restart:
            self._first_restart = self._row(self._clock.first_restart - n_before, used)
        self._n_rows += len(used)

    def _row(self, sample: int, used: npt.NDArray[np.bool_]) -> int:
        """Return the row of the table that a sample of the part is in."""
        return self._n_rows + int(np.flatnonzero(used)[sample])

    def check(self) -> None:
        """Refuse the table, when all parts are taken.

        Raises
        ------
        ParseError
            The clock begins again, or more than a fifth of the times are before the one above them.
        """
        if self._clock.in_no_order:
            line = line_of(self._head, self._header, self._first_back)
            raise in_no_order(self._clock, self._head.path, line)
        if self._clock.first_restart >= 0:
            line = line_of(self._head, self._header, self._first_restart)
            raise second_recording(self._head.path, line)


class TimedParts:
    """Tells the rows of a table that have a time, as `timed_rows` does, but part by part.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.

    Attributes
    ----------
    origin_ms : float
        The time of the first of these rows on the export's clock, ms; 0 without any.
    """

    def __init__(self, head: Head, header: Header) -> None:
        self.origin_ms = 0.0
        self._clock = RowClock(head, header)
        self._n_timed = 0
        self._n_without = 0

    def take(
        self, time_ms: npt.NDArray[np.floating], among: npt.NDArray[np.bool_] | None = None
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Take the next rows, and return which of them are timed, and the times of these.

        Parameters
        ----------
        time_ms : ndarray of float64, shape (n,)
            The times of the rows on the export's clock, ms; NaN where missing.
        among : ndarray of bool, shape (n,), optional
            The rows that are samples at all; all of them by default.

        Returns
        -------
        rows : ndarray of bool, shape (n,)
            Which of the rows have a time, and are samples.
        t_ms : ndarray of float64, shape (m,)
            Their times in ms, counted from the first of the whole table.
        """
        rows = np.isfinite(time_ms)
        without = ~rows
        if among is not None:
            without &= among
            rows &= among
        self._n_without += int(np.count_nonzero(without))
        time = time_ms[rows]
        self._clock.take(time, rows)
        if not self._n_timed and time.size:
            self.origin_ms = float(time[0])
        self._n_timed += time.size
        return rows, time - self.origin_ms

    @property
    def dropped(self) -> dict[str, int]:
        """How many rows had no time, under `NO_TIME`; empty where all have one."""
        return counted({NO_TIME: self._n_without})

    def check(self) -> None:
        """Refuse the table as `check_clock` does, when all parts are taken.

        Raises
        ------
        ParseError
            The clock begins again, or more than a fifth of the times are before the one above them.
        """
        self._clock.check()


def check_line_parts(
    head: Head, parts: Iterable[tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]]
) -> None:
    """Refuse a file of lines that are read in parts, as `check_lines` refuses one that is whole.

    Parameters
    ----------
    head : Head
        The first look at the file.
    parts : iterable of (ndarray, ndarray)
        Of each part the times in ms, none missing, and the lines, counted from 1.

    Raises
    ------
    ParseError
        The clock begins again, or more than a fifth of the times are before the one above them.
    """
    clock = Clock()
    back = restart = 0
    for t, lines in parts:
        n_before = clock.rows
        clock.take(t)
        if not back and clock.first_back >= 0:
            back = int(lines[clock.first_back - n_before])
        if not restart and clock.first_restart >= 0:
            restart = int(lines[clock.first_restart - n_before])
    if clock.in_no_order:
        raise in_no_order(clock, head.path, back)
    if clock.first_restart >= 0:
        raise second_recording(head.path, restart)


def second_recording(path: Path, line: int | None) -> ParseError:
    """Return the error about a line with which another recording begins."""
    what = "the time steps back: a second recording begins here"
    return ParseError(what, path=path, line=line, hint=CUT)


def in_no_order(clock: Clock, path: Path, line: int | None) -> ParseError:
    """Return the error about rows that are not in the order of time.

    Parameters
    ----------
    clock : Clock
        The clock that has taken all times.
    path : pathlib.Path
        The file with the rows.
    line : int or None
        The line of the first row that is before the one above it.
    """
    hint = "sort the rows by time, or export the recording again"
    return ParseError(clock.disorder, path=path, line=line, hint=hint)
