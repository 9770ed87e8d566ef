"""The fixations, saccades and blinks that a report tells of, and what each kind is like."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.events.fixations import fixation_table
from gazetrack.events.movements import MovementOptions, movement_table, tracker_movements
from gazetrack.tables.kinds import count_kinds
from gazetrack.tables.movements import DETECTED, TRACKER
from gazetrack.tables.placing import back_on_screen

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.reporting.options import ReportOptions

_OTHERS = ("saccade", "blink")
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


def others_of(recording: Recording, options: ReportOptions) -> tuple[pd.DataFrame, str, list[str]]:
    """Return the saccades and blinks of a recording.

    The tracker's own are taken where the export tells of saccades, as its own fixations are; else
    both are detected in the samples.

    Parameters
    ----------
    recording : Recording
        As a reader gave it, of the eye that was chosen.
    options : ReportOptions
        Which detector is used, and what is done to the samples before.

    Returns
    -------
    pandas.DataFrame, str, list of str
        The columns of `MOVEMENTS`; who told of them, ``tracker`` or ``detected``, empty where
        nobody did; and notes for the user.
    """
    has_own = bool(count_kinds(recording.event_table).get("saccade"))
    notes: list[str] = []
    if has_own and options.detector is None:
        table, source = tracker_movements(recording), TRACKER
    elif recording.sample_table is not None:
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
        source = DETECTED
    else:
        return pd.DataFrame(columns=["kind"]), "", notes
    frame: pd.DataFrame = table.to_pandas()
    return frame[frame["kind"].isin(_OTHERS)], source, notes


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
