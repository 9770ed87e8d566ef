"""EyeLink ASC: lines of eye movements that are in the file twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.eyelink.event_rows import KINDS
from gazetrack.readers.eyelink.movements import (
    BLINK,
    END_X,
    EVENT_FIELDS,
    EYE,
    FIXATION,
    N_FIELDS,
    PUPIL,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.eyelink.findings import Findings
    from gazetrack.readers.eyelink.movements import Event

REPEATED = "eye movement that is there twice"
# How many numbers each kind has: the eye, and what follows it in the line.
_WIDTHS = {
    kind: EVENT_FIELDS[keyword] - 1
    for kind, keyword in enumerate(("EFIX", "ESACC", "EBLINK"), FIXATION)
}


class Repeats:
    """Finds movements that are the one before them, of the same kind and eye, once more."""

    def __init__(self) -> None:
        self._count = 0
        self._first_line = 0
        # The latest movement of each kind and eye: its numbers.
        self._latest: dict[tuple[int, int], npt.NDArray[np.float64]] = {}

    def among(
        self,
        kinds: npt.NDArray[np.uint8],
        fields: npt.NDArray[np.float64],
        lines: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.bool_]:
        """Return which movements are there already, and count them.

        Parameters
        ----------
        kinds, fields : ndarray, shapes (n,) and (n, 10)
            Movements that end, as `kernels.event_lines.parse_events` gives them, in the order of
            the file, behind all that were given before.
        lines : ndarray of int, shape (n,)
            Their lines in the file, counted from 1.
        """
        is_repeated = np.zeros(len(kinds), np.bool_)
        for kind in range(FIXATION, BLINK + 1):
            width = _WIDTHS[kind]
            for eye in (0, 1):
                own = np.flatnonzero((kinds == kind) & (fields[:, EYE] == eye))
                if not len(own):
                    continue
                numbers = fields[own, :width]
                before = self._latest.get((kind, eye), np.full(width, np.inf))
                previous = np.concatenate([before[None], numbers[:-1]])
                same = (numbers == previous) | (np.isnan(numbers) & np.isnan(previous))
                is_repeated[own] = same.all(axis=1)
                self._latest[kind, eye] = numbers[-1].copy()
        if is_repeated.any():
            self._count += int(np.count_nonzero(is_repeated))
            self._first_line = self._first_line or int(lines[is_repeated].min())
        return is_repeated

    def is_again(self, event: Event) -> bool:
        """Whether the movement of one line is there already; it is counted then."""
        fields = np.full((1, N_FIELDS), np.nan)
        measured = (event.onset, event.last, event.vendor_duration, event.x, event.y)
        fields[0, 0] = event.eye == "right"
        fields[0, 1 : 1 + len(measured)] = measured
        if event.kind == "fixation":
            fields[0, PUPIL] = event.pupil
        else:
            fields[0, END_X:] = event.end_x, event.end_y, event.amplitude, event.peak_velocity
        kinds = np.array([KINDS.index(event.kind)], np.uint8)
        return bool(self.among(kinds, fields, np.array([event.line], np.int64))[0])

    def note(self, findings: Findings) -> None:
        """Count and note what was found, when all blocks are taken."""
        if self._count:
            findings.drop(REPEATED, self._count)
            findings.note(
                f"{self._count} eye movements are there twice (EFIX, ESACC, EBLINK), the first "
                f"once more in line {self._first_line}: kept once"
            )
