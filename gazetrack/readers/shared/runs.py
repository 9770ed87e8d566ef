"""Eye movements as runs of samples that a tracker or a tool labelled alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating]


def movements(
    kinds: npt.NDArray[np.object_],
    t: Floats,
    x: Floats,
    y: Floats,
    begins: npt.NDArray[np.bool_] | None = None,
) -> dict[str, npt.NDArray[np.generic]]:
    """Return the runs of samples of one kind as columns of `schema.EVENTS`.

    Parameters
    ----------
    kinds : ndarray of str, shape (n,)
        The kind of event each sample belongs to; empty for none.
    t : ndarray, shape (n,)
        Times of the samples in ms.
    x, y : ndarray, shape (n,)
        Positions in px, NaN where the gaze is lost.
    begins : ndarray of bool, shape (n,), optional
        Samples that begin a run though the one before is of the same kind.

    Returns
    -------
    dict of str to ndarray
        One element per run: ``kind``, ``index``, ``onset_ms``, ``duration_ms`` (last - first + one
        ordinary step), ``x_px`` and ``y_px`` (the mean; for saccades the start, with the end beside
        it), and ``first`` and ``last``, the rows of the samples at either end.
    """
    if not t.size:
        first = last = np.empty(0, np.intp)
    else:
        is_first = np.r_[True, kinds[1:] != kinds[:-1]]
        if begins is not None:
            is_first |= begins
        first = np.flatnonzero(is_first)
        last = np.r_[first[1:], t.size] - 1
    kind = kinds[first]
    is_saccade = kind == "saccade"
    runs: dict[str, npt.NDArray[np.generic]] = {
        "kind": kind,
        "index": _numbered(kind),
        "onset_ms": t[first],
        # The last sample lasts until the next one.
        "duration_ms": np.maximum(t[last] - t[first], 0) + _ordinary_step(t),
        "first": first,
        "last": last,
    }
    for axis, values in (("x", x), ("y", y)):
        means = _means(values, first, last)
        runs[f"{axis}_px"] = np.where(is_saccade, values[first], means)
        runs[f"end_{axis}_px"] = np.where(is_saccade, values[last], np.nan)
    kept = kind != ""
    return {name: column[kept] for name, column in runs.items()}


def _ordinary_step(t: Floats) -> float:
    """Return the usual time between two samples, ms; 0 where no time goes forward."""
    steps = np.diff(t)
    forward = steps[steps > 0]
    return float(np.median(forward)) if forward.size else 0.0


def _numbered(kind: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
    """Count from 1 within each kind."""
    numbers = np.zeros(kind.size, np.int32)
    for name in set(kind):
        numbers[kind == name] = np.arange(1, np.count_nonzero(kind == name) + 1)
    return numbers


def _means(values: Floats, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]) -> Floats:
    """Return the mean of each run without its missing values, NaN where all are."""
    is_known = np.isfinite(values)
    known = np.where(is_known, values, 0.0).astype(np.float64)
    # Running sums: those of a run are the difference between its two ends.
    sums = np.r_[0, np.cumsum(known)]
    counts = np.r_[0, np.cumsum(is_known)]
    sum_of_run = sums[last + 1] - sums[first]
    n_of_run = counts[last + 1] - counts[first]
    return np.where(n_of_run, sum_of_run / np.maximum(n_of_run, 1), np.nan)
