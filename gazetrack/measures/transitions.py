"""From area to area: transition matrices, and how orderly gaze goes through them.

Every fixation is in one state: the smallest of the areas that it lies in, or outside. Consecutive
fixations in one area are transitions to itself. The entropies are those of

    Krejtz, Duchowski, Szmidt, Krejtz, González Perilli, Pires, Vilaro & Villalobos (2015). Gaze
    transition entropy. ACM Transactions on Applied Perception 13(1), 4. doi:10.1145/2834121

    Ht = -sum_i pi_i sum_j p_ij log2 p_ij        Hs = -sum_i pi_i log2 pi_i

where p are the shares of the transitions from i that go to j, and pi is the stationary distribution
of that chain. Short trials often have none: a state that was reached last and never left says
nothing of where gaze goes from it. So beside these, under names that begin with ``fixation_``, pi
is the share of fixations in each state, as in

    Shiferaw, Downey & Crewther (2019). A review of gaze entropy as a measure of visual scanning
    efficiency. Neuroscience & Biobehavioral Reviews 96, 353-366.
    doi:10.1016/j.neubiorev.2018.12.007
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.trials import KEYS
from gazetrack.tables.schema import AOI_ENTROPY, AOI_TRANSITIONS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.measures.hits import AllHits, Hits
    from gazetrack.measures.trials import Trials

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

WITHOUT_OUTSIDE = "aois"
WITH_OUTSIDE = "aois+outside"


def states(hits: Hits) -> Places:
    """Return the one area that each fixation is in.

    Parameters
    ----------
    hits : Hits
        The fixations on one stimulus, N of them, and its A areas.

    Returns
    -------
    ndarray of int, shape (N,)
        The number of the area, 0 to A - 1; of several the one with the smallest area in px², of
        equal ones the first; A where it lies in none.
    """
    area = hits.area_px2
    found = np.full(hits.in_aoi_ms.shape[1], len(area), np.intp)
    # The largest first: smaller ones take their place.
    for number in np.lexsort((-np.arange(len(area)), -area)):
        found[hits.in_aoi_ms[number] > 0] = number
    return found


def transitions(trials: Trials, hits: AllHits) -> tuple[pa.Table, pa.Table]:
    """Count the transitions of every trial, and say how orderly they are.

    Parameters
    ----------
    trials : Trials
        The trials of one table, and their fixations.
    hits : AllHits
        Which of the fixations lie in which areas.

    Returns
    -------
    pyarrow.Table, pyarrow.Table
        Schemas `AOI_TRANSITIONS`, a row per pair of states that occurs, and `AOI_ENTROPY`, two rows
        per trial: with and without outside as a state. Entropies without a transition are NaN.
    """
    pairs: list[dict[str, Any]] = []
    entropies: list[dict[str, Any]] = []
    found = [(row, one, number) for one in hits.by_stimulus for number, row in enumerate(one.rows)]
    own_states = {id(one): states(one) for one in hits.by_stimulus}
    keys = trials.frame[KEYS].to_dict("records")
    for row, one, number in sorted(found, key=lambda each: int(each[0])):
        names = (*one.aois.names, OUTSIDE)
        first, end = np.searchsorted(one.trial, [number, number + 1])
        sequence = own_states[id(one)][first:end]
        outside = len(names) - 1
        for kind, seen, n_states in (
            (WITHOUT_OUTSIDE, sequence[sequence != outside], outside),
            (WITH_OUTSIDE, sequence, outside + 1),
        ):
            counts = counted(seen, n_states)
            trial = {**keys[row], "states": kind}
            pairs += _pairs(trial, counts, names)
            shares = np.bincount(seen, minlength=n_states) / max(len(seen), 1)
            entropies.append(
                {
                    **trial,
                    "n_states": n_states,
                    "fixations": len(seen),
                    "transitions": int(counts.sum()),
                    **_entropies(counts, stationary(counts), ""),
                    **_entropies(counts, shares, "fixation_"),
                }
            )
    return _table(pairs, AOI_TRANSITIONS), _table(entropies, AOI_ENTROPY)


def counted(sequence: Places, n_states: int) -> npt.NDArray[np.int64]:
    """Count the transitions of a sequence of states.

    Parameters
    ----------
    sequence : ndarray of int, shape (N,)
        The state of each fixation, 0 to `n_states` - 1, in the order of time.
    n_states : int
        Number of all states, S.

    Returns
    -------
    ndarray of int64, shape (S, S)
        From row to column.
    """
    pairs = sequence[:-1] * n_states + sequence[1:]
    return np.bincount(pairs, minlength=n_states * n_states).reshape(n_states, n_states)


def stationary(counts: npt.NDArray[np.int64]) -> Floats:
    """Return the stationary distribution of the chain that transitions were counted of.

    Parameters
    ----------
    counts : ndarray of int64, shape (S, S)
        Transitions from row to column.

    Returns
    -------
    ndarray of float64, shape (S,)
        The pi with pi P = pi and sum 1; NaN where there is none or more than one: a state was
        reached and never left, or gaze can end in either of two groups of states.
    """
    nothing = np.full(len(counts), np.nan)
    leaving = counts.sum(axis=1)
    visited = np.flatnonzero(leaving + counts.sum(axis=0))
    if not len(visited) or (leaving[visited] == 0).any():
        return nothing
    probability = counts[np.ix_(visited, visited)] / leaving[visited, None]
    reaches = (probability > 0) | np.eye(len(visited), dtype=np.bool_)
    for _ in range(len(visited).bit_length()):
        reaches = reaches @ reaches
    # Gaze returns to a state for ever where it can come back from wherever it can get to.
    is_recurrent = ~(reaches & ~reaches.T).any(axis=1)
    if not reaches[np.ix_(is_recurrent, is_recurrent)].all():
        return nothing
    # pi (P - 1) = 0 and sum(pi) = 1, one equation more than unknowns, all of which hold.
    n = len(visited)
    equations = np.vstack([probability.T - np.eye(n), np.ones(n)])
    solved, *_ = np.linalg.lstsq(equations, np.append(np.zeros(n), 1.0), rcond=None)
    found = np.zeros(len(counts))
    found[visited] = np.clip(solved, 0.0, None)
    return np.asarray(found / found.sum(), np.float64)


def _entropies(counts: npt.NDArray[np.int64], pi: Floats, which: str) -> dict[str, float]:
    """Return both entropies of a distribution over the states, in bits and as shares."""
    n_states = len(counts)
    leaving = counts.sum(axis=1, keepdims=True)
    probability = np.divide(counts, leaving, out=np.zeros(counts.shape), where=leaving > 0)
    transition = stationary_bits = np.nan
    if counts.sum() and np.isfinite(pi).all():
        transition = float(-(pi @ _times_log(probability).sum(axis=1))) + 0.0
        stationary_bits = float(-_times_log(pi).sum()) + 0.0
    most = np.log2(n_states) if n_states > 1 else np.nan
    return {
        f"{which}transition_entropy_bits": transition,
        f"{which}transition_entropy_share": transition / most,
        f"{which}stationary_entropy_bits": stationary_bits,
        f"{which}stationary_entropy_share": stationary_bits / most,
    }


def _times_log(p: Floats) -> Floats:
    """Return p log2 p, which is 0 where p is."""
    return np.asarray(p * np.log2(np.where(p > 0, p, 1.0)), np.float64)


def _pairs(
    trial: dict[str, Any], counts: npt.NDArray[np.int64], names: tuple[str, ...]
) -> list[dict[str, Any]]:
    leaving = counts.sum(axis=1)
    return [
        {
            **trial,
            "from_aoi": names[here],
            "to_aoi": names[there],
            "transitions": int(counts[here, there]),
            "probability": float(counts[here, there] / leaving[here]),
        }
        for here, there in zip(*np.nonzero(counts), strict=True)
    ]


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    names = list(rows[0]) if rows else []
    return conform({name: [row[name] for row in rows] for name in names}, schema)
