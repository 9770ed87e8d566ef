"""Times of samples that do not go forward."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.readers._numbers import line_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers._tables import Header
    from gazetrack.readers.base import Head

MOST_DISORDER_MS = 1000.0  # clocks that are set right while they run, and threads that write late


def check_clock(
    head: Head, header: Header, t: npt.NDArray[np.floating], used: npt.NDArray[np.bool_], notes: list[str]
) -> None:
    """Note times that step back a little, and refuse a file in which a second recording begins.

    Parameters
    ----------
    head, header : Head, Header
        The table, to name the line.
    t : ndarray, shape (n,)
        Times of the samples in ms.
    used : ndarray of bool, shape (m,)
        Which of the table's rows the n samples are.
    notes : list of str
        The recording's notes.

    Raises
    ------
    ParseError
        A time lies more than a second before the one above it.
    """
    steps = np.diff(t)
    if (steps < -MOST_DISORDER_MS).any():
        row = np.flatnonzero(used)[int((steps < -MOST_DISORDER_MS).argmax()) + 1]
        what = "the time steps back: a second recording begins here"
        line = line_of(head, header, int(row))
        raise ParseError(what, path=head.path, line=line, hint="cut the file here into one per recording")
    if backwards := int((steps < 0).sum()):
        notes.append(f"the clock steps back {backwards} times, by {-steps.min():.3g} ms at most")
