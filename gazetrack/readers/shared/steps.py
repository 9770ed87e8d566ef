"""The steps between the times of samples, and medians of values that need not fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.floating]

_MOST_AT_ONCE = 1 << 17  # values that are looked at together
_DIGIT_BITS = 16


def median_step(times: pa.ChunkedArray) -> float:
    """Return the median step from one time to the next, 0 with fewer than two of them.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        Times in ms, none missing; few of the steps between them are different.
    """
    counts: dict[float, int] = {}
    last = np.empty(0)  # the last time of the chunk before: steps reach across chunks
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        last = t[-1:]
        for step, count in zip(*np.unique(np.diff(t), return_counts=True), strict=True):
            counts[float(step)] = counts.get(float(step), 0) + int(count)
    return median_of_counts(counts)


def median_of_counts(counts: dict[float, int]) -> float:
    """Return the median of values that are there so many times, 0 without any.

    Parameters
    ----------
    counts : dict of float to int
        How often each value is there.
    """
    if not counts:
        return 0.0
    values, numbers = np.array(sorted(counts.items())).T
    # The median of n values is the mean of those at (n - 1) // 2 and n // 2 in order.
    below = np.cumsum(numbers)
    n = below[-1]
    middle = np.searchsorted(below, [(n - 1) // 2, n // 2], side="right")
    return float(values[middle].mean())


def median_of_positive(parts: Callable[[], Iterable[Floats]]) -> float:
    """Return the median of those of the values that are above 0, NaN without any.

    Parameters
    ----------
    parts : callable
        Gives the values in parts, the same ones each time: of many values, it is asked several
        times. The bits of positive numbers, read as whole numbers, are in the order of the numbers:
        so the one in the middle is found digit by digit.
    """
    few: list[npt.NDArray[np.float64]] = []
    n_values = 0
    for values in parts():
        positive = np.asarray(values[values > 0], np.float64)
        n_values += positive.size
        if n_values <= _MOST_AT_ONCE:
            few.append(positive)
    if n_values <= _MOST_AT_ONCE:
        return float(np.median(np.concatenate(few))) if n_values else float("nan")
    # The median of n values is the mean of those at (n - 1) // 2 and n // 2 in order.
    below = _value_at((n_values - 1) // 2, parts)
    above = _value_at(n_values // 2, parts)
    return (below + above) / 2


def _value_at(place: int, parts: Callable[[], Iterable[Floats]]) -> float:
    """Return the positive value at a place in the order of all of them."""
    shift = 64
    prefix = np.uint64(0)
    while shift:
        shift -= _DIGIT_BITS
        counts = np.zeros(1 << _DIGIT_BITS, np.int64)
        for values in parts():
            bits = np.asarray(values[values > 0], np.float64).view(np.uint64)
            if shift + _DIGIT_BITS < 64:
                bits = bits[bits >> np.uint64(shift + _DIGIT_BITS) == prefix]
            digits = (bits >> np.uint64(shift)) & np.uint64((1 << _DIGIT_BITS) - 1)
            counts += np.bincount(digits.astype(np.int64), minlength=1 << _DIGIT_BITS)
        below = np.cumsum(counts)
        digit = int(np.searchsorted(below, place, side="right"))
        place -= int(below[digit] - counts[digit])
        prefix = (prefix << np.uint64(_DIGIT_BITS)) | np.uint64(digit)
    return float(np.array(prefix, np.uint64).view(np.float64))


def steps_within(parts: Iterable[Floats]) -> Iterable[Floats]:
    """Yield the steps from each value to the next, also across parts.

    Parameters
    ----------
    parts : iterable of ndarray
        The values in their order, such as times.
    """
    last = np.empty(0)
    for values in parts:
        joined = np.concatenate([last, values])
        last = joined[-1:]
        yield np.diff(joined)


class GroupSteps:
    """Returns the steps from each value to the next of the same group, part by part."""

    def __init__(self) -> None:
        self._last: dict[int, float] = {}

    def take(self, values: Floats, groups: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Return the step to each value from the one before it in its group, NaN without one.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            The values of the next rows, such as times.
        groups : ndarray of int, shape (n,)
            The group of each, as the same number in all parts.
        """
        if not len(values):
            return np.empty(0)
        order = np.argsort(groups, kind="stable")
        ordered = values[order]
        own = groups[order]
        first = np.flatnonzero(np.r_[True, own[1:] != own[:-1]])
        steps = np.diff(ordered, prepend=np.nan)
        for at, end in zip(first.tolist(), [*first[1:].tolist(), len(own)], strict=True):
            group = int(own[at])
            steps[at] = ordered[at] - self._last.get(group, np.nan)
            self._last[group] = float(ordered[end - 1])
        found = np.empty(len(values))
        found[order] = steps
        return found
