"""What times tell of the clock that gave them: it goes on, steps back, or begins again.

Trackers write samples in the order of time, all but a few that a thread writes late or a clock set
right while it runs. Anything beyond that is another recording in the same file, or damage, and no
reader may take it for one recording.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MOST_DISORDER_MS = 1000.0  # clocks that are set right while they run, and threads that write late
MOST_BACKWARDS = 0.2  # share of the times before the one above them; of shuffled rows it is a half
_FEW_BACKWARDS = 3  # a share of fewer says nothing
_LEAST_TIMES = 3  # before a clock can be said to begin again before its beginning
_ENOUGH_BACKWARDS = 1000  # to know that the rows are in no order


@dataclass
class _Group:
    """What is known of one recording, or of one trial with a clock of its own."""

    first: float
    last: float = np.nan
    count: int = 0


@dataclass
class Clock:
    """Follows the times of recordings in the order of their file, part by part.

    Attributes
    ----------
    pairs : int
        Times with another of the same group before them.
    backwards, still : int
        How many of them are before that one, and how many equal it.
    restarts : int
        How many of those before it begin another recording.
    furthest_back_ms : float
        The longest step back that begins no other recording.
    first_back : int
        Place among all times of the first that is before the one above it; -1 without any.
    first_restart : int
        Place among all times of the first with which a clock begins again; -1 without any.
    rows : int
        How many times there are so far.
    """

    pairs: int = 0
    backwards: int = 0
    still: int = 0
    restarts: int = 0
    furthest_back_ms: float = 0.0
    first_back: int = -1
    first_restart: int = -1
    rows: int = 0
    _groups: dict[int, _Group] = field(default_factory=dict)

    def take(
        self, t: npt.NDArray[np.floating], groups: npt.NDArray[np.integer] | None = None
    ) -> npt.NDArray[np.intp]:
        """Take a part of the times.

        Parameters
        ----------
        t : ndarray, shape (n,)
            Times in ms, none missing.
        groups : ndarray of int, shape (n,), optional
            The group each belongs to: a recording, or a trial with a clock of its own. Without it
            all are of one.

        Returns
        -------
        ndarray of intp
            The places within the part at which the clock of a group begins again, ascending.
        """
        if not len(t):
            return np.empty(0, np.intp)
        if groups is None or (groups == groups[0]).all():
            key = 0 if groups is None else int(groups[0])
            found = [self._take_group(key, t, np.arange(len(t)))]
        else:
            order = np.argsort(groups, kind="stable")
            parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
            found = [self._take_group(int(groups[rows[0]]), t[rows], rows) for rows in parts]
        self.rows += len(t)
        return np.sort(np.concatenate(found))

    @property
    def in_no_order(self) -> bool:
        """Whether too many times lie before the one above them for rows in the order of time."""
        return self.backwards >= _FEW_BACKWARDS and self.backwards > MOST_BACKWARDS * self.pairs

    @property
    def never_forward(self) -> bool:
        """Whether several times are all one."""
        return self.pairs > 1 and self.still == self.pairs

    @property
    def disorder(self) -> str:
        """What is wrong with times that are `in_no_order`, in words for the user."""
        how_many = f"{self.backwards} of {self.pairs} times are before the one above them"
        runs_backwards = self.backwards > (1 - MOST_BACKWARDS) * self.pairs
        what = "the clock runs backwards" if runs_backwards else "rows in no order"
        return f"{what}: {how_many}"

    @property
    def notes(self) -> list[str]:
        """What a user should know of times that are in order on the whole."""
        found = []
        n_mere = self.backwards - self.restarts
        if n_mere:
            found.append(
                f"the clock steps back {n_mere} times, by {self.furthest_back_ms:.3g} ms at most"
            )
        if self.still:
            found.append(
                f"the clock stands still: {self.still} samples have the time of the one before them"
            )
        return found

    def _take_group(
        self, key: int, t: npt.NDArray[np.floating], rows: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.intp]:
        """Take the times of one group; `rows` are their places in the part."""
        group = self._groups.setdefault(key, _Group(float(t[0])))
        steps = np.diff(t, prepend=group.last)  # not a number before the first time
        back = np.flatnonzero(steps < 0)
        self.pairs += len(t) - (group.count == 0)
        self.backwards += len(back)
        self.still += int(np.count_nonzero(steps == 0))
        self.first_back = self._earlier(self.first_back, rows[back])
        restarts = self._restarts(group, t, steps, back)
        mere = np.setdiff1d(back, restarts)
        if len(mere):
            self.furthest_back_ms = max(self.furthest_back_ms, -float(steps[mere].min()))
        self.first_restart = self._earlier(self.first_restart, rows[restarts])
        self.restarts += len(restarts)
        group.last = float(t[-1])
        return rows[restarts]

    def _earlier(self, place: int, rows: npt.NDArray[np.intp]) -> int:
        """Return the earlier of a place among all times and the first of these rows.

        A place of -1 stands for none; the rows are those of the part that is being taken.
        """
        if not len(rows):
            return place
        first = self.rows + int(rows[0])
        return first if place < 0 else min(place, first)

    def _restarts(
        self,
        group: _Group,
        t: npt.NDArray[np.floating],
        steps: npt.NDArray[np.floating],
        back: npt.NDArray[np.intp],
    ) -> npt.NDArray[np.intp]:
        """Return which of the steps back begin another recording.

        Where the last one began is kept for the next part.
        """
        found: list[int] = []
        begin = -group.count  # where the recording that goes on began, before this part
        # Rows in no order are refused in the end: each of their steps need not be looked at.
        is_hopeless = self.in_no_order and self.backwards > _ENOUGH_BACKWARDS
        for at in [] if is_hopeless else back.tolist():
            now = float(t[at])
            before = now - float(steps[at])
            # A clock that runs backwards is always before its first time: it must have gone forward
            # in between.
            is_back_at_first = now <= group.first < before
            went_forward = now == group.first or at - begin >= _LEAST_TIMES
            if steps[at] < -MOST_DISORDER_MS or (is_back_at_first and went_forward):
                found.append(at)
                group.first = now
                begin = at
        group.count = len(t) - begin
        return np.array(found, np.intp)
