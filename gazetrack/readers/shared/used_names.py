"""Names that are used, and combinations of them, each once, in the order of their appearance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class UsedNames:
    """Codes a column of names part by part, whatever codes it has in the parts."""

    def __init__(self) -> None:
        self._places = np.empty(0, np.int32)  # by the code in the parts; -1 where not used so far
        self._found: dict[str, int] = {}

    @property
    def used(self) -> list[str]:
        """The names by their codes."""
        return list(self._found)

    def coded(self, codes: npt.NDArray[np.integer], names: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the codes of names among the used ones.

        Parameters
        ----------
        codes : ndarray of int, shape (n,)
            The names of the part's rows, as places in `names`.
        names : sequence of str
            All names so far; from part to part more may come behind them. One may be there twice.
        """
        more = np.full(len(names) - len(self._places), -1, np.int32)
        self._places = np.append(self._places, more)
        new, first = np.unique(codes[self._places[codes] < 0], return_index=True)
        for code in new[np.argsort(first)].tolist():
            self._places[code] = self._found.setdefault(names[code], len(self._found))
        places: npt.NDArray[np.int32] = self._places[codes]
        return places


class Combinations:
    """Codes what stands in several columns of codes together, part by part.

    Attributes
    ----------
    found : dict of tuple of int to int
        The code of each combination, counted from 0 in the order of their first appearance.
    """

    def __init__(self) -> None:
        self.found: dict[tuple[int, ...], int] = {}

    def coded(
        self, columns: Sequence[npt.NDArray[np.integer]], n_rows: int
    ) -> npt.NDArray[np.int32]:
        """Return the code of each row's combination.

        Parameters
        ----------
        columns : sequence of ndarray of int, shape (n,)
            Columns of codes that mean the same in all parts; all rows are one without columns.
        n_rows : int
            How many rows there are.
        """
        changes = np.zeros(n_rows, np.bool_)
        changes[:1] = True
        for column in columns:
            changes[1:] |= column[1:] != column[:-1]
        # They change seldom from row to row: the first row of each run is looked up.
        first = np.flatnonzero(changes)
        rows = zip(*(column[first].tolist() for column in columns), strict=True)
        keys = list(rows) if columns else [()] * len(first)
        own = [self.found.setdefault(key, len(self.found)) for key in keys]
        codes: npt.NDArray[np.int32] = np.repeat(
            np.array(own, np.int32), np.diff(np.r_[first, n_rows])
        )
        return codes
