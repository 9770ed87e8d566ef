"""The fixations, saccades and blinks that a report tells of, and what each kind is like."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.events.fixations import fixation_table
from gazetrack.events.movements import MovementOptions, movement_table, tracker_movements
from gazetrack.tables.eyes import EYES
from gazetrack.tables.kinds import count_kinds
from gazetrack.tables.movements import DETECTED, TRACKER
from gazetrack.tables.placing import back_on_screen
from gazetrack.tables.selection import one_eye

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.reporting.options import ReportOptions

_OTHERS = ("saccade", "blink")
_TRIAL = ("recording", "trial", "stimulus")
# What is told of each kind, by the column it is the median of.
_MEDIANS = {
    "duration_ms": "median_ms",
    "amplitude_deg": "median_deg",
    "peak_velocity_deg_s": "median_peak_deg_s",
}


def fixations_of(
    recording: Recording, options: ReportOptions
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the fixations of a recording as `convert` takes them, and where they come from.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, of the eye that was chosen.
    options : ReportOptions
        Which detector is used, and what is done to the samples before.

    Returns
    -------
    pandas.DataFrame, dict
        The columns of `FIXATIONS`, positions on the screen wherever it is known where the image
        lay on it; and the facts of `fixation_table`.

    Raises
    ------
    GazetrackError
        There are none, and they cannot be detected.
    """
    chosen = (options.detector, options.preparation, options.eye)
    table, facts = fixation_table(recording, *chosen)
    placements = {name: asdict(one) for name, one in recording.placements.items()}
    table = back_on_screen(table, {"placement": placements})
    return table.to_pandas(), facts


def others_of(
    recording: Recording, options: ReportOptions, fixations: pd.DataFrame
) -> tuple[pd.DataFrame, str, list[str]]:
    """Return the saccades and blinks of a recording, of the eye whose fixations are shown.

    The tracker's own are taken where the export tells of saccades, as its own fixations are; else
    both are detected in the samples. Where a row of each eye was asked for, a blink is one row
    nevertheless: the eyes close together.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, of the eye that was chosen.
    options : ReportOptions
        Which detector is used, and what is done to the samples before.
    fixations : pandas.DataFrame
        The fixations that are shown, as `fixations_of` gives them.

    Returns
    -------
    pandas.DataFrame, str, list of str
        The columns of `MOVEMENTS`; who told of them, ``tracker`` or ``detected``, empty where
        nobody did; and notes for the user.
    """
    has_own = bool(count_kinds(recording.event_table).get("saccade"))
    notes: list[str] = []
    if has_own and options.detector is None:
        events: pd.DataFrame = tracker_movements(recording).to_pandas()
        events = events[events["kind"].isin(_OTHERS)]
        if options.eye == "both":
            return _blinks_once(events), TRACKER, notes
        return _of_the_eye_shown(events, fixations), TRACKER, notes
    if recording.sample_table is not None:
        asked = MovementOptions(
            source=DETECTED,
            detector=options.detector,
            preparation=options.preparation,
            eye=options.eye,
        )
        try:
            table, _, notes = movement_table(recording, asked)
        except (ConfigError, InputError, DataError) as error:
            return pd.DataFrame(columns=["kind"]), "", [f"no saccades: {error}"]
        frame: pd.DataFrame = table.to_pandas()
        return _blinks_once(frame[frame["kind"].isin(_OTHERS)]), DETECTED, notes
    return pd.DataFrame(columns=["kind"]), "", notes


def whose(others: pd.DataFrame) -> str:
    """Return whose saccades and blinks these are, such as ``right``; empty where there are none."""
    if not len(others):
        return ""
    eyes = set(others["eye"].astype(str)) - {""}
    if eyes >= {*EYES, "both"}:
        return "left and right, a blink of both counted once"
    return " and ".join(sorted(eyes))


