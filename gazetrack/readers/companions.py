"""Files that lie beside gaze and hold none: what they are, and which file to give instead.

They are known by content, as files of gaze are: by keys of a JSON object or columns of a table
that no other file has.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from gazetrack.readers.base import Level, Verdict
from gazetrack.readers.text.header import header_of

if TYPE_CHECKING:
    from gazetrack.readers.base import Head

_GLASSES = "give livedata.json.gz of the recording's segment"
_BIDS = "give the *_physio.tsv.gz or *_eyetrack.tsv it describes"
_ADHAWK = "give gaze_data.csv of the same recording"
_OF_MINDLINK = "of an AdHawk MindLink recording"
# Keys of a JSON object, what the file is, and what to do.
_JSON = (
    ({"pr_id", "pr_info"}, "a project file of Tobii Glasses 2", _GLASSES),
    ({"rec_id", "rec_info"}, "a recording file of Tobii Glasses 2", _GLASSES),
    ({"pa_id", "pa_info"}, "a participant file of Tobii Glasses 2", _GLASSES),
    ({"seg_id", "seg_length"}, "a segment file of Tobii Glasses 2", _GLASSES),
    ({"ca_id", "ca_state"}, "a calibration file of Tobii Glasses 2", _GLASSES),
    ({"servicemanager_version"}, "a system file of Tobii Glasses 2", _GLASSES),
    (
        {"uuid", "gaze", "scenecamera"},
        "a recording file of Tobii Glasses 3",
        "give its gazedata.gz",
    ),
    ({"user_profile", "camera_config"}, f"the settings {_OF_MINDLINK}", _ADHAWK),
    ({"PhysioType"}, "the sidecar of a BIDS recording", _BIDS),
    ({"RecordedEye"}, "the sidecar of a BIDS recording", _BIDS),
    ({"CalibrationType"}, "the sidecar of a BIDS recording", _BIDS),
    ({"Columns", "Description"}, "the sidecar of a BIDS table", _BIDS),
    (
        {"data_format_version", "recording_id"},
        "the info of a Pupil recording",
        "give gaze.csv of its export",
    ),
)
# Columns of a table, what the file is, and what to do.
_TABLES = (
    (
        {"Recording", "Participant", "TOI"},
        "a metrics export of Tobii Pro Lab: sums over areas of interest",
        "export the raw data as TSV",
    ),
    ({"Timestamp", "IPD", "UTC_Time"}, f"pupil distances {_OF_MINDLINK}", _ADHAWK),
    (
        {"Timestamp", "Pupil_Size_Right", "Pupil_Size_Left"},
        f"pupil sizes {_OF_MINDLINK}",
        _ADHAWK,
    ),
    (
        {"Timestamp", "Pupil_Pos_X_Right", "Pupil_Pos_X_Left"},
        f"pupil positions {_OF_MINDLINK}",
        _ADHAWK,
    ),
    ({"Timestamp", "Gyro_X", "Accel_X"}, f"movements of the head {_OF_MINDLINK}", _ADHAWK),
    ({"Timestamp_End", "Duration", "UTC_Time"}, f"blinks {_OF_MINDLINK}", _ADHAWK),
    (
        {"expName", "psychopyVersion"},
        "PsychoPy's table of trials",
        "give the .hdf5 or the tracker's own file of that session, or name columns: --columns",
    ),
    (
        {"opensesame_version", "subject_nr"},
        "OpenSesame's table of trials",
        "give the log of the eye tracker, which PyGaze writes beside it",
    ),
    (
        {"onset", "duration"},
        "BIDS events: what was shown, not where people looked",
        "give the *_physio.tsv.gz beside it",
    ),
)
# The old format of Excel, and the new one, which is a zip.
_XLS = (b"\xd0\xcf\x11\xe0", b"PK\x03\x04")


def companion(head: Head) -> Verdict | None:
    """Recognise a file that belongs to a recording and holds no gaze.

    Parameters
    ----------
    head : Head
        The first look at the file.

    Returns
    -------
    Verdict or None
        What it is, and which file to give instead; None for any other file.
    """
    if head.data.startswith(_XLS):
        return _companion("a spreadsheet in Excel's own format", "save it as tab-separated text")
    if head.path.name.lower().startswith("et.tslv"):
        return _companion("the binary stream log of Tobii Glasses 2", _GLASSES)
    keys = _json_keys(head)
    for marks, what, instead in _JSON:
        if marks <= keys:
            return _companion(what, instead)
    header = header_of(head)
    columns = set() if header is None else set(header.names)
    for marks, what, instead in _TABLES:
        if marks <= columns:
            return _companion(what, instead)
    return None


def _companion(what: str, instead: str) -> Verdict:
    return Verdict(Level.NO, reason=what, instead=instead)


def _json_keys(head: Head) -> set[str]:
    """Return the keys of the file's object; none where it is no JSON object."""
    text = head.text.lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return set()
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        return set(value) if isinstance(value, dict) else set()
    # Longer than the head: the keys at the left margin of what is there.
    return set(re.findall(r"^\s{1,4}\"(\w+)\"\s*:", text, re.MULTILINE))
