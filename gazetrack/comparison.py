"""How well two tables of fixations agree, such as those of two detectors, of a tracker and of a human coder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import DataError
from gazetrack.events.agreement import Intervals, event_agreement, kappa

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    Times = npt.NDArray[np.float64]

GRID_MS = 1.0
MIN_IOU = 0.5
_KEYS = ["recording", "trial"]


def compare_fixations(reference: pa.Table, other: pa.Table) -> list[dict[str, Any]]:
    """Compare the fixations of two tables, recording by recording and trial by trial.

    Parameters
    ----------
    reference, other : pyarrow.Table
        Schema `FIXATIONS`. Recordings are matched by name, or, where either table has a single one, without; trials by
        name where both tables name any. Eyes are compared with their like, or with fixations of both eyes.

    Returns
    -------
    list of dict
        A row per recording, trial and pair of eyes: numbers of fixations (``reference``, ``other``), ``matched`` by
        largest overlap, ``f1``, ``f1_iou`` (pairs that overlap by half of their union), ``onset_error_ms`` and
        ``offset_error_ms`` (mean absolute, of the matched), and ``kappa`` of a grid of `GRID_MS` from the first onset
        of either table to the last offset. In a trial that one table lacks, no fixation of the other is matched.

    Raises
    ------
    DataError
        The tables have no recording in common.
    """
    a, b = (_with_ends(table) for table in (reference, other))
    names, others = list(dict.fromkeys(a["recording"])), set(b["recording"])
    if len(names) == len(others) == 1:
        b["recording"], others = names[0], set(names)
    common = [name for name in names if name in others]
    if not common:
        raise DataError("the tables have no recording in common", hint="give tables of the same recordings")
    if not (a["trial"].any() and b["trial"].any()):
        a["trial"] = b["trial"] = ""
    rows = []
    for name in common:
        ours, theirs = (frame[frame["recording"] == name] for frame in (a, b))
        for trial in dict.fromkeys([*ours["trial"], *theirs["trial"]]):
            mine, yours = (frame[frame["trial"] == trial] for frame in (ours, theirs))
            rows += [
                {"recording": name, "trial": trial, "eyes": eyes} | _agreement(i, j)
                for eyes, i, j in _eyes(mine, yours)
            ]
    return rows


def overall(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return sums of the counts, F1 over all fixations, and the means of all else over the rows that have it."""
    counts = {name: sum(row[name] for row in rows) for name in ("reference", "other", "matched", "matched_iou")}
    total = counts["reference"] + counts["other"]
    means = {}
    for name in ("kappa", "onset_error_ms", "offset_error_ms"):
        values = [row[name] for row in rows if np.isfinite(row[name])]
        means[name] = float(np.mean(values)) if values else float("nan")
    f1 = {f"f1{end}": 2 * counts[f"matched{end}"] / total if total else 1.0 for end in ("", "_iou")}
    return {"rows": len(rows)} | counts | f1 | means


def _with_ends(table: pa.Table) -> pd.DataFrame:
    names = ["recording", "trial", "eye", "onset_ms", "duration_ms"]
    frame: pd.DataFrame = table.select(names).to_pandas().astype(dict.fromkeys(names[:3], str))
    frame = frame[np.isfinite(frame["onset_ms"]) & (frame["duration_ms"] > 0)]
    frame = frame.assign(end_ms=frame["onset_ms"] + frame["duration_ms"])
    return frame.sort_values("onset_ms", kind="stable")


def _eyes(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[str, Intervals, Intervals]]:
    ours, theirs = ({str(eye): _intervals(rows) for eye, rows in frame.groupby("eye")} for frame in (a, b))
    none = _intervals(a.iloc[:0])
    pairs = [(eye, ours[eye], theirs[eye]) for eye in ours if eye in theirs]
    if not pairs and "both" in (*ours, *theirs):
        pairs = [(f"{i}, {j}", ours[i], theirs[j]) for i in ours for j in theirs]
    if not pairs:
        pairs = [(eye, ours.get(eye, none), theirs.get(eye, none)) for eye in (*ours, *theirs)]
    return pairs


def _intervals(rows: pd.DataFrame) -> Intervals:
    """Return the fixations as intervals that do not overlap: where an export's do, one ends as the next begins."""
    starts, ends = rows["onset_ms"].to_numpy(np.float64), rows["end_ms"].to_numpy(np.float64)
    return Intervals(starts, np.minimum(ends, np.append(starts[1:], np.inf)))


def _agreement(a: Intervals, b: Intervals) -> dict[str, Any]:
    found, strict = event_agreement(a, b), event_agreement(a, b, MIN_IOU)
    first = min(*a.starts[:1], *b.starts[:1], np.inf, np.inf)
    last = max(*a.ends[-1:], *b.ends[-1:], -np.inf, -np.inf)
    grid = np.arange(first + GRID_MS / 2, last, GRID_MS) if last > first else np.zeros(0)
    return {
        "reference": found.reference,
        "other": found.other,
        "matched": found.matched,
        "matched_iou": strict.matched,
        "f1": found.f1,
        "f1_iou": strict.f1,
        "kappa": kappa(_within(grid, a), _within(grid, b)),
        "onset_error_ms": found.onset_error,
        "offset_error_ms": found.offset_error,
    }


def _within(times: Times, intervals: Intervals) -> npt.NDArray[np.bool_]:
    at = np.searchsorted(intervals.starts, times, side="right") - 1
    ends = np.append(intervals.ends, -np.inf)  # index -1, before the first one, is no event
    return np.asarray(times < ends[at])
