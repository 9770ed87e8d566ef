"""How long, how often and when areas of interest were looked at: one row a trial and area.

Times are milliseconds from the start of the trial. A *visit* is a run of consecutive fixations in
an area: what ends it is a fixation outside, not the time between two fixations, unless a longest
gap is asked for. Fixations without a position count as not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.measures.trials import KEYS
from gazetrack.tables.schema import AOI_MEASURES, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from gazetrack.measures.hits import AllHits, Hits
    from gazetrack.measures.trials import Trials

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]


def aoi_measures(trials: Trials, hits: AllHits, *, max_gap_ms: float = np.inf) -> pa.Table:
    """Measure the looks at all areas in all trials.

    Parameters
    ----------
    trials : Trials
        The trials of one table, and their fixations.
    hits : AllHits
        Which of the fixations lie in which areas.
    max_gap_ms : float
        A visit also ends where more than this lies between two fixations, in milliseconds.

    Returns
    -------
    pyarrow.Table
        Schema `AOI_MEASURES`: a row per trial and area of its stimulus, in the order of the trials,
        also of trials without any fixation and of areas that nobody looked at.
    """
    tables = [_measured(trials.frame, one, max_gap_ms) for one in hits.by_stimulus]
    if not tables:
        return conform({}, AOI_MEASURES)
    rows = np.concatenate([np.repeat(one.rows, len(one.aois.aois)) for one in hits.by_stimulus])
    joined = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    order = np.argsort(rows, kind="stable")
    return conform({name: values[order] for name, values in joined.items()}, AOI_MEASURES)


def visit_starts(hits: Hits, max_gap_ms: float = np.inf) -> npt.NDArray[np.bool_]:
    """Return which fixations begin a visit.

    Parameters
    ----------
    hits : Hits
        The fixations on one stimulus, N of them, and its A areas.
    max_gap_ms : float
        The longest time between two fixations of one visit, in milliseconds.

    Returns
    -------
    ndarray of bool, shape (A, N)
    """
    inside = hits.in_aoi_ms > 0
    goes_on = np.zeros(inside.shape[1], np.bool_)
    same_trial = hits.trial[1:] == hits.trial[:-1]
    goes_on[1:] = same_trial & (hits.begin_ms[1:] - hits.end_ms[:-1] <= max_gap_ms)
    before = np.zeros_like(inside)
    before[:, 1:] = inside[:, :-1]
    return np.asarray(inside & ~(before & goes_on), np.bool_)


def _measured(frame: pd.DataFrame, hits: Hits, max_gap_ms: float) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of one stimulus: trial after trial, and within it area after area."""
    n_trials = len(hits.rows)
    mine = frame.iloc[hits.rows]
    trial_ms = (mine["end_ms"] - mine["start_ms"]).to_numpy(np.float64)
    by_trial = _ByTrial(hits.trial, n_trials)
    lasts = hits.end_ms - hits.begin_ms
    fixation_ms = by_trial.sums(lasts[None, :])[0]
    n_fixations = by_trial.sums(np.ones((1, len(lasts))))[0]
    looks = _looks(hits, by_trial, max_gap_ms)
    appears, leaves, available = _availability(hits, trial_ms)
    never = looks["fixations"] == 0
    # Who never looked could do so until the area went for good, or the trial ended; where nobody
    # knows how long that was, for no time at all.
    exposed_ms = np.nan_to_num(np.maximum(leaves - appears, 0.0), nan=0.0)
    # A fixation that the area appears under has found it at once.
    waited_ms = np.maximum(looks["first_entry_ms"] - appears, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        columns: dict[str, Floats] = {
            **looks,
            "dwell_share_of_fixation_time": looks["dwell_ms"] / fixation_ms,
            "dwell_share_of_trial": looks["dwell_ms"] / trial_ms,
            "fixation_share": looks["fixations"] / n_fixations,
            "mean_fixation_ms": looks["dwell_ms"] / looks["fixations"],
            "available_ms": available,
            "area_share": hits.reach,
            "time_to_first_fixation_ms": waited_ms,
            "censored": never,
            "observed_ms": np.where(never, exposed_ms, waited_ms),
        }
    of_trials = {
        **{name: mine[name].to_numpy(object) for name in (*KEYS, "window")},
        "trial_onset_ms": mine["start_ms"].to_numpy(np.float64),
        "trial_ms": trial_ms,
        "trial_fixations": n_fixations.astype(np.int32),
        "trial_fixation_ms": fixation_ms,
    }
    n_aois = len(hits.area_px2)
    names = np.array(hits.aois.names, object)
    return {
        **{name: np.repeat(values, n_aois) for name, values in of_trials.items()},
        "aoi": np.tile(names, n_trials),
        **{name: values.T.ravel() for name, values in columns.items()},
    }


def _looks(hits: Hits, by_trial: _ByTrial, max_gap_ms: float) -> dict[str, Floats]:
    """Return what the fixations themselves say, each [A, T]; times from the start of the trial."""
    inside = hits.in_aoi_ms > 0
    starts = visit_starts(hits, max_gap_ms)
    n_before = np.cumsum(starts, axis=1)
    # How many visits there were before this trial began, to number those within it.
    first = by_trial.firsts
    before_trial: Places = n_before[:, first] - starts[:, first]
    number: Places = n_before - np.repeat(before_trial, by_trial.lengths, axis=1)
    in_first_visit = inside & (number == 1)
    visits = by_trial.sums(starts)
    # Of a visit that the trial begins with nobody saw the entry.
    unseen = by_trial.spread(starts[:, first])
    nothing = np.nan
    begin = np.where(inside, hits.begin_ms, nothing)
    end = np.where(inside, hits.end_ms, nothing)
    order = np.arange(inside.shape[1]) - np.repeat(first, by_trial.lengths) + 1.0
    rank = np.where(inside, order, nothing)
    first_number = by_trial.least(rank)
    is_first = rank == np.repeat(first_number[:, by_trial.filled], by_trial.lengths, axis=1)
    seen = visits > 0
    return {
        "dwell_ms": by_trial.sums(hits.in_aoi_ms),
        "fixations": by_trial.sums(inside),
        "visits": visits,
        "entries": visits - unseen,
        "revisits": np.maximum(visits - 1, 0),
        "first_fixation_number": first_number,
        "first_fixation_ms": np.where(
            seen, by_trial.sums(np.where(is_first, hits.in_aoi_ms, 0.0)), nothing
        ),
        "first_visit_ms": np.where(
            seen, by_trial.sums(np.where(in_first_visit, hits.in_aoi_ms, 0.0)), nothing
        ),
        "first_visit_fixations": by_trial.sums(in_first_visit),
        "first_entry_ms": by_trial.least(begin),
        "first_exit_ms": by_trial.most(np.where(in_first_visit, end, nothing)),
        "last_entry_ms": by_trial.most(np.where(starts, begin, nothing)),
        "last_exit_ms": by_trial.most(end),
    }


def _availability(hits: Hits, trial_ms: Floats) -> tuple[Floats, Floats, Floats]:
    """Return when each area appears and goes, and how long it is there, each [A, T] in ms."""
    appears = np.zeros((len(hits.aois.aois), len(trial_ms)))
    leaves = np.zeros_like(appears)
    available = np.zeros_like(appears)
    for number, aoi in enumerate(hits.aois.aois):
        appears[number] = max(aoi.windows[0][0], 0.0)
        leaves[number] = np.minimum(max(offset for _, offset in aoi.windows), trial_ms)
        for onset, offset in aoi.windows:
            shared = np.minimum(offset, trial_ms) - max(onset, 0.0)
            available[number] += np.maximum(shared, 0.0)
    return appears, leaves, available


class _ByTrial:
    """Sums and extremes of [A, N] over the fixations of each trial, [A, T].

    Parameters
    ----------
    trial : ndarray of int, shape (N,)
        Which trial each fixation belongs to, in increasing order.
    n_trials : int
        Number of all trials, those without a fixation among them.
    """

    def __init__(self, trial: npt.NDArray[np.intp], n_trials: int) -> None:
        counts = np.bincount(trial, minlength=n_trials)
        self.n_trials = n_trials
        # `reduceat` knows no empty groups: those trials are filled in.
        self.filled = np.flatnonzero(counts)
        self.lengths = counts[self.filled]
        self.firsts = np.cumsum(self.lengths) - self.lengths

    def sums(self, values: npt.NDArray[Any]) -> Floats:
        """Return the sum in each trial; 0 without fixations."""
        return self.spread(self._reduced(np.add, values))

    def least(self, values: Floats) -> Floats:
        """Return the least number in each trial; NaN without any."""
        return self.spread(self._reduced(np.fmin, values), np.nan)

    def most(self, values: Floats) -> Floats:
        """Return the largest number in each trial; NaN without any."""
        return self.spread(self._reduced(np.fmax, values), np.nan)

    def spread(self, values: npt.NDArray[Any], missing: float = 0.0) -> Floats:
        """Return values of the trials with fixations as those of all trials."""
        found = np.full((values.shape[0], self.n_trials), missing)
        found[:, self.filled] = values
        return found

    def _reduced(self, function: np.ufunc, values: npt.NDArray[Any]) -> Floats:
        if not len(self.firsts):
            return np.empty((values.shape[0], 0))
        reduced: Floats = function.reduceat(values.astype(np.float64), self.firsts, axis=1)
        return reduced
