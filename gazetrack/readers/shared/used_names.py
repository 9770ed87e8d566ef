"""Names that are used, each once, in the order of their first appearance."""

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
