"""EyeLink ASC: samples with a value more or less than the others, in which no value is in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.eyelink.asc_blocks import Block
    from gazetrack.readers.eyelink.declarations import Layout
    from gazetrack.readers.eyelink.findings import Findings

_MOST_VALUES = 256  # of 8 bits
# As few samples say nothing against the line that states how many values each of them has.
_LEAST_SAMPLES = 3


class SampleRows:
    """Finds the samples with another number of values than their layout has, block by block.

    Attributes
    ----------
    count : int
        How many samples had another number of values so far.
    first_line : int
        The line of the first of them in the file, counted from 1; 0 without any.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first_line = 0
        # How many samples of each layout had which number of values so far.
        self._seen: dict[Layout, npt.NDArray[np.int64]] = {}

    def clear(self, block: Block, part: slice, layout: Layout, n_lines: int) -> None:
        """Take all values from those samples of a part whose values may be of other columns.

        Parameters
        ----------
        block : Block
            The block they are of; changed in place.
        part : slice
            Which of its samples to look at.
        layout : Layout
            How these samples were recorded.
        n_lines : int
            How many lines of the file come before the block.
        """
        n_values = block.n_values[part]
        seen = self._seen.setdefault(layout, np.zeros(_MOST_VALUES, np.int64))
        seen += np.bincount(n_values, minlength=_MOST_VALUES)
        is_other = n_values != _usual(seen, layout.n_values)
        if not is_other.any():
            return
        block.values[part][is_other] = np.nan
        self.count += int(np.count_nonzero(is_other))
        if not self.first_line:
            self.first_line = n_lines + 1 + int(block.lines[part][is_other.argmax()])

    def note(self, findings: Findings) -> None:
        """Note what was found, when all blocks are taken."""
        if self.count:
            findings.note(
                f"{self.count} samples have more or fewer values than the others, the first in "
                f"line {self.first_line}: no value is known to be in its column, all are missing"
            )
        for layout, seen in self._seen.items():
            usual = _usual(seen, layout.n_values)
            if layout.n_values not in (0, usual):
                findings.note(
                    f"samples have {usual} values, not the {layout.n_values} of their SAMPLES "
                    "line: the positions are taken from the first of them"
                )


def _usual(seen: npt.NDArray[np.int64], stated: int) -> int:
    """Return how many values a sample has.

    Parameters
    ----------
    seen : ndarray of int, shape (256,)
        How many samples had which number of values.
    stated : int
        How many the SAMPLES line states, 0 where no line does.
    """
    n_samples = int(seen.sum())
    holds = n_samples < _LEAST_SAMPLES or 2 * int(seen[stated]) >= n_samples
    return stated if stated and holds else int(seen.argmax())
