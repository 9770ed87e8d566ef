"""Tobii Pro Lab: messages, and the fixations, saccades and gaps that its filter found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from gazetrack.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from gazetrack.readers._tables import Columns

_KINDS = {
    "Fixation": "fixation",
    "Saccade": "saccade",
    "Unclassified": "unclassified",
    "EyesNotFound": "eyes_not_found",
    "EyesNotFoundMovement": "eyes_not_found",
}
_SEVERAL = 10


class EventFacts(NamedTuple):
    """What the rows of the export say, one element per row."""

    table: Columns
    recording: npt.NDArray[np.object_]
    stimulus: npt.NDArray[np.object_]
    t: npt.NDArray[np.floating]
    gaze: dict[str, npt.NDArray[np.floating]]
    is_sample: npt.NDArray[np.bool_]
    is_message: npt.NDArray[np.bool_]


def events_table(facts: EventFacts, notes: list[str]) -> pa.Table:
    """Return messages and eye movements, in the order of the file.

    Parameters
    ----------
    facts : EventFacts
        The rows of the export.
    notes : list of str
        Receives what had to be inferred.
    """
    both = pd.concat([_messages(facts), _movements(facts, notes)]).sort_values("row", kind="stable")
    return conform({name: both[name].to_numpy() for name in both if name != "row"}, EVENTS)


def _messages(facts: EventFacts) -> pd.DataFrame:
    rows = np.flatnonzero(facts.is_message)
    values = facts.table.text("event_value")[rows]
    texts = [f"{text} {value}".strip() for text, value in zip(facts.table.text("event")[rows], values, strict=True)]
    messages = pd.DataFrame(
        {
            "row": rows,
            "recording": facts.recording[rows],
            "participant": facts.table.text("participant")[rows],
            "stimulus": facts.stimulus[rows],
            "trial": facts.table.text("timeline")[rows],
            "kind": "message",
            "eye": "",
            "onset_ms": facts.t[rows],
            "duration_ms": 0.0,
            "text": np.array(texts, object),
            **dict.fromkeys(("x_px", "y_px", "end_x_px", "end_y_px", "pupil"), np.nan),
        }
    )
    index = messages.groupby(["recording", "trial"], sort=False).cumcount() + 1
    return messages.assign(index=index.astype(np.int32))


def _movements(facts: EventFacts, notes: list[str]) -> pd.DataFrame:
    """Return one row per eye movement: its first sample, with the export's own duration and position."""
    table = facts.table
    samples = pd.DataFrame(
        {
            "row": np.arange(table.n_rows),
            "recording": facts.recording,
            "participant": table.text("participant"),
            "stimulus": facts.stimulus,
            "trial": table.text("timeline"),
            "kind": pd.Series(table.text("event_type")).map(_KINDS).to_numpy(object),
            "number": _exported_numbers(table),
            "onset_ms": facts.t,
            "duration_ms": table.number("duration").astype(np.float64),
            "x_px": table.number("fixation_x"),
            "y_px": table.number("fixation_y"),
            "gaze_x": facts.gaze["x"],
            "gaze_y": facts.gaze["y"],
            "pupil": _pupil(facts.gaze),
            "filter": table.text("filter"),
        }
    )[facts.is_sample]
    samples = samples[samples["kind"].notna()]
    keys = ["recording", "trial", "kind", "number"]
    numbered = bool({"event_index", "fixation_index", "saccade_index"} & set(table.found))
    samples["number"] = _numbers(samples, keys, numbered, notes)
    groups = samples.groupby(keys, sort=False)
    events = groups.first().reset_index()
    events["n"] = groups.size().to_numpy()
    events["pupil"] = groups["pupil"].mean().to_numpy()
    _fill(events, groups, samples, notes)
    events = _without_raw(events, notes)
    if not numbered or (events["number"] < 0).any():
        events["number"] = events.groupby(["recording", "trial", "kind"], sort=False).cumcount() + 1
    return events.assign(index=events["number"].astype(np.int32), eye="both", text="").drop(
        columns=["number", "gaze_x", "gaze_y", "filter", "n"]
    )


def _exported_numbers(table: Columns) -> npt.NDArray[np.floating]:
    """Return the export's number of each row's movement; Studio 3 counts fixations and saccades in two columns."""
    if "event_index" in table.found:
        return table.number("event_index")
    fixation, saccade = table.number("fixation_index"), table.number("saccade_index")
    return np.where(table.text("event_type") == "Fixation", fixation, saccade)


