"""Sidecars of BIDS: what the columns of each table mean, of whom and how they were recorded.

Specification: "Brain Imaging Data Structure" 1.11, "Physiological recordings" and "Task events":
gaze on a screen needs the screen's resolution, size and distance (``StimulusPresentation``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gazetrack.errors import DataError
from gazetrack.tables.schema import EVENTS
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.bids.parts import Part, Survey

BIDS_VERSION = "1.11.1"
ON_SCREEN = "gaze-on-screen"
GIVE_SCREEN = "give --screen WIDTHxHEIGHT,SIZE,DISTANCE, such as 1920x1080,531x299mm,650mm"
GENERATED_BY = [
    {
        "Name": "gazetrack",
        "Version": __version__,
        "Description": "Exports of eye trackers as BIDS, by gazetrack bids.",
    }
]
# Columns of events beyond those of BIDS: ours, what they are in EVENTS, whether they are numbers.
EVENT_COLUMNS = {
    "eye": "eye",
    "index": "index",
    "x_coordinate": "x_px",
    "y_coordinate": "y_px",
    "end_x_coordinate": "end_x_px",
    "end_y_coordinate": "end_y_px",
    "amplitude": "amplitude_deg",
    "peak_velocity": "peak_velocity_deg_s",
    "pupil_size": "pupil",
    "trial": "trial",
    "stimulus": "stimulus",
}
_UNITS = {"px": "pixel", "as exported": "a.u."}


def coordinate_system(recording: Recording) -> str:
    """Return what positions of a recording are counted in, in the words of BIDS."""
    if recording.directions:
        return "custom"
    return "gaze-in-world" if recording.world_camera else ON_SCREEN


def check_screen(recording: Recording) -> None:
    """Refuse gaze on a screen of which BIDS would not know resolution, size and distance.

    Raises
    ------
    DataError
        Something of them is missing; the error says which option gives it.
    """
    if coordinate_system(recording) != ON_SCREEN:
        return
    screen = recording.screen
    missing = []
    if screen is None or recording.fractions_of:
        missing.append("resolution")
    if screen is None or screen.width_mm is None or screen.height_mm is None:
        missing.append("size")
    if screen is None or screen.distance_mm is None:
        missing.append("distance")
    if missing:
        *others, last = missing
        named = f"{', '.join(others)} and {last}" if others else last
        what = f"BIDS needs the screen's {named}, which the export does not state"
        raise DataError(what, hint=GIVE_SCREEN)


def screen_facts(recording: Recording) -> dict[str, Any]:
    """Return ``StimulusPresentation``: the screen, lengths in metres; empty without a screen."""
    screen = recording.screen
    if coordinate_system(recording) != ON_SCREEN or screen is None:
        return {}
    lengths = (screen.width_mm, screen.height_mm, screen.distance_mm)
    width, height, distance = (_metres(length) for length in lengths)
    return {
        "StimulusPresentation": {
            "ScreenDistance": distance,
            "ScreenOrigin": ["top", "left"],
            "ScreenResolution": [screen.width_px, screen.height_px],
            "ScreenSize": [width, height],
        }
    }


def _metres(length_mm: float | None) -> float | None:
    return None if length_mm is None else round(length_mm / 1000, 9)


def gaze_sidecar(
    part: Part, found: Survey, eye: str, columns: Sequence[str], rate_hz: float
) -> dict[str, Any]:
    """Return the sidecar of a table of gaze.

    Parameters
    ----------
    part : Part
        The recording, one of those in an export.
    found : Survey
        What is known of its samples.
    eye : {"left", "right", "cyclopean"}
        Whose gaze the table holds.
    columns : sequence of str
        The names of its columns.
    rate_hz : float
        The sampling rate in Hz.
    """
    recording = part.recording
    facts: dict[str, Any] = {
        "PhysioType": "eyetrack",
        "Columns": list(columns),
        "SamplingFrequency": rate_hz,
        "StartTime": 0,
        "RecordedEye": eye,
        "SampleCoordinateSystem": coordinate_system(recording),
        # For our own reader: no number of the tracker stands for gaze that is lost.
        "MissingGaze": "n/a",
    }
    if recording.tracker:
        facts["ManufacturersModelName"] = recording.tracker
    if recording.software:
        facts["SoftwareVersions"] = recording.software
    if found.own_combined and eye != "cyclopean":
        facts["GazeMappingSettings"] = "the cyclopean gaze is the tracker's own, see its table"
    facts |= _of_no_screen(recording)
    clock = "the tracker's clock" if part.origin_ms else "the start of the export"
    facts["timestamp"] = {
        "Description": f"time of the sample, from the zero of {clock}",
        "Units": "ms",
    }
    for axis, name in (("x", "horizontal"), ("y", "vertical")):
        facts[f"{axis}_coordinate"] = {
            "LongName": f"Gaze position ({axis})",
            "Description": f"{name} gaze position, from the top left corner; n/a where it is lost",
            "Units": "pixel",
        }
    if "pupil_size" in columns:
        what = recording.pupil_measure or "area or diameter: the export does not say which"
        facts["pupil_size"] = {
            "Description": f"pupil size as exported ({what})",
            "Units": "a.u.",
        }
    return facts


def _of_no_screen(recording: Recording) -> dict[str, Any]:
    """Return what is to be known of positions that are on no screen."""
    if coordinate_system(recording) == ON_SCREEN or recording.screen is None:
        return {}
    screen = recording.screen.facts()
    if recording.directions:
        what = (
            "directions of the eye on a plane 1 m before it: a pixel is a millimetre, the middle "
            "is straight ahead"
        )
        return {"SampleCoordinateSystemDescription": what, "DirectionPlane": screen}
    camera = {"Model": recording.world_camera, "Image": screen}
    return {"WorldCamera": camera}


def events_sidecar(columns: Sequence[str]) -> dict[str, Any]:
    """Return the sidecar of a table of the tracker's events, with its columns."""
    about = {
        "onset": ("first moment of the event, on the clock of the gaze", "ms"),
        "duration": ("length of the event", "s"),
        "trial_type": ("what the tracker calls the event; n/a for messages", ""),
        "message": ("text of a message, or what else belongs to the event", ""),
    }
    facts: dict[str, Any] = {
        "Columns": list(columns),
        "Description": "what the export itself calls an event, and its messages",
        "OnsetSource": "timestamp",
    }
    for name in columns:
        if name in about:
            meaning, unit = about[name]
        else:
            field = EVENTS.field(EVENT_COLUMNS[name])
            meaning, unit = described(field.metadata)
        facts[name] = {"Description": meaning} | ({"Units": unit} if unit else {})
    return facts


def described(metadata: Mapping[bytes, bytes]) -> tuple[str, str]:
    """Return what a column of ours means, and its unit in the words of BIDS."""
    unit = metadata[b"unit"].decode()
    return metadata[b"meaning"].decode(), _UNITS.get(unit, unit)
