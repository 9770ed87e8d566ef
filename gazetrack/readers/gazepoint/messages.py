"""Messages in a log of the Open Gaze API: what the experiment wrote into the column ``USER``.

Source: "Open Gaze API", Gazepoint, ``USER_DATA``; "PyOpenGaze", E. S. Dalmaijer, as PyGaze has it:
a text stays in every record until another is set, and is set back to ``0``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_NOTHING = ("", "0")


class Messages:
    """The messages of a log, part by part."""

    def __init__(self) -> None:
        self._last = -1  # code of the row before; none has this one
        self._showing: list[int] = []
        self._code: list[int] = []
        self._t_ms: list[float] = []

    def take(
        self,
        codes: npt.NDArray[np.int32],
        showing: npt.NDArray[np.int32],
        t_ms: npt.NDArray[np.floating],
    ) -> None:
        """Take a part's rows: a message is where the text of the rows changes.

        Parameters
        ----------
        codes : ndarray of int32, shape (N,)
            The text of each row, by its number among all texts of the log.
        showing : ndarray of int32, shape (N,)
            The showing of a medium that each row is of.
        t_ms : ndarray of float64, shape (N,)
            Times of the rows, from the start of their showing.
        """
        if not len(codes):
            return
        changes = np.flatnonzero(np.diff(codes, prepend=self._last) != 0)
        self._last = int(codes[-1])
        self._code += codes[changes].tolist()
        self._showing += showing[changes].tolist()
        self._t_ms += t_ms[changes].tolist()

    def columns(self, texts: list[str], names: dict[str, list[str]]) -> dict[str, Any]:
        """Return the messages as columns of `EVENTS`; empty texts and ``0`` are none.

        Parameters
        ----------
        texts : list of str
            All texts of the log, which the codes count.
        names : dict of str to list of str
            The names of recordings and trials, by showing.
        """
        said = [place for place, code in enumerate(self._code) if texts[code] not in _NOTHING]
        recordings = names["recording"]
        showing = [self._showing[place] for place in said]
        return {
            # One showing alone is one recording, whatever its number.
            "recording": [recordings[one if len(recordings) > 1 else 0] for one in showing],
            "trial": [names["trial"][one] for one in showing],
            "kind": ["message"] * len(said),
            "index": list(range(1, len(said) + 1)),
            "onset_ms": [self._t_ms[place] for place in said],
            "duration_ms": [0.0] * len(said),
            "text": [texts[self._code[place]] for place in said],
        }
