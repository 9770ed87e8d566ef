"""Gazepoint: the area of interest that each row of a fixation names.

Rows that are of no fixation (``FPOGV`` is 0: a saccade, or the next fixation's first ones) still
carry the number of the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.gazepoint.export import Export
from gazetrack.readers.text.header import needed_header
from gazetrack.readers.text.table import read_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header
    from gazetrack.readers.text.table import Columns

AOI = "AOI"


def aoi_rows(head: Head) -> Iterator[tuple[str, int, str, str]]:
    """Yield the showing of a medium, the number of the fixation, the medium and the area.

    Rows that are of no fixation are left out, as the reader leaves them out of its fixations.
    Showings are numbered from 1, as the recordings and trials of the reader are.

    Raises
    ------
    ParseError
        A column is missing, or a row or cell is damaged.
    """
    header = needed_header(head)
    rows = _Rows(head, header)
    for part in read_parts(head, header, rows.wanted):
        rows.take(part)
        yield from rows.of_part


class _Rows(Export):
    """An export of which the area of each row is kept as well."""

    def __init__(self, head: Head, header: Header) -> None:
        super().__init__(head, header)
        self.wanted["aoi"] = header.index(AOI, head.path), "text"
        self.of_part: list[tuple[str, int, str, str]] = []

    def take(self, table: Columns) -> None:
        """Take a part of some ten thousand rows."""
        self.of_part = []
        super().take(table)

    def showings(
        self, t: npt.NDArray[np.floating], table: Columns, timed: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int32]:
        """Return the number of each row's showing of a medium, counted from 0 over all parts."""
        showing = super().showings(t, table, timed)
        texts = {key: table.text(key)[timed].tolist() for key in ("stimulus", "aoi")}
        numbers = (showing + 1).tolist()
        index = table.number("index")[timed]
        of_fixation = np.flatnonzero(table.number("valid")[timed] == 1).tolist()
        self.of_part = [
            (str(numbers[at]), int(index[at]), texts["stimulus"][at], texts["aoi"][at])
            for at in of_fixation
        ]
        return showing