def _of_the_eye_shown(events: pd.DataFrame, fixations: pd.DataFrame) -> pd.DataFrame:
    """Return the events of the eye whose fixations a trial shows, and of both eyes together.

    Of a trial without fixations those of the recording's eye. Where no fixations are of one eye,
    such as those in combined gaze, the eye is chosen by the events as it is by fixations.
    """
    names = events["eye"].astype(str)
    of_one = names.isin(EYES)
    shown = fixations[fixations["eye"].astype(str).isin(EYES)]
    in_trials = set(_keys(shown, "recording", "trial", "eye"))
    in_recordings = _mostly(shown)
    trials_told = set(_keys(shown, "recording", "trial"))
    recordings_told = set(_keys(shown, "recording"))
    is_of_trial = _are_in(events, in_trials, "recording", "trial", "eye")
    is_of_recording = _are_in(events, in_recordings, "recording", "eye")
    trial_is_told = _are_in(events, trials_told, "recording", "trial")
    is_told = _are_in(events, recordings_told, "recording")
    keep = np.where(trial_is_told, is_of_trial, is_of_recording) | ~of_one | ~is_told
    kept = events[keep]
    untold = ~is_told[keep]
    chosen = [kept[~untold]]
    for kind in _OTHERS:
        rows = kept[untold & (kept["kind"] == kind).to_numpy()]
        table = pa.Table.from_pandas(rows, preserve_index=False)
        chosen.append(one_eye(table)[0].to_pandas() if len(rows) else rows)
    return pd.concat([rows for rows in chosen if len(rows)] or [kept], ignore_index=True)


def _mostly(shown: pd.DataFrame) -> set[tuple[str, ...]]:
    """Return each recording with the eye that most of its fixations are of."""
    counts: dict[str, Counter[str]] = {}
    for recording, eye in _keys(shown, "recording", "eye"):
        counts.setdefault(recording, Counter())[eye] += 1
    return {(recording, found.most_common(1)[0][0]) for recording, found in counts.items()}


def _keys(frame: pd.DataFrame, *names: str) -> list[tuple[str, ...]]:
    return list(zip(*(frame[name].astype(str) for name in names), strict=True))


def _are_in(frame: pd.DataFrame, known: set[tuple[str, ...]], *names: str) -> npt.NDArray[np.bool_]:
    return np.array([key in known for key in _keys(frame, *names)], np.bool_)


def _blinks_once(events: pd.DataFrame) -> pd.DataFrame:
    """Return the events with blinks of either eye that overlap as one of both eyes."""
    is_blink = (events["kind"] == "blink").to_numpy()
    blinks = events[is_blink]
    if blinks["eye"].nunique() < 2:
        return events
    merged: list[dict[Any, Any]] = []
    for row in blinks.sort_values(["recording", "trial", "onset_ms"]).to_dict("records"):
        last = merged[-1] if merged else None
        is_same = last is not None and all(last[name] == row[name] for name in _TRIAL)
        if last is None or not is_same or row["onset_ms"] > last["onset_ms"] + last["duration_ms"]:
            merged.append(row)
            continue
        end_ms = max(one["onset_ms"] + one["duration_ms"] for one in (last, row))
        last["duration_ms"] = end_ms - last["onset_ms"]
        last["eye"] = last["eye"] if last["eye"] == row["eye"] else "both"
    once = pd.DataFrame(merged, columns=blinks.columns)
    return pd.concat([events[~is_blink], once], ignore_index=True)


def told(fixations: pd.DataFrame, others: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return how many movements there are of each kind, and their medians.

    Parameters
    ----------
    fixations : pandas.DataFrame
        The fixations of a recording or a trial.
    others : pandas.DataFrame
        Its other movements, with their ``kind``.

    Returns
    -------
    dict of str to dict of str to float
        By kind: ``n``, and where they are known ``median_ms``, ``median_deg`` and
        ``median_peak_deg_s``.
    """
    kinds = {"fixation": fixations}
    kinds |= {kind: others[others["kind"] == kind] for kind in _OTHERS}
    return {kind: _described(kind, rows) for kind, rows in kinds.items() if len(rows)}


def _described(kind: str, rows: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {"n": len(rows)}
    for column, name in _MEDIANS.items():
        is_meant = column == "duration_ms" or kind == "saccade"
        if not is_meant or column not in rows:
            continue
        values: Any = rows[column].to_numpy(np.float64)
        values = values[np.isfinite(values)]
        if len(values):
            found[name] = float(np.median(values))
    return found
