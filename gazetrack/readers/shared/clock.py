"""Times of rows that do not go forward: the line where another recording begins, or where the order is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import ParseError
from gazetrack.readers.text.numbers import line_of
from gazetrack.tables.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header

CUT = "cut the file here into one per recording, or export it with the columns that name them"


def check_clock(
    head: Head,
    header: Header,
    t: npt.NDArray[np.floating],
    used: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.object_] | None = None,
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
    codes = None if groups is None else pd.factorize(groups[known])[0]
    clock = Clock()
    clock.take(t[known], codes)
    rows = np.flatnonzero(used)[known]
    if clock.in_no_order:
        raise in_no_order(clock, head.path, line_of(head, header, int(rows[clock.first_back])))
    if clock.first_restart >= 0:
        raise second_recording(head.path, line_of(head, header, int(rows[clock.first_restart])))


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
        The file.
    t : ndarray, shape (n,)
        Times in ms, none missing.
    lines : ndarray of int, shape (n,)
        The line of each, counted from 1.
    groups : ndarray of str, shape (n,), optional
        As those of `check_clock`.

    Raises
    ------
    ParseError
        The clock begins again, or more than a fifth of the times are before the one above them.
    """
    clock = Clock()
    clock.take(t, None if groups is None else pd.factorize(groups)[0])
    if clock.in_no_order:
        raise in_no_order(clock, head.path, int(lines[clock.first_back]))
    if clock.first_restart >= 0:
        raise second_recording(head.path, int(lines[clock.first_restart]))


def second_recording(path: Path, line: int | None) -> ParseError:
    """Return the error about a line with which another recording begins."""
    what = "the time steps back: a second recording begins here"
    return ParseError(what, path=path, line=line, hint=CUT)


def in_no_order(clock: Clock, path: Path, line: int | None) -> ParseError:
    """Return the error about rows that are not in the order of time, and the line of the first that is not."""
    hint = "sort the rows by time, or export the recording again"
    return ParseError(clock.disorder, path=path, line=line, hint=hint)
