"""Tobii Pro Lab: what each row of a part of the export is: its recording, its stimulus, its gaze."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import quote
from gazetrack.readers.shared.gaze import mean_of_eyes, pupils_of, without_marks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from gazetrack.readers.text.table import Columns
    from gazetrack.readers.tobii.units import Positions

    Floats = npt.NDArray[np.floating]
    Codes = npt.NDArray[np.int32]
    Mask = npt.NDArray[np.bool_]

EYES = ("left", "right")
MISSING = -1.0
_INVALID = {"Invalid", "2", "3", "4"}  # Studio: from 2 on it is not certain which eye it was


@dataclass(frozen=True)
class Rows:
    """A part of the export.

    Parameters
    ----------
    table : Columns
        Its cells.
    first : int
        The number of rows before it.
    recording, stimulus, trial : ndarray of int32
        Codes of each row's recording, see `Recordings`, stimulus and timeline.
    stamp : ndarray of float64
        Times as exported.
    gaze : mapping of str to ndarray
        Gaze in pixels, and pupils; an eye marked Invalid is missing.
    fixation : mapping of str to ndarray
        Position of each row's fixation as exported, in pixels.
    is_sample, is_message : ndarray of bool
        What the row is.
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
        Code of each pair.
    """

    either: bool = False
    pairs: dict[tuple[str, str], int] = field(default_factory=dict)

    def codes(self, table: Columns, one: str, other: str) -> Codes:
        """Return the code of each row's texts in two columns."""
        a, b = table.texts(one), table.texts(other)
        first = starts_of_runs(a.codes, b.codes)
        found = []
        for i, j in zip(a.codes[first].tolist(), b.codes[first].tolist(), strict=True):
            pair = (a.names[i] or b.names[j], "") if self.either else (a.names[i], b.names[j])
            found.append(self.pairs.setdefault(pair, len(self.pairs)))
        return np.repeat(np.array(found, np.int32), np.diff(np.r_[first, table.n_rows]))


def starts_of_runs(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.intp]:
    """Return the rows in which any of the columns differs from the row before; missing numbers are alike."""
    n = len(columns[0])
    changes = np.zeros(n, np.bool_)
    changes[:1] = True
    for column in columns:
        new = column[1:] != column[:-1]
        if column.dtype.kind == "f":
            new &= ~(np.isnan(column[1:]) & np.isnan(column[:-1]))
        changes[1:] |= new
    return np.flatnonzero(changes)


def is_one_of(table: Columns, key: str, texts: set[str]) -> Mask:
    """Return whether each row's text is one of some."""
    codes, names = table.texts(key)
    known: Mask = np.array([name in texts for name in names], np.bool_)[codes]
    return known


def sorted_rows(table: Columns, dropped: dict[str, int]) -> tuple[Mask, Mask]:
    """Tell samples and messages from all other rows, which are counted by reason."""
    timed = np.isfinite(table.number("t"))
    no_event = is_one_of(table, "event", {""})
    if "gaze_index" in table.found:  # Studio 3 writes events into the rows of samples
        is_sample = timed & np.isfinite(table.number("gaze_index"))
    else:
        is_sample = timed & (
            is_one_of(table, "sensor", {"Eye Tracker"}) if "sensor" in table.found else no_event
        )
    is_message = timed & ~no_event
    rest = timed & ~is_sample & ~is_message
    reasons = {"no timestamp": ~timed} if not timed.all() else {}
    codes, names = table.texts("sensor")
    for code in set(codes[rest].tolist()):
        reason = f"{quote(names[code], 40) if names[code] else 'no'} sensor"
        reasons[reason] = reasons.get(reason, False) | (rest & (codes == code))
    for reason, rows in reasons.items():
        dropped[reason] = dropped.get(reason, 0) + int(np.count_nonzero(rows))
    return is_sample, is_message


def points_of(table: Columns, prefix: str, positions: Positions) -> dict[str, Floats]:
    """Return exported positions in pixels, without those that are -1 (Studio 3)."""
    x, y, _ = without_marks(table.number(f"{prefix}x"), table.number(f"{prefix}y"), MISSING)
    return {axis: positions.pixels(table, axis, values) for axis, values in (("x", x), ("y", y))}


def gaze_of(table: Columns, positions: Positions) -> dict[str, Floats]:
    """Return gaze in pixels, and pupils, of every row; an eye marked Invalid is missing."""
    gaze, lost = {}, {}
    for eye in EYES:
        lost[eye] = is_one_of(table, f"validity_{eye}", _INVALID)
        own = points_of(table, f"{eye}_", positions) | {
            "pupil": pupils_of(table.number(f"{eye}_pupil"))
        }
        for name, values in own.items():
            gaze[f"{eye}_{name}"] = np.where(lost[eye], np.nan, values)
    for axis, exported in points_of(table, "", positions).items():
        mean = (
            exported
            if axis in table.found
            else mean_of_eyes(gaze[f"left_{axis}"], gaze[f"right_{axis}"])
        )
        gaze[axis] = np.where(lost["left"] & lost["right"], np.nan, mean)
    return gaze
