"""The rate of samples, measured by their times: gaps count for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.tables.whole_ms import (
    LONGEST_JITTERY_MS,
    MILLISECOND,
    evened,
    evened_steps,
    evenness,
    is_whole,
    jittery_step,
    nearly_whole,
    unsteadiness,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]

_ENOUGH_STEPS = 1 << 17  # between samples, to know the ordinary one: minutes of any tracker
_LEAST_STEPS = 8  # to tell pairs from a gap
_TWO_SIZES = 1.5  # the longer of two neighbouring steps, by the shorter
# Half a step more than is ordinary: of one step, and of two.
_LONGEST_STEP = 1.5
_LONGEST_SPAN = 1.25
_MOST = 0.5  # share of the spans
_SHORTEST = float(np.nextafter(0.0, 1.0))  # of steps that go forward
# Of a rounded clock, longer steps come evenly: from one to the next, one of two numbers of steps.
_EVENLY = 0.65
_NOT_FEW = 0.04
_LEAST_LONG_STEPS = 8
# Fewer are the clock's only where nearly all come evenly.
_EVENLY_IF_FEW = 0.9
_LEAST_IF_FEW = 5
_MAY_BE_EVEN = 0.5
# Of the counts in windows of steps, the variance by the mean: 1 where chosen ones come at random.
_STEADY = 0.3
_MAY_BE_STEADY = 0.75
_JITTER_SHARE = 0.005  # of the steps, from which on the clock is said to jitter
_IN_DOUBT = 0.005  # how far two readings of the times may be apart


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
        come in steps of 2 and 3, and both are ordinary where they take turns evenly. Above 1000 Hz
        some samples have the whole millisecond of the one before them: their steps of 0 are
        ordinary where they come evenly. Where a long step follows a short one all along, as where
        two eyes take turns, the mean of two steps together counts, of which none is ordinary by
        itself. Where jitter moves a sample to another whole millisecond, a short step and the long
        one that makes up for it are evened out first.
    """
    known = _first_steps(times)
    if not known.any():
        return None
    forward = known[known > 0]
    if _in_pairs(forward):
        return _known(2.0 * _mean_rate(_spans(times), _longest_span(forward)))
    usual = jittery_step(forward)
    even = evened(known, usual)
    least = 0.0 if repeats_are_samples(even) else _SHORTEST
    parts = (evened(steps, usual) for steps in _steps(times, 0.0))
    longest = longest_step(even[even > 0])
    return _known(_mean_rate((steps[steps >= least] for steps in parts), longest))


def rate_of_steps(steps: Floats) -> float | None:
    """Return the rate that `rate_of` finds for times with these steps, None where there is none.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0. Those across pieces of
        a recording may be left out.
    """
    if not steps.any():
        return None
    forward = steps[steps > 0]
    pairs = rate_of_pairs(forward)
    if pairs is not None:
        return pairs
    return _known(_mean_rate(iter([ordinary_steps(steps)]), np.inf))


def ordinary_steps(steps: Floats) -> Floats:
    """Return the steps of no gap, those of 0 only where they are samples; jitter is evened out.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0; one at least is more.
    """
    even = evened_steps(steps)
    least = 0.0 if repeats_are_samples(even) else _SHORTEST
    longest = longest_step(even[even > 0])
    return even[(even >= least) & (even < longest)]


