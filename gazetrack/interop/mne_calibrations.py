"""Calibrations as MNE knows them: EyeLink's validations among the messages, and the screen.

The messages are those of the EyeLink 1000 Plus User Manual, section "Validation", as MNE's
``read_eyelink_calibration`` reads them from the file itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from gazetrack.errors import refuse_other_type
from gazetrack.interop.installed import needed
from gazetrack.tables.kinds import of_kinds
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    from mne.preprocessing.eyetracking import Calibration

    from gazetrack.tables.screen import Screen

_SUMMARY = re.compile(
    r"!CAL VALIDATION (?P<model>\S+) +\S+ +(?P<eye>LEFT|RIGHT) +\S+ +"
    r"ERROR +(?P<mean>[\d.]+) avg\. +(?P<most>[\d.]+) max"
)
_POINT = re.compile(
    r"VALIDATE \S+ +\S+ +\d+ +(?P<eye>LEFT|RIGHT) +at +(?P<x>-?[\d.]+), ?(?P<y>-?[\d.]+) +"
    r"OFFSET +(?P<off>[\d.]+) deg\. +(?P<dx>-?[\d.]+),(?P<dy>-?[\d.]+) pix"
)
_MM_PER_M = 1000.0


def mne_calibrations(recording: Recording) -> list[Calibration]:
    """Return what MNE wants to know of calibration and screen.

    Parameters
    ----------
    recording : Recording
        A recording as `read` gives it; give `read` the screen where the export does not state its
        size and distance.

    Returns
    -------
    list of mne.preprocessing.eyetracking.Calibration
        Each validation that EyeLink's messages tell of, an eye at a time, all with the screen in
        metres and pixels. Without such messages one without errors and points, which is enough for
        MNE's ``convert_units`` and ``plot_gaze``; none where the screen is not known either.

    Raises
    ------
    ConfigError
        MNE is not installed, or this is no recording.

    Examples
    --------
    >>> calibration = gazetrack.mne_calibrations(recording)[-1]  # doctest: +SKIP
    >>> mne.preprocessing.eyetracking.convert_units(raw, calibration)  # doctest: +SKIP
    """
    hint = 'give what gazetrack.read("FILE") returns'
    refuse_other_type(recording, Recording, "the recording", hint)
    eyetracking = needed("mne").preprocessing.eyetracking
    geometry = _geometry(recording.screen)
    found = [eyetracking.Calibration(**known, **geometry) for known in _validations(recording)]
    if found or recording.screen is None:
        return found
    nothing = np.empty((0, 2))
    alone = eyetracking.Calibration(
        onset=0.0,
        model="",
        eye=recording.eyes,
        avg_error=np.nan,
        max_error=np.nan,
        positions=nothing,
        offsets=np.empty(0),
        gaze=nothing,
        **geometry,
    )
    return [alone]


def _geometry(screen: Screen | None) -> dict[str, Any]:
    """Return the screen in MNE's metres; a height that is not known is that of square pixels."""
    if screen is None:
        return {}
    known: dict[str, Any] = {"screen_resolution": (screen.width_px, screen.height_px)}
    if screen.width_mm is not None:
        height_mm = screen.height_mm or screen.width_mm * screen.height_px / screen.width_px
        known["screen_size"] = (screen.width_mm / _MM_PER_M, height_mm / _MM_PER_M)
    if screen.distance_mm is not None:
        known["screen_distance"] = screen.distance_mm / _MM_PER_M
    return known


def _validations(recording: Recording) -> list[dict[str, Any]]:
    """Return each validation's errors and points, from the messages in their order."""
    messages = of_kinds(recording.event_table, "message")
    # Time 0 of MNE is the first sample.
    samples = recording.sample_table
    first_ms = 0.0
    if samples is not None and samples.num_rows:
        first_ms = pc.min(samples["t_ms"]).as_py()
    found: list[dict[str, Any]] = []
    onsets = messages["onset_ms"].to_pylist()
    for onset_ms, text in zip(onsets, messages["text"].to_pylist(), strict=True):
        if summary := _SUMMARY.search(text):
            found.append(
                {
                    "onset": (onset_ms - first_ms) / 1000.0,
                    "model": summary["model"],
                    "eye": summary["eye"].lower(),
                    "avg_error": float(summary["mean"]),
                    "max_error": float(summary["most"]),
                    "points": [],
                }
            )
        elif point := _POINT.search(text):
            # Of two eyes the points alternate, behind the summaries of both.
            eye = point["eye"].lower()
            own = next((one for one in reversed(found) if one["eye"] == eye), None)
            if own is not None:
                own["points"].append([float(point[name]) for name in ("x", "y", "off", "dx", "dy")])
    return [_arrays(one) for one in found]


def _arrays(validation: dict[str, Any]) -> dict[str, Any]:
    points = np.array(validation.pop("points"), np.float64).reshape(-1, 5)
    return validation | {
        "positions": points[:, :2],
        "offsets": points[:, 2],
        "gaze": points[:, :2] + points[:, 3:],
    }
