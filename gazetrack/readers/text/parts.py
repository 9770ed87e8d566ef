"""What cells become: parts of some ten thousand rows, with texts as codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


class Texts(NamedTuple):
    """A column of texts: ``names[codes[i]]`` is the text of row i.

    All parts of a column share one list of names, which grows while the file is read.
    """

    codes: npt.NDArray[np.int32]
    names: list[str]


class TextNames:
    """The texts of one column of the file, without the blanks around them, and their codes."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._codes: dict[bytes, int] = {}

    def code(self, text: bytes) -> int:
        """Return the code of a text as it stands in the file; a new one gets the next code."""
        # By its bytes as they stand: nearly all cells are found without being decoded.
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = self._code_without_blanks(text)
        return code

    def _code_without_blanks(self, text: bytes) -> int:
        name = text.decode("utf-8").strip()
        bare = name.encode()
        if bare not in self._codes:
            self._codes[bare] = len(self.names)
            self.names.append(name)
        return self._codes[bare]


@dataclass(eq=False, kw_only=True)
class Part:
    """Room for the rows of some blocks; a row of the table is a column of each array.

    Parameters
    ----------
    exact : ndarray of float64, shape (M, N)
        The columns of numbers that are wanted in double precision.
    short : ndarray of float32, shape (K, N)
        The columns of numbers that are wanted in single precision.
    codes : ndarray of int32, shape (T, N)
        The columns of texts, as codes of `TextNames`.
    n_rows : int
        How many of the N rows are given to a block so far.
    blank_rows : list of int
        Those among them that turned out to be blank lines, in ascending order.
    """

    exact: npt.NDArray[np.float64]
    short: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    n_rows: int = 0
    blank_rows: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """The number of rows that fit."""
        return int(self.codes.shape[1])

    def complete(self) -> Part:
        """Return the part without the room that is left and without its blank lines."""
        exact = self.exact[:, : self.n_rows]
        short = self.short[:, : self.n_rows]
        codes = self.codes[:, : self.n_rows]
        # Views so far. Blank lines within a table are rare: only they cost a copy.
        if self.blank_rows:
            exact = np.delete(exact, self.blank_rows, axis=1)
            short = np.delete(short, self.blank_rows, axis=1)
            codes = np.delete(codes, self.blank_rows, axis=1)
        return Part(exact=exact, short=short, codes=codes, n_rows=codes.shape[1])