def _numbers(samples: pd.DataFrame, keys: list[str], exported: bool, notes: list[str]) -> pd.Series:
    """Return which movement of its kind each sample belongs to: as exported, else by runs of one kind.

    A run without exported numbers gets one that no exported number is: minus its place in the file.
    """
    runs = samples[keys[:-1]].ne(samples[keys[:-1]].shift()).any(axis=1).cumsum()
    missing = samples["number"].isna()
    if not exported or missing.all():
        return -runs
    if not missing.any():
        return samples["number"]
    notes.append(f"{int(missing.sum())} samples without an eye movement index: they belong to the movement around them")
    # Within a run of one kind a missing number is that of the last sample with one, else of the next.
    by_run = samples["number"].groupby(runs)
    return by_run.ffill().fillna(by_run.bfill()).fillna(-runs)


def _pupil(gaze: dict[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.floating]:
    left, right = gaze["left_pupil"], gaze["right_pupil"]
    both = (left + right) / 2
    return np.where(np.isnan(both), np.where(np.isnan(left), right, left), both)


def _fill(events: pd.DataFrame, groups: Any, samples: pd.DataFrame, notes: list[str]) -> None:
    """Take from the samples what the export does not state."""
    fixations = (events["kind"] == "fixation").to_numpy()
    saccades = (events["kind"] == "saccade").to_numpy()
    for axis in "xy":
        stated = events[f"{axis}_px"].to_numpy(np.float64)
        mean = groups[f"gaze_{axis}"].mean().to_numpy(np.float64)
        start = np.where(saccades, groups[f"gaze_{axis}"].first(), np.nan)
        absent = fixations & np.isnan(stated)
        events[f"{axis}_px"] = np.where(fixations, np.where(absent, mean, stated), start)
        events[f"end_{axis}_px"] = np.where(saccades, groups[f"gaze_{axis}"].last(), np.nan)
        if axis == "x" and absent.any():
            notes.append(f"{int(absent.sum())} fixations without a position: mean of their samples")
    steps = samples["onset_ms"].diff()
    step = float(np.nan_to_num(steps[steps > 0].median()))
    length = (groups["onset_ms"].last() - groups["onset_ms"].first()).to_numpy(np.float64) + step
    unknown = events["duration_ms"].isna().to_numpy()
    if unknown.any():
        notes.append(f"{int(unknown.sum())} eye movements without a duration: last - first + one sample")
    events["duration_ms"] = np.where(unknown, length, events["duration_ms"])
    _mend_cut(events, length, 1.5 * step, notes)


def _mend_cut(events: pd.DataFrame, length: npt.NDArray[np.float64], slack: float, notes: list[str]) -> None:
    """Move the movements that the start of an excerpt cuts: with their whole duration they would overlap the next.

    Their end is known, so they begin their duration before it, or last as long as their samples where even that
    would overlap.
    """
    onsets = events.groupby("recording")["onset_ms"]
    end = events["onset_ms"] + length
    cut = events["onset_ms"] + events["duration_ms"] > onsets.shift(-1) + slack
    if not cut.any():
        return
    earlier = end - events["duration_ms"]
    movable = cut & ~(earlier < onsets.shift(1))
    events["onset_ms"] = events["onset_ms"].mask(movable, earlier)
    events["duration_ms"] = events["duration_ms"].mask(cut & ~movable, length)
    for rows, what in ((movable, "begin before their first sample"), (cut & ~movable, "last as long as their samples")):
        if rows.any():
            notes.append(f"{int(rows.sum())} eye movements reach beyond the start of the next: they {what}")


def _without_raw(events: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Leave out the fixations of the filter ``Raw``, which calls every valid sample one."""
    fixations = events["kind"] == "fixation"
    raw = fixations & (events["filter"].str.casefold().str.startswith("raw"))
    unnamed = fixations & (events["filter"] == "")
    if unnamed.sum() >= _SEVERAL and (events.loc[unnamed, "n"] == 1).all():
        raw |= unnamed
    if raw.any():
        notes.append(f"{int(raw.sum())} one-sample fixations of the filter Raw are no fixations: left out")
    return events[~raw]
