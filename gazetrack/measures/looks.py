"""Looks at areas of interest, one by one: from when until when each fixation was in which area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.measures.aois import OUTSIDE
from gazetrack.measures.transitions import states
from gazetrack.measures.trials import KEYS

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.measures.aois import Aoi
    from gazetrack.measures.hits import AllHits, Hits
    from gazetrack.measures.trials import Trials

    Floats = npt.NDArray[np.float64]

LOOKS = [*KEYS, "trial_ms", "aoi", "fixation", "begin_ms", "end_ms"]
LABELS = [*KEYS, "begin_ms", "end_ms", "x_px", "y_px", "aoi"]
NEVER = -1  # the number of the fixation that an area never got
_ROUNDING_MS = 1e-6


def looks_of(trials: Trials, hits: AllHits) -> pd.DataFrame:
    """Return a row for each fixation and area that it lies in.

    Parameters
    ----------
    trials : Trials
        The trials of one table, and their fixations.
    hits : AllHits
        Which of the fixations lie in which areas.

    Returns
    -------
    pandas.DataFrame
        ``recording``, ``participant``, ``trial``, ``stimulus``, ``trial_ms`` (its length), ``aoi``,
        ``fixation`` (its number within the trial from 0), ``begin_ms`` and ``end_ms`` (from the
        start of the trial, while the area was there), in the order of trials and of time. A
        fixation in no area has a row of ``(outside)``; an area that was never looked at in a trial
        has a row with NaN and the number -1, so that no trial and no area is missing.
    """
    tables = [_on_stimulus(one) for one in hits.by_stimulus]
    if not tables:
        return pd.DataFrame(columns=LOOKS)
    found = pd.concat(tables, ignore_index=True)
    order = np.lexsort((found["number"], found["fixation"], found["row"]))
    found = found.iloc[order].reset_index(drop=True)
    mine = trials.frame.iloc[found["row"].to_numpy(np.intp)].reset_index(drop=True)
    lasts = (mine["end_ms"] - mine["start_ms"]).astype(np.float64)
    columns = {name: mine[name] for name in KEYS} | {"trial_ms": lasts}
    return pd.DataFrame(columns).join(found[["aoi", "fixation", "begin_ms", "end_ms"]])


def labels_of(trials: Trials, hits: AllHits) -> pd.DataFrame:
    """Return a row for each fixation on a stimulus with areas, and the one area that it is in.

    Parameters
    ----------
    trials, hits
        As for `looks_of`: the trials of one table, and which fixations lie in which areas.

    Returns
    -------
    pandas.DataFrame
        ``recording``, ``participant``, ``trial``, ``stimulus``, ``begin_ms`` and ``end_ms`` from
        the start of the trial, ``x_px``, ``y_px`` and ``aoi``: of areas that overlap the smallest,
        ``(outside)`` in none.
    """
    names = np.full(len(trials.fixations), "", object)
    known = np.zeros(len(names), np.bool_)
    for one in hits.by_stimulus:
        names[one.places] = np.array([*one.aois.names, OUTSIDE], object)[states(one)]
        known[one.places] = True
    fixations = trials.fixations.assign(aoi=names)[known]
    rows = trials.frame.iloc[fixations["row"]][KEYS].reset_index(drop=True)
    return rows.join(fixations[LABELS[len(KEYS) :]].reset_index(drop=True))


def _on_stimulus(hits: Hits) -> pd.DataFrame:
    """Return the looks on one stimulus, each with the row of its trial."""
    n_trials = len(hits.rows)
    counts = np.bincount(hits.trial, minlength=n_trials)
    first = np.cumsum(counts) - counts
    number_in_trial = np.arange(len(hits.trial)) - first[hits.trial]
    parts: list[pd.DataFrame] = []
    for number, aoi in enumerate(hits.aois.aois):
        at, begin, end = _times(aoi, hits, hits.in_aoi_ms[number])
        looked = np.zeros(n_trials, np.bool_)
        looked[hits.trial[at]] = True
        never = np.flatnonzero(~looked)
        nothing = np.full(len(never), np.nan)
        columns = {
            "row": hits.rows[np.concatenate([hits.trial[at], never])],
            "number": number,
            "aoi": aoi.name,
            "fixation": np.concatenate([number_in_trial[at], np.full(len(never), NEVER)]),
            "begin_ms": np.concatenate([begin, nothing]),
            "end_ms": np.concatenate([end, nothing]),
        }
        parts.append(pd.DataFrame(columns))
    outside = np.flatnonzero(~(hits.in_aoi_ms > 0).any(axis=0))
    beside = {
        "row": hits.rows[hits.trial[outside]],
        "number": len(hits.aois.aois),
        "aoi": OUTSIDE,
        "fixation": number_in_trial[outside],
        "begin_ms": hits.begin_ms[outside],
        "end_ms": hits.end_ms[outside],
    }
    return pd.concat([*parts, pd.DataFrame(beside)], ignore_index=True)


def _times(aoi: Aoi, hits: Hits, in_aoi_ms: Floats) -> tuple[npt.NDArray[np.intp], Floats, Floats]:
    """Return which fixations lie in an area, and from when until when while it is there."""
    places, begins, ends = [], [], []
    # Of a fixation on an area that moves, the hits say how long it lay in it, over all its places:
    # those places are taken, in their order, that make up this time.
    left_ms = in_aoi_ms.copy()
    for onset, offset in aoi.windows:
        begin = np.maximum(hits.begin_ms, onset)
        end = np.minimum(hits.end_ms, offset)
        shared = end - begin
        at = np.flatnonzero((shared > 0) & (left_ms >= shared - _ROUNDING_MS))
        left_ms[at] -= shared[at]
        places.append(at)
        begins.append(begin[at])
        ends.append(end[at])
    return np.concatenate(places), np.concatenate(begins), np.concatenate(ends)