def doubt_of(times: pa.ChunkedArray) -> str:
    """Return what speaks against the rate of `rate_of`, in words for the user; empty if nothing.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        Times of samples in milliseconds, in the order of the samples.
    """
    known = _first_steps(times)
    forward = known[known > 0]
    if not len(forward) or _in_pairs(forward):
        return ""
    usual = jittery_step(forward)
    if usual not in (1.0, 2.0):
        return ""
    raw = nearly_whole(known)
    steps = evened(raw, usual)
    longest = longest_step(steps[steps > 0])
    repeats = repeats_are_samples(steps)
    rate = _rate_within(steps, longest, repeats=repeats)
    jitters = float(np.mean(steps != raw)) > _JITTER_SHARE
    # As if all steps that rounding may have made were the clock's; or where every sample may be
    # there twice, none.
    is_longer = steps == usual + MILLISECOND
    may_be_longer = longest > usual + MILLISECOND or _may_be_the_clocks(is_longer)
    may_repeat = _all_twice(steps)
    if usual == MILLISECOND:
        may_repeat |= repeats or _may_be_the_clocks(steps == 0)
    # What jitter has moved is even no more, be it the clock's or not.
    longest_clocks = usual + (1.5 if may_be_longer or jitters else 0.5)
    may_repeat |= jitters and usual == MILLISECOND
    others = [_rate_within(steps, longest_clocks, repeats=may_repeat)]
    if repeats and _all_twice(steps):
        others.append(_rate_within(steps, longest, repeats=False))
    # Where the clock's own steps come evenly but for some, samples are lost, or there twice.
    if repeats:
        others.append(_rate_of_distances(steps == 0, usual, -MILLISECOND))
    elif longest > usual + MILLISECOND:
        others.append(_rate_of_distances(is_longer, usual, MILLISECOND))
    if jitters and usual == MILLISECOND:
        # Jitter of more than half a millisecond makes steps of 3, as lost samples do.
        others.append(_rate_within(steps, usual + 2.5, repeats=True))
    other = max(filter(np.isfinite, others), key=lambda one: abs(one - rate), default=rate)
    if abs(other - rate) <= _IN_DOUBT * rate:
        return ""
    return (
        f"times in whole milliseconds do not tell the sampling rate: {rate:.4g} Hz or {other:.4g} "
        "Hz, by which samples are lost or there twice"
    )


def repeats_are_samples(steps: Floats) -> bool:
    """Return whether samples of one time are what a clock of whole milliseconds makes of more.

    They are where no step is usually shorter than one millisecond, and steps of 0 come evenly.
    Others are rows that are there twice.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0.
    """
    is_repeat = steps == 0
    forward = steps[~is_repeat]
    if not len(forward) or not is_repeat.any() or not is_whole(forward):
        return False
    if 2 * np.count_nonzero(is_repeat[1:] & is_repeat[:-1]) > np.count_nonzero(is_repeat):
        return False  # a clock that stands still
    usual = float(np.median(nearly_whole(forward)))
    return usual == MILLISECOND and _are_the_clocks(is_repeat)


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


def longest_step(steps: Floats) -> float:
    """Return which step is the shortest of a gap, in ms.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, all of them more than 0; one at least.
    """
    whole = nearly_whole(steps)
    usual = float(np.median(whole))
    longest = _LONGEST_STEP * usual
    is_long = whole >= longest
    is_next = whole == usual + MILLISECOND
    is_before = whole == usual - MILLISECOND
    if usual == LONGEST_JITTERY_MS and np.count_nonzero(is_before) > np.count_nonzero(is_next):
        return usual + 0.5 * MILLISECOND  # 4 may be two steps of 2
    if not is_long.any():
        return longest
    is_clocks = usual == np.rint(usual) and float(np.mean(is_next[is_long])) > _MOST
    return usual + 1.5 * MILLISECOND if is_clocks and _are_the_clocks(is_next) else longest


def _are_the_clocks(chosen: npt.NDArray[np.bool_]) -> bool:
    """Whether the chosen steps are those that rounding makes longer or shorter than the others.

    Samples that are lost, or there twice, now and then make such steps as well: few of them, and
    not evenly.
    """
    n_chosen = int(np.count_nonzero(chosen))
    evenly = evenness(chosen)
    if unsteadiness(chosen) < _STEADY:
        return True
    if n_chosen >= max(_LEAST_LONG_STEPS, _NOT_FEW * len(chosen)):
        return evenly >= _EVENLY
    return n_chosen >= _LEAST_IF_FEW and evenly >= _EVENLY_IF_FEW


def _rate_of_distances(chosen: npt.NDArray[np.bool_], usual_ms: float, more_ms: float) -> float:
    """Return the rate by how far the chosen steps usually are from each other.

    Parameters
    ----------
    chosen : ndarray of bool, shape (N,)
        Which steps are longer or shorter than the usual one; three at least.
    usual_ms : float
        The usual step in ms, 1 or 2.
    more_ms : float
        By how much a chosen step is longer; negative where it is shorter.
    """
    distances = np.diff(np.flatnonzero(chosen))
    counts = np.bincount(distances, minlength=3)
    shorter = int(np.argmax(counts[:-1] + counts[1:]))
    distance = float(distances[(distances == shorter) | (distances == shorter + 1)].mean())
    total_ms = usual_ms * distance + more_ms
    return 1000.0 * distance / total_ms if total_ms > 0 else float("nan")


