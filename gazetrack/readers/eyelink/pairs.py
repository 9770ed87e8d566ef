"""EyeLink ASC: whether each eye movement has the line of its beginning and that of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gazetrack.kernels.event_lines import UNKNOWN_TIME
from gazetrack.readers.eyelink.event_rows import KINDS
from gazetrack.readers.eyelink.movements import BLINK, EYE, FIXATION, N_FIELDS, ONSET

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.eyelink.findings import Findings
    from gazetrack.readers.eyelink.movements import Event


class _Ends(NamedTuple):
    """Lines of beginnings and ends, one a row: kind, eye, onset (ms) and line of each."""

    kinds: npt.NDArray[np.uint8]
    eyes: npt.NDArray[np.float64]
    onsets: npt.NDArray[np.float64]
    lines: npt.NDArray[np.int64]

    def of(self, chosen: npt.NDArray[Any]) -> _Ends:
        """Return the chosen rows, in the order in which they are named."""
        return _Ends(self.kinds[chosen], self.eyes[chosen], self.onsets[chosen], self.lines[chosen])


class Pairs:
    """Pairs beginnings (SFIX, SSACC, SBLINK) with ends (EFIX, ESACC, EBLINK), block by block.

    The end of a movement says all about it. One without its beginning is used, and noted where the
    file has beginnings at all (edf2asc can leave them out); of one without its end nothing is known
    but that it was there.
    """

    def __init__(self) -> None:
        self._waiting: list[_Ends] = []
        # The latest beginning of each kind and eye whose end is yet to come: its onset and line.
        self._open: dict[tuple[int, int], tuple[float, int]] = {}
        self._any_beginning = False
        self._n_endless = 0
        self._first_endless = 0
        self._n_sudden = 0
        self._first_sudden = 0

    def add(
        self,
        kinds: npt.NDArray[np.uint8],
        fields: npt.NDArray[np.float64],
        lines: npt.NDArray[np.int64],
    ) -> None:
        """Add the lines of movements, in any order among those of one block.

        Parameters
        ----------
        kinds, fields : ndarray, shapes (n,) and (n, 10)
            As `kernels.event_lines.parse_events` gives them, of which the eye and the onset count;
            an onset of NaN may be any.
        lines : ndarray of int, shape (n,)
            Their lines in the file, counted from 1.
        """
        self._waiting.append(_Ends(kinds, fields[:, EYE], fields[:, ONSET], lines))

    def add_end(self, event: Event) -> None:
        """Add the end of one movement; where its onset is unknown, it may be any."""
        fields = np.empty((1, N_FIELDS))
        fields[0, EYE] = event.eye == "right"
        fields[0, ONSET] = event.onset if event.onset < UNKNOWN_TIME else np.nan
        kinds = np.array([KINDS.index(event.kind)], np.uint8)
        self.add(kinds, fields, np.array([event.line], np.int64))

    def end_block(self) -> None:
        """Pair what was added: what follows stands on later lines."""
        parts = [part for part in self._waiting if len(part.lines)]
        self._waiting = []
        if not parts:
            return
        kinds, eyes, onsets, lines = map(np.concatenate, zip(*parts, strict=True))
        ends = _Ends(kinds, eyes, onsets, lines).of(np.argsort(lines, kind="stable"))
        for kind in range(FIXATION, BLINK + 1):
            for eye in (0, 1):
                own = (ends.kinds - 1) % BLINK + 1 == kind
                own &= ends.eyes == eye
                if own.any():
                    self._pair((kind, eye), ends.of(own))

    def _pair(self, of: tuple[int, int], ends: _Ends) -> None:
        """Pair the lines of one kind and eye, in the order of the file."""
        begins = ends.kinds > BLINK
        onsets = ends.onsets
        lines = ends.lines
        self._any_beginning |= bool(begins.any())
        if of in self._open:
            onset, line = self._open.pop(of)
            begins = np.append(True, begins)
            onsets = np.append(onset, onsets)
            lines = np.append(line, lines)
        if begins[-1]:
            self._open[of] = float(onsets[-1]), int(lines[-1])

        agree = (onsets[:-1] == onsets[1:]) | np.isnan(onsets[1:])
        is_pair = begins[:-1] & ~begins[1:] & agree
        is_again = begins[:-1] & begins[1:] & (onsets[:-1] == onsets[1:])  # one beginning, twice
        endless = lines[:-1][begins[:-1] & ~is_pair & ~is_again]
        sudden = lines[~begins & ~np.append(False, is_pair)]
        self._n_endless += len(endless)
        self._first_endless = _first(self._first_endless, endless)
        self._n_sudden += len(sudden)
        self._first_sudden = _first(self._first_sudden, sudden)

    def note(self, findings: Findings) -> None:
        """Count and note what has no other end, when all blocks are taken."""
        left = np.array([line for _, line in self._open.values()], np.int64)
        n_endless = self._n_endless + len(left)
        # Said once: lines of beginnings are no rows, so none of them is one that is not used.
        if n_endless:
            line = _first(self._first_endless, left)
            findings.note(
                f"{n_endless} eye movements begin (SFIX, SSACC, SBLINK) and no line ends them, "
                f"the first in line {line}: they are no events"
            )
        if self._n_sudden and self._any_beginning:
            findings.note(
                f"{self._n_sudden} eye movements end and no line begins them, the first in line "
                f"{self._first_sudden}: taken as the line of their end says"
            )


def _first(before: int, lines: npt.NDArray[np.int64]) -> int:
    """Return the first of some lines and of one before them, 0 for none."""
    if not len(lines):
        return before
    return min(before, int(lines.min())) if before else int(lines.min())
