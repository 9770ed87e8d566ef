"""How well two tables of fixations agree, such as those of two detectors, of a tracker and of a human coder."""

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
    """Compare the fixations of two tables, trial by trial and stimulus by stimulus of each recording.

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
    a, b = (_with_ends(table) for table in (reference, other))
    common, _ = _recordings(a, b)
    if not common and len(a) and len(b):
        raise DataError(
            "the tables have no recording in common", hint="give tables of the same recordings"
        )
    named = [name for name in _PERIODS if all(frame.empty or frame[name].any() for frame in (a, b))]
    keys = ["recording", *named]
    parts = [dict(iter(frame.groupby(keys, sort=False))) for frame in (a, b)]
    rows = []
    for key in dict.fromkeys([*parts[0], *parts[1]]):
        if key[0] in common:
            mine, yours = (part.get(key, a.iloc[:0]) for part in parts)
            period = {"recording": "", "trial": "", "stimulus": ""} | dict(
                zip(keys, key, strict=True)
            )
            rows += [
                period | {"eyes": eyes} | _agreement(i, j) for eyes, i, j in _eyes(mine, yours)
            ]
    return rows


def left_out(reference: pa.Table, other: pa.Table) -> list[str]:
    """Return the names of the recordings that one of the tables lacks: `compare_fixations` leaves them out."""
    return _recordings(_with_ends(reference), _with_ends(other))[1]


def taken_for_one(reference: pa.Table, other: pa.Table) -> tuple[str, str] | None:
    """Return the names of the only recordings of both tables where they differ: they are compared all the same."""
    ours, theirs = (
        list(dict.fromkeys(_with_ends(table)["recording"])) for table in (reference, other)
    )
    return (ours[0], theirs[0]) if len(ours) == len(theirs) == 1 and ours != theirs else None


def _recordings(a: pd.DataFrame, b: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the recordings to compare and those to leave out; where each table has one, they get the same name."""
    ours, theirs = (list(dict.fromkeys(frame["recording"])) for frame in (a, b))
    if len(ours) == len(theirs) == 1:
        b["recording"], theirs = ours[0], ours
    if not (ours and theirs):
        return ours or theirs, []
    common = [name for name in ours if name in set(theirs)]
    return common, [name for name in dict.fromkeys([*ours, *theirs]) if name not in common]


def overall(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return sums of the counts, F1 over all fixations, and the means of all else over the rows that have it."""
    counts = {
        name: sum(row[name] for row in rows)
        for name in ("reference", "other", "matched", "matched_iou")
    }
    total = counts["reference"] + counts["other"]
    means = {}
    for name in ("kappa", "onset_error_ms", "offset_error_ms"):
        values = [row[name] for row in rows if np.isfinite(row[name])]
        means[name] = float(np.mean(values)) if values else float("nan")
    f1 = {f"f1{end}": 2 * counts[f"matched{end}"] / total if total else 1.0 for end in ("", "_iou")}
    return {"rows": len(rows)} | counts | f1 | means


def _with_ends(table: pa.Table) -> pd.DataFrame:
    texts = ["recording", *_PERIODS, "eye"]
    frame: pd.DataFrame = (
        table.select([*texts, "onset_ms", "duration_ms"])
        .to_pandas()
        .astype(dict.fromkeys(texts, str))
    )
    frame = frame[np.isfinite(frame["onset_ms"]) & (frame["duration_ms"] > 0)]
    return frame.assign(end_ms=frame["onset_ms"] + frame["duration_ms"])


def _eyes(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[str, Intervals, Intervals]]:
    ours, theirs = (
        {str(eye): _intervals(rows) for eye, rows in frame.groupby("eye")} for frame in (a, b)
    )
    none = _intervals(a.iloc[:0])
    pairs = [(eye, ours[eye], theirs[eye]) for eye in ours if eye in theirs]
    if not pairs and "both" in (*ours, *theirs):
        pairs = [(f"{i}, {j}", ours[i], theirs[j]) for i in ours for j in theirs]
    if not pairs:
        pairs = [(eye, ours.get(eye, none), theirs.get(eye, none)) for eye in (*ours, *theirs)]
    return pairs


def _intervals(rows: pd.DataFrame) -> Intervals:
    """Return the fixations as intervals that do not overlap."""
    rows = rows.sort_values(["onset_ms", "end_ms"], kind="stable")
    starts, ends = rows["onset_ms"].to_numpy(np.float64), rows["end_ms"].to_numpy(np.float64)
    ends = np.minimum(ends, np.append(starts[1:], np.inf))
    lasting = ends > starts
    return Intervals(starts[lasting], ends[lasting])


def _agreement(a: Intervals, b: Intervals) -> dict[str, Any]:
    found, strict = event_agreement(a, b), event_agreement(a, b, MIN_IOU)
    edges = np.unique(np.concatenate([*a, *b]))  # between two of them, neither coding changes
    spans = np.diff(edges)
    mine, yours = (_within(edges[:-1] + spans / 2, intervals) for intervals in (a, b))
    return {
        "reference": found.reference,
        "other": found.other,
        "matched": found.matched,
        "matched_iou": strict.matched,
        "f1": found.f1,
        "f1_iou": strict.f1,
        "kappa": kappa(mine, yours, spans),
        "onset_error_ms": found.onset_error,
        "offset_error_ms": found.offset_error,
    }


def _within(times: Times, intervals: Intervals) -> npt.NDArray[np.bool_]:
    at = np.searchsorted(intervals.starts, times, side="right") - 1
    ends = np.append(intervals.ends, -np.inf)  # index -1, before the first one, is no event
    return np.asarray(times < ends[at])
