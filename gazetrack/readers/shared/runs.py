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
        Times in ms.
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
    changes = np.r_[True, kinds[1:] != kinds[:-1]][: t.size]
    first = np.flatnonzero(changes if begins is None else changes | begins)
    last = np.r_[first[1:], t.size][: first.size] - 1
    steps = np.diff(t)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    kind = kinds[first]
    saccade = kind == "saccade"
    runs: dict[str, npt.NDArray[np.generic]] = {
        "kind": kind,
        "index": _numbered(kind),
        "onset_ms": t[first],
        "duration_ms": np.maximum(t[last] - t[first], 0) + step,
        "first": first,
        "last": last,
    }
    for axis, values in (("x", x), ("y", y)):
        runs[f"{axis}_px"] = np.where(saccade, values[first], _means(values, first, last))
        runs[f"end_{axis}_px"] = np.where(saccade, values[last], np.nan)
    kept = kind != ""
    return {name: column[kept] for name, column in runs.items()}


def _numbered(kind: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
    """Count from 1 within each kind."""
    numbers = np.zeros(kind.size, np.int32)
    for name in set(kind):
        numbers[kind == name] = np.arange(1, np.count_nonzero(kind == name) + 1)
    return numbers


def _means(values: Floats, first: npt.NDArray[np.intp], last: npt.NDArray[np.intp]) -> Floats:
    """Return the mean of each run without its missing values, NaN where all are."""
    known = np.isfinite(values)
    sums, counts = (
        np.r_[0, np.cumsum(a)] for a in (np.where(known, values, 0.0).astype(np.float64), known)
    )
    count = counts[last + 1] - counts[first]
    return np.where(count, (sums[last + 1] - sums[first]) / np.maximum(count, 1), np.nan)
