"""Tobii Pro Lab: what each row of a part of the export is: its recording, stimulus and gaze.

Source: "Tobii Pro Lab User Manual", Tobii AB, "Data Export". Rows of all sensors stand in one table
(``Sensor`` is ``Eye Tracker``, ``Mouse``, …), rows of messages have an ``Event``. Studio 3 wrote
the same columns under other names, with ``GazePointIndex`` on every sample.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import quote
from gazetrack.readers.shared.gaze import mean_of_eyes, pupils_of, without_marks
from gazetrack.tables.eyes import EYES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.readers.text.table import Columns
    from gazetrack.readers.tobii.units import Positions

    Floats = npt.NDArray[np.floating]
    Codes = npt.NDArray[np.int32]
    Mask = npt.NDArray[np.bool_]

MISSING = -1.0
_INVALID = {"Invalid", "2", "3", "4"}  # Studio: from 2 on it is not certain which eye it was


@dataclass(frozen=True)
class Rows:
    """A part of the export.

    Parameters
    ----------
    table : Columns
        The cells of the part by our keys.
    first : int
        The number of rows before it.
    recording, stimulus, trial : ndarray of int32
        Codes of each row's recording, see `Recordings`, stimulus and timeline.
    stamp : ndarray of float64
        The times in the unit of the export.
    gaze : mapping of str to ndarray
        Gaze in pixels, and pupils; an eye marked Invalid is missing.
    fixation : mapping of str to ndarray
        Position of each row's fixation as exported, in pixels.
    is_sample, is_message : ndarray of bool
        Whether each row is one of these; it may be both, or neither.
    """

    table: Columns
    first: int
    recording: Codes
    stimulus: Codes
    trial: Codes
    stamp: Floats
    gaze: Mapping[str, Floats]
    fixation: Mapping[str, Floats]
    is_sample: Mask
    is_message: Mask


@dataclass
class Names:
    """Pairs of texts, numbered as they come, over all parts.

    Parameters
    ----------
    either : bool
        The first text of a pair alone counts, and the second where there is no first.
    pairs : dict of (str, str) to int
        The code of each pair so far.
    """

    either: bool = False
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)

    def codes(self, table: Columns, one: str, other: str) -> Codes:
        """Return the code of each row's texts in two columns."""
        a = table.texts(one)
        b = table.texts(other)
        # Texts change seldom from row to row, so it is enough to look up the first of each run.
        first = starts_of_runs(a.codes, b.codes)
        found = []
        for i, j in zip(a.codes[first].tolist(), b.codes[first].tolist(), strict=True):
            one_text = a.names[i]
            other_text = b.names[j]
            pair = (one_text or other_text, "") if self.either else (one_text, other_text)
            found.append(self.pairs.setdefault(pair, len(self.pairs)))
        lengths = np.diff(np.r_[first, table.n_rows])
        return np.repeat(np.array(found, np.int32), lengths)


def starts_of_runs(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Return the rows in which any of the columns differs from the row before.

    Two missing numbers (NaN) do not differ from each other.
    """
    n = len(columns[0])
    changes = np.zeros(n, np.bool_)
    changes[:1] = True
    for column in columns:
        new = column[1:] != column[:-1]
        if column.dtype.kind == "f":
            missing = np.isnan(column)
            new &= ~(missing[1:] & missing[:-1])
        changes[1:] |= new
    return np.flatnonzero(changes)


def is_one_of(table: Columns, key: str, texts: set[str]) -> Mask:
    """Return whether each row's text is one of some."""
    codes, names = table.texts(key)
    known: Mask = np.array([name in texts for name in names], np.bool_)[codes]
    return known


def sorted_rows(table: Columns, dropped: dict[str, int]) -> tuple[Mask, Mask]:
    """Return which rows are samples, and which are messages.

    Parameters
    ----------
    table : Columns
        A part of the export, with the keys ``t``, ``event``, ``sensor`` and ``gaze_index`` as far
        as it has these columns.
    dropped : dict of str to int
        Receives how many rows are neither, by reason.
    """
    timed = np.isfinite(table.number("t"))
    no_event = is_one_of(table, "event", {""})
    if "gaze_index" in table.found:  # Studio 3 writes events into the rows of samples
        is_sample = timed & np.isfinite(table.number("gaze_index"))
    elif "sensor" in table.found:
        is_sample = timed & is_one_of(table, "sensor", {"Eye Tracker"})
    else:  # Pro Lab leaves the column out where all rows are of the eye tracker
        is_sample = timed & no_event
    is_message = timed & ~no_event

    _count(dropped, "no timestamp", ~timed)
    rest = timed & ~is_sample & ~is_message
    codes, names = table.texts("sensor")
    for code in set(codes[rest].tolist()):
        name = quote(names[code], 40) if names[code] else "no"
        _count(dropped, f"{name} sensor", rest & (codes == code))
    return is_sample, is_message


def _count(dropped: dict[str, int], reason: str, rows: Mask) -> None:
    """Add rows to those that are dropped for a reason; a reason without rows is not named."""
    count = int(np.count_nonzero(rows))
    if count:
        dropped[reason] = dropped.get(reason, 0) + count


def points_of(table: Columns, prefix: str, positions: Positions) -> dict[str, Floats]:
    """Return exported positions in pixels, without those that are -1 (Studio 3).

    Parameters
    ----------
    table : Columns
        A part of the export.
    prefix : str
        What stands before ``x`` and ``y`` in the keys of the two columns, as in ``left_``.
    positions : Positions
        The unit of the columns, and what they are converted with.

    Returns
    -------
    dict of str to ndarray
        ``x`` and ``y``, one element per row, NaN where there is no position.
    """
    exported_x = table.number(f"{prefix}x")
    exported_y = table.number(f"{prefix}y")
    x, y, _ = without_marks(exported_x, exported_y, MISSING)
    return {"x": positions.pixels(table, "x", x), "y": positions.pixels(table, "y", y)}


def gaze_of(table: Columns, positions: Positions) -> dict[str, Floats]:
    """Return gaze in pixels, and pupils as exported, of every row.

    An eye marked Invalid is missing; the combined gaze is missing where both are.
    """
    gaze: dict[str, Floats] = {}
    lost: dict[str, Mask] = {}
    for eye in EYES:
        lost[eye] = is_one_of(table, f"validity_{eye}", _INVALID)
        own = points_of(table, f"{eye}_", positions)
        own["pupil"] = pupils_of(table.number(f"{eye}_pupil"))
        for name, values in own.items():
            gaze[f"{eye}_{name}"] = np.where(lost[eye], np.nan, values)

    both_lost = lost["left"] & lost["right"]
    for axis, exported in points_of(table, "", positions).items():
        left = gaze[f"left_{axis}"]
        right = gaze[f"right_{axis}"]
        combined = exported if axis in table.found else mean_of_eyes(left, right)
        gaze[axis] = np.where(both_lost, np.nan, combined)
    return gaze
