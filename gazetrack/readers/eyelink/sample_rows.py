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
# Of so many samples and so large a share of all, the column of the input port is absent; fewer lost
# a value, and it is not known which.
_LEAST_WITHOUT_INPUT = 10
_LEAST_SHARE_WITHOUT_INPUT = 0.1
_TARGET_VALUES = 3  # x, y and distance


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
        self._n_without_input = 0
        # How many samples of each layout had which number of values so far, if any is a number.
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
        values = block.values[part]
        is_lost = _is_lost(values, n_values)
        seen = self._seen.setdefault(layout, np.zeros(_MOST_VALUES, np.int64))
        seen += np.bincount(n_values[~is_lost], minlength=_MOST_VALUES)
        usual = _usual(seen, layout.n_values)
        is_other = n_values != usual
        if not is_other.any():
            return
        values[is_other & is_lost] = np.nan  # the marks of quality may stand among them
        is_other &= ~is_lost
        if without_input := _beside_input(seen, layout, usual):
            is_known = is_other & (n_values == without_input)
            self._n_without_input += int(np.count_nonzero(is_known))
            is_other &= ~is_known
        if not is_other.any():
            return
        values[is_other] = np.nan
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
        if self._n_without_input:
            findings.note(
                f"{self._n_without_input} samples have one value more or fewer than the others, as "
                "the last column (INPUT) is not in all of them: their positions are kept"
            )
        for layout, seen in self._seen.items():
            usual = _usual(seen, layout.n_values)
            stated = layout.n_values
            # Without marks of quality, what follows them follows the values.
            with_target = stated + _TARGET_VALUES if layout.has_target else stated
            if stated and usual not in (stated, with_target):
                findings.note(
                    f"samples have {usual} values, not the {stated} of their SAMPLES "
                    "line: the positions are taken from the first of them"
                )


def _usual(seen: npt.NDArray[np.int64], stated: int) -> int:
    """Return how many values a sample has.

    Parameters
    ----------
    seen : ndarray of int, shape (256,)
        How many samples had which number of values, of those with a number among them.
    stated : int
        How many the SAMPLES line states, 0 where no line does.
    """
    n_samples = int(seen.sum())
    holds = n_samples < _LEAST_SAMPLES or 2 * int(seen[stated]) >= n_samples
    return stated if stated and holds else int(seen.argmax())


def _is_lost(
    values: npt.NDArray[np.float32], n_values: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Return which samples have points alone: however many there are, no number can be misplaced.

    Parameters
    ----------
    values : ndarray of float32, shape (S, 6)
        The first values of samples, NaN where a point stands for one.
    n_values : ndarray of uint8, shape (S,)
        How many values each of them has.
    """
    is_read = np.arange(values.shape[1]) < n_values[:, None]
    nothing: npt.NDArray[np.bool_] = np.all(np.isnan(values) | ~is_read, axis=1)
    return nothing


def _beside_input(seen: npt.NDArray[np.int64], layout: Layout, usual: int) -> int:
    """Return how many values samples with, or without, INPUT have beside the usual ones; or 0."""
    stated = layout.n_values
    if not layout.has_input or usual not in (stated - 1, stated):
        return 0
    other = 2 * stated - 1 - usual
    least = max(_LEAST_WITHOUT_INPUT, _LEAST_SHARE_WITHOUT_INPUT * int(seen.sum()))
    return other if seen[other] >= least else 0
