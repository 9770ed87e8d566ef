"""From one recording at hand to what a report says of it, by recording and by trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.data_quality.measures import quality_table
from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.events.base import scale_of
from gazetrack.tables.movements import DETECTED
from gazetrack.tables.schema import FIXATIONS
from gazetrack.workflows.reporting.entries import RecordingEntry, TrialEntry, shown_eye
from gazetrack.workflows.reporting.movements import fixations_of, others_of, told, whose
from gazetrack.workflows.reporting.packing import on_grid, pack, step_for

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.reporting.entries import Rectangle, Size
    from gazetrack.workflows.reporting.options import ReportOptions

    Key = tuple[str, str, str]
    Eyes = dict[str, dict[str, float]]

_KEYS = ["recording", "trial", "stimulus"]
_MOST_MESSAGES = 12  # of a trial: what a replay shows beside the gaze
_MESSAGE_CHARS = 120


@dataclass(frozen=True)
class Measured:
    """What a report says of the recordings in one export.

    Parameters
    ----------
    entries : list of RecordingEntry
        One for each name of a recording in the export.
    facts : dict
        How fixations and other movements were found, as JSON values.
    notes : list of str
        What had to be inferred, or left out.
    """

    entries: list[RecordingEntry]
    facts: dict[str, Any]
    notes: list[str]


@dataclass(frozen=True)
class _Tables:
    """The rows of a recording, each by trial."""

    samples: dict[Key, pd.DataFrame]
    fixations: dict[Key, pd.DataFrame]
    others: dict[Key, pd.DataFrame]
    messages: dict[Key, pd.DataFrame]
    quality: dict[Key, Eyes]

    def keys(self) -> list[Key]:
        """Return the trials in the order of first appearance, those without any gaze at the end."""
        return list(dict.fromkeys([*self.samples, *self.fixations]))


def measured(recording: Recording, options: ReportOptions, n_points: int) -> Measured:
    """Measure a recording and pack its gaze.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, of the eye that was chosen, under the names it is to be told by.
    options : ReportOptions
        Which fixations are taken, and how others are detected.
    n_points : int
        How many points of gaze the recording may have in the page.

    Returns
    -------
    Measured

    Raises
    ------
    GazetrackError
        There are neither samples nor fixations.
    """
    has_samples = recording.sample_table is not None and recording.sample_table.num_rows > 0
    notes: list[str] = []
    facts: dict[str, Any] = {}
    try:
        fixations, facts = fixations_of(recording, options)
        notes += facts.pop("notes", [])
    except (ConfigError, InputError, DataError) as error:
        if not has_samples:
            raise
        fixations = FIXATIONS.empty_table().to_pandas()
        notes.append(f"no fixations: {error}")
    others, source, found = others_of(recording, options, fixations)
    facts["saccade_source"] = source
    facts["saccade_eye"] = whose(others)
    facts["degrees_assumed"] = source == DETECTED and scale_of(recording.screen)[1]
    notes += [note for note in found if note not in notes]
    whole: dict[Key, Eyes] = _quality(recording, "recording") if has_samples else {}
    tables = _Tables(
        samples=_grouped(_samples(recording)) if has_samples else {},
        fixations=_grouped(fixations),
        others=_grouped(others),
        messages=_grouped(_messages(recording)),
        quality=_quality(recording, "trial") if has_samples else {},
    )
    step_ms = step_for(_total_ms(tables.samples), n_points)
    trials = [_trial(key, tables, recording, step_ms) for key in tables.keys()]  # noqa: SIM118
    names = dict.fromkeys(trial.recording for trial in trials)
    entries = []
    for name in names:
        own = tuple(trial for trial in trials if trial.recording == name)
        people = {trial.participant for trial in own} - {""}
        known = recording.participants.get(name, "")
        entries.append(
            RecordingEntry(
                name=name or recording.name,
                participant=", ".join(sorted(people)) or known,
                eyes=whole.get((name, "", ""), {}),
                events=told(_of(fixations, name), _of(others, name)),
                trials=own,
            )
        )
    return Measured(entries, facts, notes)


def _samples(recording: Recording) -> pd.DataFrame:
    assert recording.sample_table is not None  # noqa: S101 - the caller has seen to it
    frame: pd.DataFrame = recording.sample_table.select(
        [*_KEYS, "t_ms", "x_px", "y_px"]
    ).to_pandas()
    return frame


def _messages(recording: Recording) -> pd.DataFrame:
    frame: pd.DataFrame = recording.event_table.to_pandas()
    return frame[frame["kind"] == "message"]


def _of(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame[frame["recording"] == name] if "recording" in frame else frame


def _grouped(frame: pd.DataFrame) -> dict[Key, pd.DataFrame]:
    """Return the rows of each trial, in the order of first appearance."""
    if not len(frame):
        return {}
    groups = frame.groupby(_KEYS, observed=True, sort=False)
    return {(str(a), str(b), str(c)): rows for (a, b, c), rows in groups}


def _quality(recording: Recording, by: str) -> dict[Key, Eyes]:
    """Return the measures of each eye, by recording, trial and stimulus."""
    found: dict[Key, Eyes] = {}
    for row in quality_table(recording, by).to_pylist():
        key = (row["recording"], row["trial"], row["stimulus"])
        numbers = {name: value for name, value in row.items() if not isinstance(value, str)}
        found.setdefault(key, {})[row["eye"]] = numbers
    return found


def _total_ms(samples: dict[Key, pd.DataFrame]) -> float:
    return sum(float(np.ptp(rows["t_ms"].to_numpy())) for rows in samples.values())


def _trial(key: Key, tables: _Tables, recording: Recording, step_ms: float) -> TrialEntry:
    """Return what is said of one trial."""
    samples = tables.samples.get(key)
    fixations = tables.fixations.get(key, FIXATIONS.empty_table().to_pandas())
    nothing = pd.DataFrame({"kind": []})
    start_ms, end_ms = _span(samples, fixations)
    plane, is_image, placed = _plane(key[2], recording, samples, fixations)
    if samples is None:
        gaze = (np.empty(0), np.empty(0))
    else:
        t, x, y = (samples[name].to_numpy(np.float64) for name in ("t_ms", "x_px", "y_px"))
        gaze = on_grid(t, x, y, step_ms)
    names = ("onset_ms", "duration_ms", "x_px", "y_px")
    onset, duration, x, y = (fixations[name].to_numpy(np.float64) for name in names)
    packed = pack(gaze, (onset - start_ms, duration, x, y), step_ms, max(plane))
    messages = tables.messages.get(key)
    people = [str(name) for name in fixations["participant"].unique() if name]
    return TrialEntry(
        recording=key[0],
        participant=", ".join(people) or recording.participants.get(key[0], ""),
        trial=key[1],
        stimulus=key[2],
        onset_ms=start_ms,
        duration_ms=end_ms - start_ms,
        quality=shown_eye(tables.quality.get(key, {})),
        events=told(fixations, tables.others.get(key, nothing)),
        plane=plane,
        is_image=is_image,
        placed=placed,
        packed=packed,
        messages=_told_messages(messages, start_ms),
        n_messages=0 if messages is None else len(messages),
    )


def _span(samples: pd.DataFrame | None, fixations: pd.DataFrame) -> tuple[float, float]:
    """Return when a trial begins and ends, in milliseconds on the clock of its recording."""
    if samples is not None:
        t = samples["t_ms"].to_numpy(np.float64)
        return float(t.min()), float(t.max())
    onset = fixations["onset_ms"].to_numpy(np.float64)
    return float(onset.min()), float((onset + fixations["duration_ms"].to_numpy()).max())


def _plane(
    stimulus: str, recording: Recording, samples: pd.DataFrame | None, fixations: pd.DataFrame
) -> tuple[Size, bool, Rectangle | None]:
    """Return what gaze lies on, whether that is the image, and where on it the image lay."""
    width = fixations["image_width_px"].to_numpy(np.float64)
    if len(width) and np.isfinite(width).all() and samples is None:
        height = float(fixations["image_height_px"].iloc[0])
        return (float(width[0]), height), True, (0.0, 0.0, float(width[0]), height)
    placement = recording.placements.get(stimulus)
    placed = None
    if placement is not None:
        placed = (placement.x_px, placement.y_px, placement.width_px, placement.height_px)
    screen = recording.screen
    if screen is not None:
        return (float(screen.width_px), float(screen.height_px)), False, placed
    rows = fixations if samples is None else samples
    return (_reach(rows["x_px"]), _reach(rows["y_px"])), False, placed


def _reach(positions: pd.Series[float]) -> float:
    """Return how far positions go, in place of a size that nobody states; at least a pixel."""
    values = positions.to_numpy(np.float64)
    values = values[np.isfinite(values)]
    return max(float(np.ceil(np.quantile(values, 0.995))), 1.0) if len(values) else 1.0


def _told_messages(messages: pd.DataFrame | None, start_ms: float) -> tuple[tuple[float, str], ...]:
    """Return the first messages of a trial, each cut to what a line holds."""
    if messages is None:
        return ()
    first = messages.head(_MOST_MESSAGES)
    return tuple(
        (float(onset - start_ms), str(text)[:_MESSAGE_CHARS])
        for onset, text in zip(first["onset_ms"], first["text"], strict=True)
    )
