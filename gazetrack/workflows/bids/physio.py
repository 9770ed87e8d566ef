"""The tables of one recording: of each eye its gaze and events, and what was shown when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError
from gazetrack.workflows.bids import cells
from gazetrack.workflows.bids.parts import CYCLOPEAN, Run, events_of, survey
from gazetrack.workflows.bids.sidecars import (
    EVENT_COLUMNS,
    events_sidecar,
    gaze_sidecar,
    screen_facts,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.bids.parts import Part, Survey
    from gazetrack.workflows.bids.rules import Hed

GAZE_COLUMNS = ("timestamp", "x_coordinate", "y_coordinate")
EVENT_BASE = ("onset", "duration", "trial_type", "message")
_POSITIONS = ("x_coordinate", "y_coordinate")
_TEXTS = ("eye", "trial", "stimulus")
_MS = 1000.0
_DECIMALS_MS = 3
_DECIMALS_S = 6


@dataclass
class Tables:
    """The tables of a recording as they were written, by the ends of their names.

    Parameters
    ----------
    rows : dict of str to int
        How many rows each has, such as ``recording-eye1_physio.tsv.gz``.
    sidecars : dict of str to dict
        What is to be written beside them, such as ``recording-eye1_physio.json``.
    notes : list of str
        What the user is to know.
    """

    rows: dict[str, int] = field(default_factory=dict)
    sidecars: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def write_part(part: Part, folder: Path, hed: Hed | None = None) -> tuple[Tables, Survey]:
    """Write the tables of one recording into a folder of its own.

    Parameters
    ----------
    part : Part
        The recording, one of those in an export.
    folder : pathlib.Path
        Where the tables go, by the ends of their names.
    hed : Hed or None
        How events are annotated, if they are.

    Returns
    -------
    Tables, Survey
        What was written, and what is known of the samples.

    Raises
    ------
    DataError
        Nobody knows the sampling rate, or times count from each trial.
    """
    if part.recording.time_origin == "trial":
        what = "times count from each trial, not from the start of the recording"
        raise DataError(what, hint="export times of the whole recording")
    found = survey(part)
    rate_hz = _rate_of(part)
    tables = Tables()
    if found.steps_back:
        tables.notes.append(f"{found.steps_back} times step back: samples stay in their order")
    events = events_of(part)
    eyes = found.eyes
    for number, eye in enumerate(eyes, 1):
        columns = [*GAZE_COLUMNS]
        if f"{eye}_pupil" in found.filled:
            columns.append("pupil_size")
        name = f"recording-eye{number}"
        _write_gaze(part, found, eye, columns, folder / f"{name}_physio.tsv.gz")
        tables.rows[f"{name}_physio.tsv.gz"] = found.n_samples
        tables.sidecars[f"{name}_physio.json"] = gaze_sidecar(part, found, eye, columns, rate_hz)
        own = [event for event in events if _belongs(event, eye, eyes)]
        if own:
            held = _write_events(own, part.origin_ms, folder, name)
            tables.rows[f"{name}_physioevents.tsv.gz"] = len(own)
            tables.sidecars[f"{name}_physioevents.json"] = events_sidecar(held)
    tables.rows["events.tsv"], facts = _write_shown(found, rate_hz, folder, hed)
    tables.sidecars["events.json"] = facts | screen_facts(part.recording)
    return tables, found


def _rate_of(part: Part) -> float:
    """Return the sampling rate that the export states, or else the measured one."""
    recording = part.recording
    rate_hz = recording.rate_hz or recording.effective_rate_hz
    if rate_hz is None:
        what = "has fewer than two samples: nobody knows the sampling rate, which BIDS needs"
        raise DataError(what, hint="leave this recording out")
    return float(f"{rate_hz:.9g}")


def _write_gaze(part: Part, found: Survey, eye: str, columns: Sequence[str], path: Path) -> None:
    side = "" if eye == CYCLOPEAN else f"{eye}_"
    names = [f"{side}x_px", f"{side}y_px"]
    if "pupil_size" in columns:
        names.append(f"{side}pupil")
    with cells.packed(path) as file:
        for block in part.blocks():
            values = {
                name: block.column(block.schema.get_field_index(name)) for name in ("t_ms", *names)
            }
            times = values["t_ms"].to_numpy() + part.origin_ms
            texts = [cells.float_cells(values[name]) for name in names]
            cells.write_batch(file, [cells.time_cells(times, whole=found.whole), *texts])


def _belongs(event: dict[str, Any], eye: str, eyes: Sequence[str]) -> bool:
    """Whether an event stands in the table of an eye: its own, or the first one's.

    What the tracker says of both eyes together is of the cyclopean one, where there is one.
    """
    of_both = CYCLOPEAN if event["eye"] == "both" and CYCLOPEAN in eyes else eyes[0]
    return eye == (event["eye"] if event["eye"] in eyes else of_both)


def _write_events(
    events: Sequence[dict[str, Any]], origin_ms: float, folder: Path, name: str
) -> list[str]:
    """Write the tracker's events of an eye, and return the columns of the table."""
    # Fixations without a column of positions would be given those of their samples.
    always = _POSITIONS if any(event["kind"] == "fixation" for event in events) else ()
    more = [
        (column, field)
        for column, field in EVENT_COLUMNS.items()
        if column in always or any(_has_value(event[field]) for event in events)
    ]
    rows = [_event_cells(event, origin_ms, more) for event in events]
    cells.write_packed_rows(folder / f"{name}_physioevents.tsv.gz", rows)
    return [*EVENT_BASE, *(column for column, _ in more)]