def _may_be_the_clocks(chosen: npt.NDArray[np.bool_]) -> bool:
    """Whether rounding may have made the chosen steps: there are few, or many come evenly."""
    n_chosen = int(np.count_nonzero(chosen))
    if 0 < n_chosen < _LEAST_IF_FEW or evenness(chosen) > _MAY_BE_EVEN:
        return True
    return unsteadiness(chosen) < _MAY_BE_STEADY


def _all_twice(steps: Floats) -> bool:
    """Whether every second step is 0: rows may be there twice."""
    is_repeat = steps == 0
    return float(np.mean(is_repeat[1:] != is_repeat[:-1])) > 1.0 - _IN_DOUBT


def _rate_within(steps: Floats, longest_ms: float, *, repeats: bool) -> float:
    """Return the rate of the steps that are short enough, with those of 0 or without them.

    Parameters
    ----------
    steps : ndarray of float64, shape (N,)
        Milliseconds from each sample to the next, none of them less than 0.
    longest_ms : float
        The shortest step that does not count.
    repeats : bool
        Whether steps of 0 count.
    """
    return _mean_rate(iter([steps if repeats else steps[steps > 0]]), longest_ms)


def _longest_span(steps: Floats) -> float:
    """Return which length of two steps together is that of no gap, in ms."""
    # Of whole milliseconds, two steps of 600 Hz are 3 or 4.
    rounded = MILLISECOND if is_whole(steps) else 0.0
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
    if is_whole(steps) and np.rint(longer - shorter) <= MILLISECOND:
        return False  # rounding makes both sizes
    spans = before + after
    usual = float(np.median(spans))
    # Steps that are long where samples are missing add up to no even spans.
    even = np.abs(spans - usual) < (_LONGEST_SPAN - 1.0) * usual
    return float(np.mean(even)) > _MOST


def _known(rate_hz: float) -> float | None:
    """Return a rate, or None: times without end, or next to no time apart, are no clock's."""
    return rate_hz if np.isfinite(rate_hz) else None


def _mean_rate(parts: Iterator[Floats], longest_ms: float) -> float:
    """Return how many lengths of time of those that are short enough fit into a second.

    It is infinite where they are too short to count, and NaN where there are none.
    """
    total_ms = 0.0
    count = 0
    for lengths in parts:
        usual = lengths[lengths < longest_ms]
        total_ms += float(usual.sum())
        count += len(usual)
    if not total_ms:
        return float("nan")
    return 1000.0 * count / total_ms


def _first_steps(times: pa.ChunkedArray) -> Floats:
    """Return the first steps that do not go back: what is ordinary, without filling the memory."""
    first: list[Floats] = [np.empty(0)]
    n_first = 0
    for steps in _steps(times, 0.0):
        first.append(steps)
        n_first += len(steps)
        if n_first > _ENOUGH_STEPS:
            break
    return np.concatenate(first)


def _steps(times: pa.ChunkedArray, least_ms: float) -> Iterator[Floats]:
    """Yield the steps between times that are long enough, chunk by chunk.

    Parameters
    ----------
    times : pyarrow.ChunkedArray
        Times of samples in milliseconds.
    least_ms : float
        The shortest step that counts.
    """
    last = np.empty(0)  # the last time of the chunk before: steps reach across chunks
    for chunk in times.chunks:
        t = np.concatenate([last, chunk.to_numpy()])
        last = t[-1:]
        steps = np.diff(t)
        yield steps[steps >= least_ms]


def _spans(times: pa.ChunkedArray) -> Iterator[Floats]:
    """Yield the lengths of two steps together, chunk by chunk."""
    last = np.empty(0)
    for chunk in _steps(times, _SHORTEST):
        steps = np.concatenate([last, chunk])
        last = steps[-1:]
        yield steps[1:] + steps[:-1]
