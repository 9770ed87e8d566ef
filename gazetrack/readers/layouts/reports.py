"""Layouts of tables of fixations, and of tables that a tracker's software wrote."""

from __future__ import annotations

from gazetrack.readers.layouts.layout import Layout
from gazetrack.tables.screen import Screen

_DATA_VIEWER = "a fixation report of SR Research Data Viewer, recognised as such"

REPORTS = (
    Layout(
        name="fake_news",
        title="FakeNewsPerception, fixations",
        columns={
            "t": "starttime[us]",
            "duration": "duration[ms]",
            "x": "meanX",
            "y": "meanY",
            "pupil": "meanPupilDiameter",
        },
        mark=("starttime", "duration", "eventType", "eventIdx", "meanX", "meanY"),
        screen=Screen(1920, 1080, 527, 296),
        only=("eventType", "Fixation"),
        participant=r"(P\d+)_S\d+_.+",
        missing="NA or NaN",
        notes=(
            "starts in microseconds, durations in milliseconds",
            "rows of saccades are counted and not read",
        ),
    ),
    Layout(
        name="sb_sat_fixations",
        title="SB-SAT, fixations",
        reader="eyelink_report",
        screen=Screen(1024, 768, None, None, 700),
        tracker="EyeLink 1000",
        notes=(_DATA_VIEWER, "without CURRENT_FIX_START: fixations are laid end to end"),
    ),
    Layout(
        name="copco_fixations",
        title="CopCo, fixations",
        reader="eyelink_report",
        screen=Screen(1920, 1080, 590, 335, 850),
        tracker="EyeLink 1000",
        notes=(_DATA_VIEWER, "numbers have a decimal comma, which is understood"),
    ),
    Layout(
        name="onestop",
        title="OneStop, fixations",
        reader="eyelink_report",
        tracker="EyeLink 1000 Plus",
        notes=(_DATA_VIEWER,),
        unsure=("the screen was not found: give it as --screen",),
    ),
    Layout(
        name="provo",
        title="Provo Corpus, fixations",
        reader="eyelink_report",
        tracker="EyeLink",
        notes=(_DATA_VIEWER,),
        unsure=("the screen was not found: give it as --screen",),
    ),
    Layout(
        name="code_comprehension",
        title="CodeComprehension, fixations",
        reader="eyelink_report",
        tracker="EyeLink 1000",
        notes=(_DATA_VIEWER,),
        unsure=("the screen was not found: give it as --screen",),
    ),
    Layout(
        name="gaze4hate",
        title="Gaze4Hate, fixations",
        reader="eyelink_report",
        screen=Screen(2560, 1440, 598, 336, 780),
        tracker="EyeLink 1000 Plus",
        notes=(_DATA_VIEWER,),
        unsure=("that its columns have Data Viewer's names: no file was seen",),
    ),
    Layout(
        name="didec",
        title="DIDEC, gaze",
        reader="begaze",
        screen=Screen(1680, 1050, 474, 297, 700),
        rate_hz=250,
        notes=("an export of SMI BeGaze, recognised as such",),
    ),
)