def _has_value(value: Any) -> bool:
    return bool(value) if isinstance(value, str) else math.isfinite(value)


def _event_cells(
    event: dict[str, Any], origin_ms: float, more: Sequence[tuple[str, str]]
) -> list[str]:
    is_message = event["kind"] == "message"
    row = [
        cells.number_cell(event["onset_ms"] + origin_ms, _DECIMALS_MS),
        cells.number_cell(event["duration_ms"] / _MS, _DECIMALS_S),
        cells.MISSING if is_message else event["kind"],
        cells.text_cell(event["text"]),
    ]
    for column, name in more:
        value = event[name]
        if column in _TEXTS:
            row.append(cells.text_cell(value))
        else:
            # Positions are 32-bit numbers, which Python has made longer.
            row.append(cells.number_cell(_short(value)))
    return row


def _short(value: float) -> Any:
    import numpy as np

    return value if isinstance(value, int) else np.float32(value)


def _write_shown(
    found: Survey, rate_hz: float, folder: Path, hed: Hed | None
) -> tuple[int, dict[str, Any]]:
    """Write what was shown when, and return the number of rows and the sidecar."""
    runs = [run for run in found.runs if run.trial or run.stimulus]
    nothing_named = not runs
    if nothing_named:
        runs = [Run("", "", found.first_ms, found.last_ms)]
    facts: dict[str, Any] = {
        "trial_type": {
            "Description": "what the row is about",
            "Levels": {
                "trial": "a trial, or a part of it in which one stimulus was shown",
                "recording": "the whole recording: the export names no trial and no stimulus",
            },
        }
    }
    columns = ["onset", "duration", "trial_type"]
    if not nothing_named:
        columns += ["trial", "stimulus"]
        facts["trial"] = {"Description": "trial, block or timeline as named by the export"}
        facts["stimulus"] = {"Description": "image or other stimulus shown, as named by the export"}
    if hed is not None:
        columns.append("HED")
    rows = []
    for number, run in enumerate(runs):
        end_ms = run.last_ms + _MS / rate_hz
        if number + 1 < len(runs) and run.first_ms < runs[number + 1].first_ms:
            end_ms = min(end_ms, runs[number + 1].first_ms)
        row = [
            cells.number_cell((run.first_ms - found.first_ms) / _MS, _DECIMALS_S),
            cells.number_cell(max(end_ms - run.first_ms, 0.0) / _MS, _DECIMALS_S),
            "recording" if nothing_named else "trial",
        ]
        if not nothing_named:
            row += [cells.text_cell(run.trial), cells.text_cell(run.stimulus)]
        if hed is not None:
            row.append(cells.text_cell(hed.of(run.stimulus)))
        rows.append(row)
    cells.write_rows(folder / "events.tsv", columns, rows)
    return len(rows), facts
