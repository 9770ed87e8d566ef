"""What a clock of whole milliseconds makes of even steps: jitter, and longer ones in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NEARLY_WHOLE_MS = 1e-3  # times in seconds are whole milliseconds but for their last digit
# Windows of steps have so many chosen ones, and are so many.
_WINDOW_HAS = 8  # chosen ones
_LEAST_WINDOWS = 20
_JITTER_REACH = 8  # steps from a short one to the long one that makes up for it
_JITTER_PASSES = 3
LONGEST_JITTERY_MS = 3.0  # usual steps that jitter of a millisecond makes half as long again
MILLISECOND = 1.0


def evened_steps(steps: Floats) -> Floats:
    """Return steps without the jitter of whole milliseconds, as `rate_of` looks at them.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0; one at least is more.
    """
    return evened(steps, jittery_step(steps[steps > 0]))


def jittery_step(steps: Floats) -> float:
    """Return the usual step where it is so few whole milliseconds that jitter matters, else 0.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, all of them more than 0; one at least.
    """
    if not is_whole(steps):
        return 0.0
    usual = float(np.floor(np.median(np.rint(steps))))
    return usual if usual <= LONGEST_JITTERY_MS else 0.0


def evened(steps: Floats, usual_ms: float) -> Floats:
    """Return steps of which a short one and the long one that makes up for it are usual ones.

    A sample whose whole millisecond is another by jitter makes one step longer and one shorter by
    the same; samples that are lost make steps longer alone, rows that are there twice shorter.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0.
    usual_ms : float
        The usual step, as of `jittery_step`; where it is 0, the steps are returned as they are.
    """
    if not usual_ms:
        return steps
    even = np.rint(steps)
    for _ in range(_JITTER_PASSES):
        moved = even - usual_ms
        at = np.flatnonzero(np.abs(moved) == MILLISECOND)
        if len(at) < 2:
            break
        is_pair = (moved[at[1:]] != moved[at[:-1]]) & (np.diff(at) <= _JITTER_REACH)
        # Of several pairs one after the other, every second one: no step is in two of them.
        number = np.arange(len(is_pair))
        before = np.maximum.accumulate(np.where(is_pair, -1, number))
        first = np.flatnonzero(is_pair & ((number - before) % 2 == 1))
        even[at[first]] = usual_ms
        even[at[first + 1]] = usual_ms
    return even


def unsteadiness(chosen: npt.NDArray[np.bool_]) -> float:
    """Return how much windows of steps differ in how many are chosen: 1 is as by chance.

    With too few chosen ones to know it is 1 as well.

    Parameters
    ----------
    chosen : ndarray of bool, shape (N,)
        Which of the steps are longer, or shorter, than the usual one.
    """
    n_chosen = int(np.count_nonzero(chosen))
    n_windows = n_chosen // _WINDOW_HAS
    if n_windows < _LEAST_WINDOWS or n_chosen == len(chosen):
        return 1.0
    length = len(chosen) // n_windows
    counts = chosen[: n_windows * length].reshape(n_windows, length).sum(axis=1)
    # Of many chosen ones chance alone varies less: by the share of the others.
    by_chance = float(counts.mean()) * (1.0 - n_chosen / len(chosen))
    return float(counts.var()) / by_chance if by_chance else 1.0


def evenness(chosen: npt.NDArray[np.bool_]) -> float:
    """Return how many of the chosen ones follow the one before at one of two distances, as a share.

    The two are next to each other, or the next but one where halves are rounded to even numbers.
    What is lost at random comes at all distances, the shortest ones being the most frequent.

    Parameters
    ----------
    chosen : ndarray of bool, shape (N,)
        Which of the steps are longer, or shorter, than the usual one.
    """
    distances = np.diff(np.flatnonzero(chosen))
    if not len(distances):
        return 0.0
    counts = np.bincount(distances, minlength=3)
    next_to = counts[:-1] + counts[1:]
    next_but_one = counts[:-2] + counts[2:]
    return float(max(next_to.max(), next_but_one.max())) / float(counts.sum())


def nearly_whole(steps: Floats) -> Floats:
    """Return steps as whole milliseconds where all of them are, but for their last digits.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, in their order.
    """
    return np.rint(steps) if is_whole(steps) else steps


def is_whole(steps: Floats) -> bool:
    """Return whether all steps are whole milliseconds, but for their last digits.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, in their order.
    """
    if not np.all(np.isfinite(steps)):
        return False
    whole = np.rint(steps)
    # Microseconds that are called milliseconds are no whole ones, though they are nearly 0.
    is_nothing = (whole == 0) & (steps > 0)
    return bool(np.all(np.abs(steps - whole) < _NEARLY_WHOLE_MS) and not is_nothing.any())
