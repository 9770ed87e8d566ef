"""How well two codings of the same eye movements agree: sample by sample, and event by event.

Events are half-open intervals. Matching is one to one; see Startsev & Zemblys (2022), Evaluating
eye movement event detection: a review of the state of the art, Behavior Research Methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.events.base import runs_of

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
    matched : int
        Number of pairs of an event of either coding that were matched.
    reference, other : int
        Number of all events of the reference, and of the other coding.
    onset_error, offset_error : float
        Mean absolute difference between the onsets, or the offsets, of matched events, in the
        intervals' unit of time; NaN without pairs.
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
        How much each sample counts, such as the time it stands for; all the same by default.

    Returns
    -------
    float
        1 for equal labels, 0 for chance; NaN without samples.
    """
    if a.size == 0:
        return float("nan")
    observed = float(np.average(a == b, weights=weights))
    share_a = float(np.average(a, weights=weights))
    share_b = float(np.average(b, weights=weights))
    chance = share_a * share_b + (1 - share_a) * (1 - share_b)
    return (observed - chance) / (1 - chance) if chance < 1 else 1.0


def match(reference: Intervals, other: Intervals, min_iou: float = 0.0) -> list[tuple[int, int]]:
    """Pair events one to one, the best pairs first.

    Parameters
    ----------
    reference, other : Intervals
        The two codings of one recording, in the same unit of time.
    min_iou : float
        With 0, pairs are ranked by their overlap in time. With a larger number, they are ranked by
        intersection over union, which must reach this number.

    Returns
    -------
    list of (int, int)
        Indices into `reference` and `other`, in temporal order.
    """
    i, j = _overlapping_pairs(reference, other)
    latest_start = np.maximum(reference.starts[i], other.starts[j])
    earliest_end = np.minimum(reference.ends[i], other.ends[j])
    overlap = earliest_end - latest_start
    if min_iou > 0:
        earliest_start = np.minimum(reference.starts[i], other.starts[j])
        latest_end = np.maximum(reference.ends[i], other.ends[j])
        score = overlap / (latest_end - earliest_start)
    else:
        score = overlap
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for k in np.argsort(-score, kind="stable"):
        ours = int(i[k])
        theirs = int(j[k])
        if score[k] < min_iou or overlap[k] <= 0:
            continue
        if ours not in matched and theirs not in taken:
            matched[ours] = theirs
            taken.add(theirs)
    return sorted(matched.items())


def _overlapping_pairs(
    reference: Intervals, other: Intervals
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the indices of all pairs of events that overlap, without a loop over events.

    The events of `other` that overlap one of `reference` are neighbours, since none of a coding
    overlap each other: a first one and a number of them.
    """
    first = np.searchsorted(other.ends, reference.starts, side="right")
    after_last = np.searchsorted(other.starts, reference.ends, side="left")
    counts = np.maximum(after_last - first, 0)
    i = np.repeat(np.arange(len(reference.starts)), counts)
    first_pair = np.cumsum(counts) - counts  # of each event of the reference
    j = np.arange(counts.sum()) + np.repeat(first - first_pair, counts)
    return i, j


def event_agreement(reference: Intervals, other: Intervals, min_iou: float = 0.0) -> EventAgreement:
    """Match two codings, and say how well they agree.

    Parameters
    ----------
    reference, other : Intervals
        The two codings of one recording, in the same unit of time.
    min_iou : float
        The intersection over union that pairs must reach, see `match`.

    Returns
    -------
    EventAgreement
        Counts of events and pairs, and the mean errors of the pairs' onsets and offsets.
    """
    pairs = match(reference, other, min_iou)
    i = [ours for ours, _ in pairs]
    j = [theirs for _, theirs in pairs]
    onset_error = offset_error = float("nan")
    if pairs:
        onset_error = float(np.mean(np.abs(other.starts[j] - reference.starts[i])))
        offset_error = float(np.mean(np.abs(other.ends[j] - reference.ends[i])))
    return EventAgreement(
        matched=len(pairs),
        reference=len(reference.starts),
        other=len(other.starts),
        onset_error=onset_error,
        offset_error=offset_error,
    )


def intervals_of(labels: Labels) -> Intervals:
    """Return the runs of true labels [N] as intervals, in samples."""
    starts, ends = runs_of(labels)
    return Intervals(starts.astype(np.float64), ends.astype(np.float64))
