"""What the time stamps of gaze say: duration, rates, jitter, loss and gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.data_quality.gaze import Gaze
from gazetrack.tables.rates import (
    longest_step,
    rate_of_steps,
    repeats_are_samples,
)
from gazetrack.tables.whole_ms import evened_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_NAN = float("nan")


def sampling(gaze: Gaze) -> dict[str, float]:
    """Return the measures of sampling, under the names of the schema `QUALITY`.

    The rate is measured from the ordinary steps, since some exports state a wrong one. Expected
    samples are those of that rate; samples of one time count as one, but where whole milliseconds
    at more than 1000 Hz make them so. A gap is the time between two
    known samples less one step, or the time before the first or after the last.

    Parameters
    ----------
    gaze : Gaze
        Of one period with one sampling rate; see `sampling_at_rates` for several.

    Returns
    -------
    dict of str to float
        Measures that are not known, as all are without samples, are NaN.
    """
    known = np.isfinite(gaze.x)
    duration = _duration(gaze)
    steps = gaze.all_steps_ms
    # As everywhere else where a rate is measured; two eyes that take turns have theirs.
    rate = rate_of_steps(steps) or _NAN
    gaps = _gaps(gaze, known)
    return {
        "onset_ms": float(gaze.t_ms[0]) if gaze.t_ms.size else _NAN,
        "duration_ms": duration,
        "n_samples": gaze.t_ms.size,
        "rate_hz": rate,
        "effective_rate_hz": 1000 * float(known.sum()) / duration if duration else _NAN,
        "jitter_ms": _jitter(gaze),
        "loss": float(1 - known.mean()) if known.size else _NAN,
        "loss_expected": _loss_expected(gaze, known, duration, rate),
        "n_gaps": gaps.size,
        "longest_gap_ms": float(gaps.max(initial=0.0)),
        "gaps_ms": float(gaps.sum()),
    }


def sampling_at_rates(gaze: Gaze, starts_ms: Sequence[float]) -> dict[str, float]:
    """Return what `sampling` does, for gaze whose sampling rate changes.

    Each stretch has a step and a number of expected samples of its own.

    Parameters
    ----------
    gaze : Gaze
        The gaze of one period, which may span several rates.
    starts_ms : sequence of float
        The times from which on another rate holds, ascending.

    Returns
    -------
    dict of str to float
        Rates are means over time; jitter is that of all steps against those of their own rate.
    """
    which = np.searchsorted(np.asarray(starts_ms), gaze.t_ms, side="right")
    parts = []
    for number in np.unique(which):
        is_in = which == number
        stretch = Gaze(gaze.t_ms[is_in], gaze.x[is_in], gaze.y[is_in], gaze.piece[is_in])
        facts = sampling(stretch)
        if facts["duration_ms"] > 0 and np.isfinite(facts["rate_hz"]):
            parts.append(facts)
    if len(parts) < 2:
        return sampling(gaze)
    of = {name: np.array([part[name] for part in parts]) for name in parts[0]}
    duration = of["duration_ms"]
    samples = of["n_samples"]
    expected = duration / 1000 * of["rate_hz"]
    with_gaze = of["effective_rate_hz"] * duration
    variance = (of["jitter_ms"] ** 2 * samples).sum() / samples.sum()
    return {
        "onset_ms": float(of["onset_ms"].min()),
        "duration_ms": float(duration.sum()),
        "n_samples": int(samples.sum()),
        "rate_hz": float(1000 * expected.sum() / duration.sum()),
        "effective_rate_hz": float(with_gaze.sum() / duration.sum()),
        "jitter_ms": float(np.sqrt(variance)),
        "loss": float((of["loss"] * samples).sum() / samples.sum()),
        "loss_expected": float((of["loss_expected"] * expected).sum() / expected.sum()),
        "n_gaps": int(of["n_gaps"].sum()),
        "longest_gap_ms": float(of["longest_gap_ms"].max()),
        "gaps_ms": float(of["gaps_ms"].sum()),
    }


def _first_and_last(gaze: Gaze) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the indices of the first and of the last sample of each piece."""
    firsts = gaze.piece_starts
    lasts = np.append(firsts[1:], gaze.t_ms.size) - 1 if firsts.size else firsts
    return firsts, lasts


def _duration(gaze: Gaze) -> float:
    """Return how long the pieces last together, in ms; the last sample of each lasts one step."""
    firsts, lasts = _first_and_last(gaze)
    return float((gaze.t_ms[lasts] - gaze.t_ms[firsts] + gaze.usual_step_ms).sum())


def _evened(gaze: Gaze) -> Floats:
    """Return the steps of the gaze without the jitter of whole milliseconds."""
    steps = gaze.all_steps_ms
    return evened_steps(steps) if steps.any() else steps


def _longest(gaze: Gaze) -> float:
    """Return which step is the shortest that misses samples, in ms; there is a step forward."""
    evened = _evened(gaze)
    return longest_step(evened[evened > 0])


def _jitter(gaze: Gaze) -> float:
    """Return the standard deviation of the ordinary steps as they are, in ms."""
    steps = gaze.steps_ms
    if not steps.size:
        return _NAN
    ordinary = steps[steps < _longest(gaze)]
    return float(ordinary.std()) if ordinary.size else _NAN


def _loss_expected(
    gaze: Gaze, known: npt.NDArray[np.bool_], duration_ms: float, rate_hz: float
) -> float:
    """Return the share of the samples expected at this rate that lack gaze or are not there."""
    if not duration_ms:
        return _NAN
    if repeats_are_samples(_evened(gaze)):
        return 1 - float(known.sum()) / (duration_ms / 1000 * rate_hz)
    is_new_time = np.diff(gaze.t_ms[known], prepend=-np.inf) != 0
    is_new_piece = np.diff(gaze.piece[known], prepend=-1) != 0
    n_different = float((is_new_time | is_new_piece).sum())
    return 1 - n_different / (duration_ms / 1000 * rate_hz)


def _gaps(gaze: Gaze, known: npt.NDArray[np.bool_]) -> Floats:
    """Return the lengths in ms of the stretches without gaze.

    Known samples, each one step long, cut every piece into stretches; those that are shorter than
    half a step are the jitter of the clock, or what whole milliseconds make of its step.
    """
    step = gaze.usual_step_ms
    if not step:
        return np.zeros(0)
    lengths = []
    for first, last in zip(*_first_and_last(gaze), strict=True):
        piece = slice(first, last + 1)
        t = gaze.t_ms[piece][known[piece]]
        begins = np.append(gaze.t_ms[first], t + step)
        ends = np.append(t, gaze.t_ms[last] + step)
        lengths.append(ends - begins)
    length = np.concatenate(lengths)
    return np.asarray(length[length >= _longest(gaze) - step])
