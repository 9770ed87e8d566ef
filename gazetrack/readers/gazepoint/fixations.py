"""Gazepoint: the fixations, each of which the export states once more with every sample.

Source: "Open Gaze API", Gazepoint: ``FPOGID`` numbers the fixations of a showing of a medium,
``FPOGD`` and the position are those so far, ``FPOGV`` says whether it is a fixation yet.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

MOST_INDEX = 2**31 - 1
# A fixation is a number within the showing of a medium.
_KEY = ["showing", "index"]
_OF_FIXATIONS = (
    "showing",
    "index",
    "stimulus",
    "onset_ms",
    "duration_ms",
    "x_px",
    "y_px",
    "valid",
    "pupil",
    "pupils",
)


def fixations_so_far(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per fixation number, as its last valid row states it.

    That is the row that knows most: mean and length grow with every sample. ``pupil`` becomes the
    sum of ``pupils`` sizes, so that parts can be joined.
    """
    # The saccade after a fixation has its number still, but is none of it.
    of_fixations = rows.assign(pupil=rows["pupil"].where(rows["valid"]))
    pupils = of_fixations.groupby(_KEY, sort=False)["pupil"].agg(["sum", "count"])
    pupils.columns = pd.Index(["pupil", "pupils"])
    return _last_valid(rows).drop(columns="pupil").join(pupils, on=_KEY)


def _last_valid(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the last valid row of each fixation number, in the order of the rows.

    A number without a valid row keeps its last one.
    """
    valid = rows["valid"].to_numpy(np.bool_)
    showing = rows["showing"].to_numpy(np.int64)
    index = rows["index"].to_numpy(np.int64)
    # One integer for showing and number, which is faster to look up than a pair.
    key = showing * (MOST_INDEX + 1) + index
    never_valid = ~np.isin(key, np.unique(key[valid]))
    counts = valid | never_valid
    last = counts.copy()
    last[counts] = ~pd.Series(key[counts]).duplicated(keep="last").to_numpy()
    return rows[last]


def joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return a row per fixation number of all parts, those that go on in the next part once."""
    nothing = pd.DataFrame({name: [] for name in _OF_FIXATIONS})
    rows = pd.concat(parts, ignore_index=True) if parts else nothing
    sums = rows.groupby(_KEY, sort=False)[["pupil", "pupils"]].sum()
    found = _last_valid(rows).drop(columns=["pupil", "pupils"]).join(sums, on=_KEY)
    found["pupil"] = (found["pupil"] / found["pupils"]).where(found["pupils"] > 0)
    return found


def usable(fixations: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Return the valid fixations with a place and a duration; the others are noted."""
    valid = fixations[fixations["valid"]]
    never = len(fixations) - len(valid)
    if never:
        notes.append(f"{never} fixation numbers are never valid (FPOGV): no fixations")
    placed = valid[["onset_ms", "x_px", "y_px"]].notna().all(axis=1)
    is_usable = placed & (valid["duration_ms"] > 0)
    unusable = int((~is_usable).sum())
    if unusable:
        notes.append(f"{unusable} fixations without a duration, onset or position: left out")
    return valid[is_usable]


def named(fixations: pd.DataFrame, names: dict[str, list[str]]) -> dict[str, Any]:
    """Return the columns of fixations, with texts for their codes."""
    showing = fixations["showing"].to_numpy(np.int64)
    stimulus = fixations["stimulus"].to_numpy(np.int64)
    recordings = np.array(names["recording"], object)
    # One showing alone is one recording, whatever its number.
    recording = showing if len(recordings) > 1 else np.zeros_like(showing)
    columns: dict[str, Any] = {
        "recording": recordings[recording],
        "trial": np.array(names["trial"], object)[showing],
        "stimulus": np.array(names["stimulus"], object)[stimulus],
        "eye": "both",
    }
    for name in ("index", "onset_ms", "duration_ms", "x_px", "y_px", "pupil"):
        columns[name] = fixations[name].to_numpy()
    return columns
