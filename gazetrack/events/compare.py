"""How well two tables of fixations agree: of two detectors, or of a tracker and a human coder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError
from gazetrack.events.agreement import Intervals, event_agreement, kappa

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    Times = npt.NDArray[np.float64]

MIN_IOU = 0.5
_PERIODS = ("trial", "stimulus")


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Return the fixation tables of several recordings as one."""
    import pyarrow as pa

    return pa.concat_tables(tables).unify_dictionaries()


def compare_fixations(reference: pa.Table, other: pa.Table) -> list[dict[str, Any]]:
    """Compare the fixations of two tables, by recording, trial and stimulus.

    Parameters
    ----------
    reference, other : pyarrow.Table
        Schema `FIXATIONS`. Recordings are matched by name, or, where either table has a single one,
        without; trials and stimuli by name where both tables name any. Eyes are compared with their
        like, or with fixations of both eyes.

    Returns
    -------
    list of dict
        A row per recording, trial, stimulus and pair of eyes: numbers of fixations (``reference``,
        ``other``), ``matched`` by largest overlap, ``f1``, ``f1_iou`` (pairs that overlap by half
        of their union), ``onset_error_ms`` and ``offset_error_ms`` (mean absolute, of the matched),
        and ``kappa`` of the time from the first onset of either table to the last offset. In a
        trial that one table lacks, and where it is empty, no fixation of the other is matched;
        `left_out` tells of recordings. Where fixations of a table overlap, one ends as the next
        begins; of those with one onset the longest counts.

    Raises
    ------
    DataError
        The tables have no recording in common.
    """
    ours, theirs = _comparable(reference, other)
    common, _ = _recordings(ours, theirs)
    if not common and len(ours) and len(theirs):
        raise DataError(
            "the tables have no recording in common", hint="give tables of the same recordings"
        )
    keys = ["recording", *_named_periods(ours, theirs)]
    our_parts = dict(iter(ours.groupby(keys, sort=False)))
    their_parts = dict(iter(theirs.groupby(keys, sort=False)))
    nothing = ours.iloc[:0]
    rows = []
    for key in dict.fromkeys([*our_parts, *their_parts]):
        names = [str(name) for name in key]
        if names[0] not in common:
            continue
        period = {"recording": "", "trial": "", "stimulus": ""}
        period |= dict(zip(keys, names, strict=True))
        pairs = _eyes(our_parts.get(key, nothing), their_parts.get(key, nothing))
        rows += [period | {"eyes": eyes} | _agreement(a, b) for eyes, a, b in pairs]
    return rows


def left_out(reference: pa.Table, other: pa.Table) -> list[str]:
    """Return the names of the recordings that only one of the tables has.

    `compare_fixations` leaves them out.
    """
    return _recordings(*_comparable(reference, other))[1]


def taken_for_one(reference: pa.Table, other: pa.Table) -> tuple[str, str] | None:
    """Return the names of the only recording of either table where they differ, else None.

    `compare_fixations` compares the two all the same.
    """
    ours = _names(_countable(reference))
    theirs = _names(_countable(other))
    if len(ours) == len(theirs) == 1 and ours != theirs:
        return ours[0], theirs[0]
    return None


