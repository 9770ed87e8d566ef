"""The rate of samples, measured by their times: gaps count for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

_ENOUGH_STEPS = 1 << 20  # between samples, to know the ordinary one
_LEAST_STEPS = 8  # to tell pairs from a gap
_TWO_SIZES = 1.5  # the longer of two neighbouring steps, by the shorter
# Half a step more than is ordinary: of one step, and of two.
_LONGEST_STEP = 1.5
_LONGEST_SPAN = 1.25
_MOST = 0.5  # share of the spans
_MILLISECOND = 1.0
# Of a rounded clock, longer steps come evenly: from one to the next, one of two numbers of steps.
_EVENLY = 0.65
_NOT_FEW = 0.04
_LEAST_LONG_STEPS = 8


def rate_of(times: pa.ChunkedArray) -> float | None:
    """Return how many samples come in a second, or None where no time is later than another.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        Times of samples in milliseconds, in the order of the samples.

    Returns
    -------
    float or None
        1000 by the mean of the ordinary steps, in Hz: those less than 1.5 times the median. It is
        not the median's, as whole milliseconds at 300 Hz come in steps of 3 and 4; those at 450 Hz
        come in steps of 2 and 3, and both are ordinary where they take turns evenly. Where a long
        step follows a short one all along, as where two eyes take turns, the mean of two steps
        together counts, of which none is ordinary by itself.
    """
    # The first million steps tell what is ordinary: all of a long recording would fill the memory.
    first: list[Floats] = []
    n_first = 0
    for steps in _steps_forward(times):
        first.append(steps)
        n_first += len(steps)
        if n_first > _ENOUGH_STEPS:
            break
    if n_first == 0:
        return None
    known = np.concatenate(first)
    if _in_pairs(known):
        return 2.0 * _mean_rate(_spans(times), _longest_span(known))
    return _mean_rate(_steps_forward(times), _longest_step(known))


def rate_of_pairs(steps: Floats) -> float | None:
    """Return the rate of samples that come in pairs as those of two eyes do, None of all others.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, all of them more than 0.
    """
    if not _in_pairs(steps):
        return None
    return 2.0 * _mean_rate(iter([steps[1:] + steps[:-1]]), _longest_span(steps))


def _longest_step(steps: Floats) -> float:
    """Return which step is that of no gap, in ms."""
    usual = float(np.median(steps))
    longest = _LONGEST_STEP * usual
    is_long = steps >= longest
    n_long = int(np.count_nonzero(is_long))
    # Samples that are lost now and then make long steps as well, but few of them.
    if n_long < max(_LEAST_LONG_STEPS, _NOT_FEW * len(steps)):
        return longest
    is_next = steps == usual + _MILLISECOND
    whole = usual == np.rint(usual) and float(np.mean(is_next[is_long])) > _MOST
    return usual + 1.5 * _MILLISECOND if whole and _come_evenly(is_next) else longest


def _come_evenly(chosen: npt.NDArray[np.bool_]) -> bool:
    """Whether the chosen ones follow each other at one of two distances, next to each other.

    What is lost at random comes at all distances, the shortest ones being the most frequent.
    """
    counts = np.bincount(np.diff(np.flatnonzero(chosen)))
    in_two = counts[:-1] + counts[1:]
    return float(in_two.max()) >= _EVENLY * float(counts.sum())


def _longest_span(steps: Floats) -> float:
    """Return which length of two steps together is that of no gap, in ms."""
    # Of whole milliseconds, two steps of 600 Hz are 3 or 4.
    rounded = _MILLISECOND if bool(np.all(steps == np.rint(steps))) else 0.0
    return _LONGEST_SPAN * float(np.median(steps[1:] + steps[:-1])) + rounded


def _in_pairs(steps: Floats) -> bool:
    """Whether steps have two sizes in turn: two of them together are even, one alone is not."""
    if len(steps) < _LEAST_STEPS:
        return False
    before, after = steps[:-1], steps[1:]
    longer = float(np.median(np.maximum(before, after)))
    shorter = float(np.median(np.minimum(before, after)))
    if longer < _TWO_SIZES * shorter:
        return False
    spans = before + after
    usual = float(np.median(spans))
    # Steps that are long where samples are missing add up to no even spans.
    even = np.abs(spans - usual) < (_LONGEST_SPAN - 1.0) * usual
    return float(np.mean(even)) > _MOST


def _mean_rate(parts: Iterator[Floats], longest_ms: float) -> float:
    """Return how many lengths of time of those that are short enough fit into a second."""
    total_ms = 0.0
    count = 0
    for lengths in parts:
        usual = lengths[lengths < longest_ms]
        total_ms += float(usual.sum())
        count += len(usual)
    return 1000.0 * count / total_ms


def _steps_forward(times: pa.ChunkedArray) -> Iterator[Floats]:
    """Yield the steps between times that go forward, chunk by chunk."""
    last = np.empty(0)  # the last time of the chunk before: steps reach across chunks
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        last = t[-1:]
        steps = np.diff(t)
        yield steps[steps > 0]


def _spans(times: pa.ChunkedArray) -> Iterator[Floats]:
    """Yield the lengths of two steps together, chunk by chunk."""
    last = np.empty(0)
    for chunk in _steps_forward(times):
        steps = np.concatenate([last, chunk])
        last = steps[-1:]
        yield steps[1:] + steps[:-1]
