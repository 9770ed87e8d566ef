"""Files that lie beside gaze and hold none: what they are, and which file of the recording to give instead."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from gazetrack.readers.base import Level, Verdict
from gazetrack.readers.text.header import header_of

if TYPE_CHECKING:
    from gazetrack.readers.base import Head


Companion = partial(Verdict, Level.NO)
_GLASSES = "give livedata.json.gz of the recording's segment"
_BIDS = "give the *_physio.tsv.gz or *_eyetrack.tsv it describes"
_ADHAWK = "give gaze_data.csv of the same recording"
# Keys of a JSON object that no other file has.
_JSON = (
    ({"pr_id", "pr_info"}, Companion("a project file of Tobii Glasses 2", _GLASSES)),
    ({"rec_id", "rec_info"}, Companion("a recording file of Tobii Glasses 2", _GLASSES)),
    ({"pa_id", "pa_info"}, Companion("a participant file of Tobii Glasses 2", _GLASSES)),
    ({"seg_id", "seg_length"}, Companion("a segment file of Tobii Glasses 2", _GLASSES)),
    ({"ca_id", "ca_state"}, Companion("a calibration file of Tobii Glasses 2", _GLASSES)),
    ({"servicemanager_version"}, Companion("a system file of Tobii Glasses 2", _GLASSES)),
    (
        {"uuid", "gaze", "scenecamera"},
        Companion("a recording file of Tobii Glasses 3", "give its gazedata.gz"),
    ),
    (
        {"user_profile", "camera_config"},
        Companion("the settings of an AdHawk MindLink recording", _ADHAWK),
    ),
    ({"PhysioType"}, Companion("the sidecar of a BIDS recording", _BIDS)),
    ({"RecordedEye"}, Companion("the sidecar of a BIDS recording", _BIDS)),
    ({"CalibrationType"}, Companion("the sidecar of a BIDS recording", _BIDS)),
    ({"Columns", "Description"}, Companion("the sidecar of a BIDS table", _BIDS)),
    (
        {"data_format_version", "recording_id"},
        Companion("the info of a Pupil recording", "give gaze.csv of its export"),
    ),
)
# Columns of a table that no other has.
_TABLES = (
    (
        {"Recording", "Participant", "TOI"},
        Companion(
            "a metrics export of Tobii Pro Lab: sums over areas of interest",
            "export the raw data as TSV",
        ),
    ),
    (
        {"Timestamp", "IPD", "UTC_Time"},
        Companion("pupil distances of an AdHawk MindLink recording", _ADHAWK),
    ),
    (
        {"Timestamp", "Pupil_Size_Right", "Pupil_Size_Left"},
        Companion("pupil sizes of an AdHawk MindLink recording", _ADHAWK),
    ),
    (
        {"Timestamp", "Pupil_Pos_X_Right", "Pupil_Pos_X_Left"},
        Companion("pupil positions of an AdHawk MindLink recording", _ADHAWK),
    ),
    (
        {"Timestamp", "Gyro_X", "Accel_X"},
        Companion("movements of the head of an AdHawk MindLink recording", _ADHAWK),
    ),
    (
        {"Timestamp_End", "Duration", "UTC_Time"},
        Companion("blinks of an AdHawk MindLink recording", _ADHAWK),
    ),
    (
        {"onset", "duration"},
        Companion(
            "BIDS events: what was shown, not where people looked",
            "give the *_physio.tsv.gz beside it",
        ),
    ),
)
_XLS = (b"\xd0\xcf\x11\xe0", b"PK\x03\x04")


def companion(head: Head) -> Verdict | None:
    """Recognise a file that belongs to a recording and holds no gaze.

    Parameters
    ----------
    head : Head
        The first look at the file.
    """
    if head.data.startswith(_XLS):
        return Companion("a spreadsheet in Excel's own format", "save it as tab-separated text")
    if head.path.name.lower().startswith("et.tslv"):
        return Companion("the binary stream log of Tobii Glasses 2", _GLASSES)
    keys = _json_keys(head)
    for marks, found in _JSON if keys else ():
        if marks <= keys:
            return found
    header = header_of(head)
    if header is None:
        return None
    return next((found for marks, found in _TABLES if marks <= set(header.names)), None)


def _json_keys(head: Head) -> set[str]:
    text = head.text.lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return set()
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        return set(value) if isinstance(value, dict) else set()
    # Longer than the head: the keys at the left margin of what is there.
    return set(re.findall(r"^\s{1,4}\"(\w+)\"\s*:", text, re.MULTILINE))