def overall(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what rows of `compare_fixations` say together.

    Counts are added up, F1 is that of all fixations, and all else is the mean over the rows that
    have it.
    """
    facts: dict[str, Any] = {"rows": len(rows)}
    for name in ("reference", "other", "matched", "matched_iou"):
        facts[name] = sum(row[name] for row in rows)
    total = facts["reference"] + facts["other"]
    facts["f1"] = 2 * facts["matched"] / total if total else 1.0
    facts["f1_iou"] = 2 * facts["matched_iou"] / total if total else 1.0
    for name in ("kappa", "onset_error_ms", "offset_error_ms"):
        values = [row[name] for row in rows if np.isfinite(row[name])]
        facts[name] = float(np.mean(values)) if values else float("nan")
    return facts


def _comparable(reference: pa.Table, other: pa.Table) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the fixations of both tables; the only recording of each goes by the same name."""
    ours = _countable(reference)
    theirs = _countable(other)
    our_names = _names(ours)
    if len(our_names) == len(_names(theirs)) == 1:
        theirs = theirs.assign(recording=our_names[0])
    return ours, theirs


def _countable(table: pa.Table) -> pd.DataFrame:
    """Return the fixations that have a time, with the time at which each ends.

    Where a fixation was does not matter here: exports without positions are compared as well.
    """
    texts = ["recording", *_PERIODS, "eye"]
    frame: pd.DataFrame = table.select([*texts, "onset_ms", "duration_ms"]).to_pandas()
    frame = frame.astype(dict.fromkeys(texts, str))
    frame = frame[np.isfinite(frame["onset_ms"]) & (frame["duration_ms"] > 0)]
    return frame.assign(end_ms=frame["onset_ms"] + frame["duration_ms"])


def _names(frame: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(frame["recording"]))


def _recordings(ours: pd.DataFrame, theirs: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the recordings to compare, and those to leave out."""
    our_names = _names(ours)
    their_names = _names(theirs)
    if not our_names or not their_names:
        return our_names or their_names, []
    common = [name for name in our_names if name in set(their_names)]
    either = dict.fromkeys([*our_names, *their_names])
    return common, [name for name in either if name not in common]


def _named_periods(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    """Return which of trial and stimulus both tables name; an empty table does not say."""
    return [
        name
        for name in _PERIODS
        if all(frame.empty or frame[name].any() for frame in (ours, theirs))
    ]


def _eyes(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[tuple[str, Intervals, Intervals]]:
    """Return the pairs of eyes to compare: the same ones, or else either with both together."""
    a = {str(eye): _intervals(rows) for eye, rows in ours.groupby("eye")}
    b = {str(eye): _intervals(rows) for eye, rows in theirs.groupby("eye")}
    same = [(eye, a[eye], b[eye]) for eye in a if eye in b]
    if same:
        return same
    if "both" in a or "both" in b:
        combined = [(f"{i}, {j}", a[i], b[j]) for i in a for j in b]
        if combined:
            return combined
    nothing = _intervals(ours.iloc[:0])
    return [(eye, a.get(eye, nothing), b.get(eye, nothing)) for eye in (*a, *b)]


def _intervals(rows: pd.DataFrame) -> Intervals:
    """Return the fixations as intervals that do not overlap: each ends when the next begins."""
    rows = rows.sort_values(["onset_ms", "end_ms"], kind="stable")
    starts = rows["onset_ms"].to_numpy(np.float64)
    ends = rows["end_ms"].to_numpy(np.float64)
    ends = np.minimum(ends, np.append(starts[1:], np.inf))
    is_left = ends > starts  # of those with one onset the last, which is the longest
    return Intervals(starts[is_left], ends[is_left])


def _agreement(a: Intervals, b: Intervals) -> dict[str, Any]:
    by_overlap = event_agreement(a, b)
    by_iou = event_agreement(a, b, MIN_IOU)
    # Kappa of all moments, without sampling time: between two neighbouring edges neither coding
    # changes, so that one label stands for the whole span.
    edges = np.unique(np.concatenate([*a, *b]))
    spans = np.diff(edges)
    middles = edges[:-1] + spans / 2
    return {
        "reference": by_overlap.reference,
        "other": by_overlap.other,
        "matched": by_overlap.matched,
        "matched_iou": by_iou.matched,
        "f1": by_overlap.f1,
        "f1_iou": by_iou.f1,
        "kappa": kappa(_is_within(middles, a), _is_within(middles, b), weights=spans),
        "onset_error_ms": by_overlap.onset_error,
        "offset_error_ms": by_overlap.offset_error,
    }


def _is_within(times: Times, intervals: Intervals) -> npt.NDArray[np.bool_]:
    at = np.searchsorted(intervals.starts, times, side="right") - 1
    ends = np.append(intervals.ends, -np.inf)  # index -1, before the first one, is no event
    return np.asarray(times < ends[at])
