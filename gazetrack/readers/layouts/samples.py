"""Layouts of tables of gaze samples.

URLs, columns, screens and rates are facts that pymovements 0.28 states of these data sets
(github.com/pymovements/pymovements, ``src/pymovements/datasets``, MIT), held against what their
makers write where that could be found; what could not is listed as unsure, layout by layout.
"""

from __future__ import annotations

from gazetrack.readers.layouts.layout import Layout
from gazetrack.tables.screen import Screen

_BY_PYMOVEMENTS = "pymovements counts these pixels from the centre of the screen"
_EYELINK_IS_TOP_LEFT = f"{_BY_PYMOVEMENTS}; EyeLink counts them from the top left, as is done here"
_PVT_MARK = ("x_pix_eyelink", "x_pix_pupilcore_interpolated", "eyelink_timestamp")
_PVT_SCREEN = Screen(1920, 1080, 597.6, 336.15)
_PVT_DISTANCE = "the distance of the eyes stands in target_distance, row by row, and is not read"

SAMPLE_TABLES = (
    Layout(
        name="gazebase",
        title="GazeBase",
        columns={
            "t": "n[ms]",
            "left_x": "x",
            "left_y": "y",
            "pupil": "dP",
            "unit": "deg",
            "y_axis": "up",
        },
        mark=("n", "x", "y", "val", "xT", "yT", "dP", "lab"),
        screen=Screen(1680, 1050, 474, 297, 550),
        rate_hz=1000,
        tracker="EyeLink 1000",
        participant=r"S_\d(\d{3})_S\d_\w+",
        missing="NaN, wherever val is not 0",
        notes=(
            "targets (xT, yT) and the set's own labels of samples (lab) are not read",
            (
                "a file is one task of one session: the name S_1001_S1_FXS is round 1, participant "
                "001, session 1, task FXS"
            ),
        ),
        unsure=(
            (
                "that y grows upwards is inferred: reading, which begins top left, begins at a "
                "positive y"
            ),
            (
                "degrees are taken as azimuth and elevation; at 16 degrees to the side, degrees "
                "measured on each axis by itself would differ by 4 % in y"
            ),
        ),
    ),
    Layout(
        name="gazebase_vr",
        title="GazeBaseVR",
        columns={
            "t": "n[ms]",
            "x": "x",
            "y": "y",
            "left_x": "lx",
            "left_y": "ly",
            "right_x": "rx",
            "right_y": "ry",
            "unit": "deg",
            "y_axis": "up",
        },
        mark=("n", "x", "y", "lx", "ly", "rx", "ry", "xT", "yT", "zT"),
        rate_hz=250,
        tracker="SMI eye tracker in an HTC Vive",
        directions=True,
        participant=r"S_\d(\d{3})_S\d_\d*_?\w+",
        missing="NaN",
        notes=(
            "targets (xT, yT, zT, in metres) and the centres of the eyes (clx to crz) are not read",
        ),
        unsure=("that y grows upwards is taken from GazeBase",),
    ),
    Layout(
        name="judo1000",
        title="JuDo1000",
        columns={
            "t": "time[ms]",
            "left_x": "x_left",
            "left_y": "y_left",
            "right_x": "x_right",
            "right_y": "y_right",
            "trial": "trialId",
        },
        mark=("trialId", "pointId", "time", "x_left", "y_left", "x_right", "y_right"),
        screen=Screen(1280, 1024, 380, 302, 680),
        rate_hz=1000,
        tracker="EyeLink Portable Duo",
        participant=r"(\d+)_\d+",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=(
            "a trial may begin its clock anew",
            "the place of the dot within a trial (pointId) is not read",
        ),
    ),
    Layout(
        name="sb_sat",
        title="SB-SAT, gaze",
        columns={
            "t": "time[ms]",
            "left_x": "x_left",
            "left_y": "y_left",
            "pupil": "pupil_left",
            "stimulus": "book_name",
            "trial": "screen_id",
        },
        mark=("book_name", "screen_id", "time", "x_left", "y_left", "pupil_left"),
        screen=Screen(1024, 768, None, None, 700),
        rate_hz=1000,
        tracker="EyeLink 1000",
        participant=r"(msd\d+)",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=(
            (
                "the size of the screen is left open: 44.5 x 42.4 cm, as pymovements states it, "
                "would make pixels a quarter higher than wide, while the tracker's own amplitudes "
                "say about 33 px a degree both ways (37.6 x 28.2 cm at 70 cm): give it as --screen"
            ),
        ),
        unsure=(_EYELINK_IS_TOP_LEFT,),
    ),
    Layout(
        name="hbn",
        title="Healthy Brain Network, gaze on four videos",
        columns={"t": "time[120Hz]", "x": "x_pix", "y": "y_pix"},
        screen=Screen(800, 600, 338, 270, 635),
        rate_hz=120,
        participant=r"(.{12})_.+",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=("times are numbers of samples, not milliseconds",),
        unsure=(
            (
                f"{_BY_PYMOVEMENTS}; their values lie within 800 x 600 from the top left, "
                "as is done here"
            ),
            "that the recordings have 120 Hz throughout",
        ),
    ),
    Layout(
        name="emtec",
        title="EMTeC, gaze",
        columns={
            "t": "time[ms]",
            "right_x": "x",
            "right_y": "y",
            "pupil": "pupil_right",
            "stimulus": "item_id",
            "trial": "TRIAL_ID",
        },
        mark=("item_id", "TRIAL_ID", "Trial_Index_", "model", "decoding_strategy", "pupil_right"),
        screen=Screen(1280, 1024, 382, 302, 600),
        rate_hz=2000,
        tracker="EyeLink 1000",
        twice=True,
        participant=r"(ET_\d+)",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=("2000 Hz in whole milliseconds: every second sample is half a millisecond later",),
        unsure=(_EYELINK_IS_TOP_LEFT,),
    ),
    Layout(
        name="potec",
        title="PoTeC, gaze",
        columns={"t": "time[ms]", "x": "x", "y": "y", "pupil": "pupil_diameter"},
        screen=Screen(1680, 1050, 475, 300, 610),
        rate_hz=1000,
        tracker="EyeLink 1000",
        participant=r"reader(\d+)_.+_raw_data",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=(
            (
                "the eyes were 61 cm from the screen, as its makers write; the 65 cm of "
                "pymovements are those to the camera"
            ),
            "which eye it is the files do not say",
        ),
    ),
    Layout(
        name="copco",
        title="CopCo, gaze",
        columns={
            "t": "time[ms]",
            "right_x": "x_right",
            "right_y": "y_right",
            "stimulus": "speech_id",
            "trial": "paragraph_id",
        },
        mark=("paragraph_id", "speech_id", "time", "x_right", "y_right"),
        screen=Screen(1920, 1080, 590, 335, 850),
        rate_hz=1000,
        tracker="EyeLink 1000",
        participant=r"(P\d+)",
        missing="NaN, or (0, 0) or (-1, -1)",
        unsure=(
            _EYELINK_IS_TOP_LEFT,
            "the columns are those that pymovements asks for; no file was seen",
        ),
    ),
    Layout(
        name="gaze_on_faces",
        title="GazeOnFaces",
        columns={"t": "row[60Hz]", "x": "x", "y": "y"},
        no_header=("x", "y"),
        screen=Screen(1280, 1024, 380, 300, 570),
        rate_hz=60,
        tracker="EyeLink 1000",
        participant=r"gaze_sub(\d+)_trial\d+",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=("no header and no times: a row is a sixtieth of a second after the one above it",),
        unsure=(
            (
                f"{_BY_PYMOVEMENTS}; whether they are was not seen: where the gaze lies off the "
                "screen, use --columns"
            ),
            "that no row was left out",
        ),
    ),
    Layout(
        name="potsdam_binge_remote",
        title="Potsdam Binge PVT, EyeLink",
        columns={
            "t": "eyelink_timestamp[ms]",
            "right_x": "x_pix_eyelink",
            "right_y": "y_pix_eyelink",
            "pupil": "pupil_size_eyelink",
            "trial": "trial_id",
            "stimulus": "block_id",
        },
        mark=_PVT_MARK,
        screen=_PVT_SCREEN,
        rate_hz=1000,
        tracker="EyeLink 1000 Plus",
        participant=r"(\d+)_\d+_.+_\d+_\d+",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=(
            _PVT_DISTANCE,
            "the same files have the gaze of Pupil Core glasses: --layout potsdam_binge_wearable",
        ),
        unsure=(_EYELINK_IS_TOP_LEFT,),
    ),
    Layout(
        name="potsdam_binge_wearable",
        title="Potsdam Binge PVT, Pupil Core",
        columns={
            "t": "eyelink_timestamp[ms]",
            "left_x": "x_pix_pupilcore_interpolated",
            "left_y": "y_pix_pupilcore_interpolated",
            "pupil": "pupil_size_pupilcore_interpolated",
            "trial": "trial_id",
            "stimulus": "block_id",
        },
        screen=_PVT_SCREEN,
        rate_hz=1000,
        tracker="Pupil Core",
        participant=r"(\d+)_\d+_.+_\d+_\d+",
        missing="NaN, or (0, 0) or (-1, -1)",
        notes=(
            _PVT_DISTANCE,
            (
                "measured at about 200 Hz and interpolated to 1000 Hz by its makers: velocities "
                "and precision are not those of a tracker of 1000 Hz"
            ),
        ),
        unsure=(_BY_PYMOVEMENTS + "; they are taken from the top left, as EyeLink's beside them",),
    ),
    Layout(
        name="etdd70",
        title="ETDD70, gaze",
        columns={
            "t": "time[us]",
            "left_x": "gaze_x_left",
            "left_y": "gaze_y_left",
            "right_x": "gaze_x_right",
            "right_y": "gaze_y_right",
        },
        screen=Screen(1680, 1050),
        rate_hz=250,
        participant=r"Subject_(\d+)_.+_raw",
        missing="NaN, or (0, 0) or (-1, -1)",
        unsure=(
            (
                "pymovements takes the times for milliseconds, others who read these files for "
                "microseconds, as is done here: steps that are not those of 250 Hz are refused"
            ),
            "the eyes were 60 to 70 cm from a screen whose size was not found",
        ),
    ),
    Layout(
        name="ggtg",
        title="GGTG, gaze",
        columns={
            "t": "time[ms]",
            "x": "pixel_x",
            "y": "pixel_y",
            "stimulus": "stimulus",
        },
        screen=Screen(1100, 900, 312, 252, 660),
        rate_hz=1000,
        tracker="EyeLink 1000 Plus",
        participant=r"(P\d+)",
        missing="NaN, or (0, 0) or (-1, -1)",
        unsure=("the columns are those that pymovements asks for; no file was seen",),
    ),
    Layout(
        name="mcfw_gaze",
        title="MCFW-Gaze",
        columns={
            "t": "device_time_stamp[us]",
            "left_x": "left_gaze_point_on_display_area_x",
            "left_y": "left_gaze_point_on_display_area_y",
            "right_x": "right_gaze_point_on_display_area_x",
            "right_y": "right_gaze_point_on_display_area_y",
            "unit": "norm",
        },
        screen=Screen(1920, 1080, 310, 175, 650),
        rate_hz=120,
        tracker="Tobii Pro Fusion",
        missing="NaN",
        notes=(
            (
                "positions are fractions of the display area, as Tobii's software names them, "
                "though pymovements lists them as pixels"
            ),
        ),
        unsure=("the columns are those that pymovements asks for; no file was seen",),
    ),
    Layout(
        name="pymovements_toy",
        title="pymovements' toy data set",
        columns={"t": "timestamp[ms]", "x": "x", "y": "y"},
        mark=("timestamp", "x", "y", "stimuli_x", "stimuli_y"),
        screen=Screen(1280, 1024, 380, 302, 680),
        rate_hz=1000,
        tracker="EyeLink Portable Duo",
        missing="-32768",
        notes=("the page of the text is in the file's name, trial_TEXT_PAGE",),
    ),
)
