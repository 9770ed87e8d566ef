"""How well two codings of the same eye movements agree: sample by sample, and event by event.

Events are half-open intervals. Matching is one to one; see Startsev & Zemblys (2022), Evaluating
eye movement event detection: a review of the state of the art, Behavior Research Methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Labels = npt.NDArray[np.bool_]
    Times = npt.NDArray[np.float64]


class Intervals(NamedTuple):
    """Events of one coder.

    Parameters
    ----------
    starts, ends : ndarray of float64, shape (N,)
        Half-open intervals in temporal order, which do not overlap each other; any unit of time.
    """

    starts: Times
    ends: Times


class EventAgreement(NamedTuple):
    """How two codings agree as events.

    Parameters
    ----------
    matched, reference, other : int
        Number of matched pairs, and of events in either coding.
    onset_error, offset_error : float
        Mean absolute difference, other - reference, over the pairs, in the intervals' unit; NaN
        without pairs.
    """

    matched: int
    reference: int
    other: int
    onset_error: float
    offset_error: float

    @property
    def f1(self) -> float:
        """2 x matched / (events of both); 1 when neither coding has any."""
        total = self.reference + self.other
        return 2 * self.matched / total if total else 1.0


def kappa(a: Labels, b: Labels, weights: Times | None = None) -> float:
    """Return Cohen's kappa of two binary labels of the same samples.

    Parameters
    ----------
    a, b : ndarray of bool, shape (N,)
        Whether each sample belongs to an event.
    weights : ndarray of float64, shape (N,), optional
        How much each counts, such as the time it stands for; all the same by default.

    Returns
    -------
    float
        1 for equal labels, 0 for chance; NaN without samples.
    """
    if a.size == 0:
        return float("nan")
    observed, p, q = (float(np.average(labels, weights=weights)) for labels in (a == b, a, b))
    chance = p * q + (1 - p) * (1 - q)
    return (observed - chance) / (1 - chance) if chance < 1 else 1.0


def match(reference: Intervals, other: Intervals, min_iou: float = 0.0) -> list[tuple[int, int]]:
    """Pair events one to one, the best pairs first.

    Parameters
    ----------
    reference, other : Intervals
        The two codings.
    min_iou : float
        0: pairs are ranked by their overlap in time. Above: by intersection over union, which must
        reach it.

    Returns
    -------
    list of (int, int)
        Indices into `reference` and `other`, in temporal order.
    """
    first = np.searchsorted(other.ends, reference.starts, side="right")
    last = np.searchsorted(other.starts, reference.ends, side="left")
    counts = np.maximum(last - first, 0)
    i = np.repeat(np.arange(len(reference.starts)), counts)
    j = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
    overlap = np.minimum(reference.ends[i], other.ends[j]) - np.maximum(
        reference.starts[i], other.starts[j]
    )
    union = np.maximum(reference.ends[i], other.ends[j]) - np.minimum(
        reference.starts[i], other.starts[j]
    )
    score = overlap / union if min_iou > 0 else overlap
    taken: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for k in np.argsort(-score, kind="stable"):
        a, b = int(i[k]), int(j[k])
        if score[k] < min_iou or overlap[k] <= 0:
            continue
        if a not in taken[0] and b not in taken[1]:
            taken[0].add(a)
            taken[1].add(b)
            pairs.append((a, b))
    return sorted(pairs)


def event_agreement(reference: Intervals, other: Intervals, min_iou: float = 0.0) -> EventAgreement:
    """Match two codings and count.

    Parameters
    ----------
    reference, other, min_iou
        As in `match`.

    Returns
    -------
    EventAgreement
    """
    pairs = match(reference, other, min_iou)
    a, b = (np.array(side, np.int64) for side in (zip(*pairs, strict=True) if pairs else ((), ())))
    errors = [
        float(np.mean(np.abs(theirs[b] - ours[a]))) if pairs else float("nan")
        for ours, theirs in zip(reference, other, strict=True)
    ]
    return EventAgreement(len(pairs), len(reference.starts), len(other.starts), *errors)


def intervals_of(labels: Labels) -> Intervals:
    """Return the runs of true labels, in samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], labels, [False]]).astype(np.int8)))
    return Intervals(edges[::2].astype(np.float64), edges[1::2].astype(np.float64))
