"""Exports of any length, of every format that trackers write long ones of.

A file is one block of rows, written again and again: between two blocks only the times go on, so
that gigabytes are written in seconds. In the rows, times stand behind an ``@``, which is not
written; all times of a format count the same ticks and have as many digits. XDF, which is no
text, is written in chunks.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS_A_BLOCK = 2400
_TIME = re.compile(rb"@([0-9.]+)")
_ZERO = ord("0")


@dataclass(frozen=True, kw_only=True)
class Growing:
    """A format that grows: what the file begins with, and how a row is written.

    Parameters
    ----------
    name : str
        What the file is called; readers that know a file by its name need it.
    head : str
        What comes before the rows.
    line : callable
        Given the time of a row in ticks, its place in the block and six numbers from 0 to 1,
        returns its text, lines end included.
    first, step : int
        The time of the first row, and the time between two rows, in ticks.
    """

    name: str
    head: str
    line: Callable[[int, int, list[float]], str]
    first: int
    step: int

    def write(self, path: Path, n_bytes: int) -> None:
        """Write a file of at least so many bytes.

        Parameters
        ----------
        path : pathlib.Path
            The file.
        n_bytes : int
            How long it gets, to the next whole block.
        """
        block, at, times = self._block()
        n_digits = at.shape[1]
        powers = 10 ** np.arange(n_digits - 1, -1, -1, dtype=np.int64)
        with path.open("wb") as file:
            file.write(self.head.encode())
            while file.tell() < n_bytes:
                if times.max() >= 10**n_digits:
                    raise ValueError(f"{self.name}: times of {n_digits} digits do not go so far")
                block[at] = times[:, None] // powers % 10 + _ZERO
                file.write(block.data)
                times += self.step * ROWS_A_BLOCK

    def _block(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the bytes of a block, where the digits of its times stand, and the times."""
        rng = np.random.default_rng(7)
        numbers = rng.uniform(0.0, 1.0, (ROWS_A_BLOCK, 6)).tolist()
        text = "".join(
            self.line(self.first + self.step * i, i, row) for i, row in enumerate(numbers)
        ).encode()
        at = []
        times = []
        for n_before, match in enumerate(_TIME.finditer(text)):
            digits = match[1].rstrip(b".").replace(b".", b"")
            # Each mark before it is a byte that is not written.
            start = match.start(1) - n_before - 1
            places = [start + i for i, char in enumerate(match[1].rstrip(b".")) if char != ord(".")]
            at.append(places)
            times.append(int(digits))
        block = np.frombuffer(text.replace(b"@", b""), np.uint8).copy()
        return block, np.array(at), np.array(times, np.int64)


def _px(row: list[float]) -> tuple[float, ...]:
    """Return gaze of both eyes in pixels: x and y of the left one, then of the right one."""
    x = 960.0 + 300.0 * row[0]
    y = 540.0 + 200.0 * row[1]
    return x, y, x + 4.0 * row[2], y + 4.0 * row[3]


def _seconds(ticks: int, decimals: int = 6) -> str:
    """Return a time in ticks as seconds, marked."""
    text = f"{ticks:012d}"
    return f"@{text[:-decimals]}.{text[-decimals:]}"


_ASC_HEAD = """** CONVERTED FROM grown.edf using edfapi 4.2.1 Linux
MSG\t1000000900 DISPLAY_COORDS 0 0 1919 1079
START\t1000001000 \tLEFT\tRIGHT\tSAMPLES\tEVENTS
PRESCALER\t1
VPRESCALER\t1
PUPIL\tAREA
EVENTS\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
SAMPLES\tGAZE\tLEFT\tRIGHT\tRATE\t1000.00\tTRACKING\tCR\tFILTER\t2
"""


def _asc(t: int, i: int, row: list[float], messages_each: int = 1000, own: bool = False) -> str:
    """Return a sample, and the messages and eye movements that come with it."""
    lines = ""
    if i % messages_each == messages_each // 2:
        lines += f"MSG\t@{t} SYNC {f'@{t}' if own else i}\n"
    left_x, left_y, right_x, right_y = _px(row)
    lines += f"@{t}\t{left_x:7.1f}\t{left_y:7.1f}\t{1000 * row[4]:7.1f}"
    lines += f"\t{right_x:7.1f}\t{right_y:7.1f}\t{1000 * row[5]:7.1f}\t.....\n"
    if i % 300 == 250:
        for eye in "LR":
            lines += f"EFIX {eye}   @{t - 250}\t@{t}\t251\t  960.0\t  540.0\t   1200\n"
    if i % 300 == 299:
        rest = "960.0\t540.0\t110.0\t700.0\t7.61\t312"
        lines += "".join(f"ESACC {eye}  @{t - 48}\t@{t}\t49\t{rest}\n" for eye in "LR")
    return lines


_ASC_TICKS = {"first": 1_000_001_000, "step": 1}

_PRO_HEAD = (
    "Recording timestamp\tComputer timestamp\tSensor\tProject name\tParticipant name\t"
    "Recording name\tTimeline name\tRecording Fixation filter name\tRecording software version\t"
    "Recording resolution height\tRecording resolution width\tEvent\tEvent value\tGaze point X\t"
    "Gaze point Y\tGaze point left X\tGaze point left Y\tGaze point right X\tGaze point right Y\t"
    "Pupil diameter left\tPupil diameter right\tValidity left\tValidity right\t"
    "Presented Stimulus name\tPresented Media name\tPresented Media width\t"
    "Presented Media height\tEye movement type\tGaze event duration\tEye movement type index\t"
    "Fixation point X\tFixation point Y\n"
)


def _pro(t: int, i: int, row: list[float]) -> str:
    who = (
        "Reading of images, second study\tParticipant 17\tRecording 3\tTimeline 1\t"
        "Tobii I-VT (Fixation)\t1.130.24185\t1080\t1920\t"
    )
    scene = f"image_{i // 300}\timage_{i // 300} (1)\t1920\t1080\t"
    if i % 100 == 99:
        empty = "\t" * 10
        return f"@{t}\t@{t}\t\t{who}MouseEvent\tDown, Left\t{empty}{scene}\t\t\t\t\n"
    numbers = "\t".join(f"{value:.0f}" for value in (960, 540, *_px(row)))
    kind = (
        f"Fixation\t250\t{i // 75}\t960\t540\n" if i % 75 < 63 else f"Saccade\t48\t{i // 75}\t\t\n"
    )
    pupils = f"{2 + row[4]:.3f}\t{2 + row[5]:.3f}\tValid\tValid\t"
    return f"@{t}\t@{t}\tEye Tracker\t{who}\t\t{numbers}\t{pupils}{scene}{kind}"


def _core(t: int, i: int, row: list[float]) -> str:
    s = _seconds(t)
    return (
        f"{s},{i},0.98,{row[0]:.12f},{row[1]:.12f},{s}-0 {s}-1,{row[2]:.10f},{row[3]:.10f},"
        f"{row[4]:.10f}\n"
    )


def _gazepoint(t: int, i: int, row: list[float]) -> str:
    fixation = i // 40
    return (
        f"0,scan_a,{i},{_seconds(t)},@{t:012d},{row[0]:.5f},{row[1]:.5f},0.0000,0.2500,"
        f"{fixation},1,{row[2]:.5f},{row[3]:.5f},1,1,1,3.5,1,3.7,1,,\n"
    )


def _glasses3(t: int, i: int, row: list[float]) -> str:  # noqa: ARG001
    x, y, *rest = row
    return (
        f'{{"type": "gaze", "timestamp": {_seconds(t)}, "data": {{"gaze2d": [{x:.6f}, {y:.6f}], '
        f'"gaze3d": [{rest[0]:.4f}, {rest[1]:.4f}, 800.0], '
        f'"eyeleft": {{"pupildiameter": {2 + rest[2]:.4f}}}, '
        f'"eyeright": {{"pupildiameter": {2 + rest[3]:.4f}}}}}}}\n'
    )


def _glasses2(t: int, i: int, row: list[float]) -> str:
    left = (
        f'{{"ts": @{t:012d}, "s": 0, "gidx": @{t:012d}, "pd": {2 + row[4]:.2f}, "eye": "left"}}\n'
    )
    gaze = f'"gp": [{row[0]:.4f}, {row[1]:.4f}]'
    start = f'{{"ts": @{t:012d}, "s": 0, "gidx": @{t:012d}, "l": {i % 7}, '
    return f"{left}{start}{gaze}}}\n"


def _cloud(t: int, i: int, row: list[float]) -> str:
    # A number that never comes again, as a fixation's: the time of its first sample.
    first = t - i % 40 * 5_000_000
    return (
        f"s-1,rec-a,@{t:019d},{1600 * row[0]:.3f},{1200 * row[1]:.3f},1.0,"
        f"@{first:019d},,{row[2]:.6f},{row[3]:.6f}\n"
    )


def _studio(t: int, i: int, row: list[float]) -> str:
    a, b, c, d = (f"{value:.0f}" for value in _px(row))
    return (
        f"@{t:012d}\t10:00:00.100\t{i}\t{a}\t{b}\t3.1\t0\t{c}\t{d}\t3.3\t0\t{i // 40}\t{a}\t{b}"
        "\t\t\t\t\t\tscan.jpg\t1000\t1000\t140\t12\t165\t393\t34\t\n"
    )


_STUDIO_HEAD = """System Properties:
Machine Name:\tLAB

Recording name:\tRec 07
Recording resolution:\t1920 x 1080

Participant:\tP9
Timestamps are in milliseconds

Timestamp\tDateTimeStamp\tNumber\tGazePointXLeft\tGazePointYLeft\tPupilLeft\t\
ValidityLeft\tGazePointXRight\tGazePointYRight\tPupilRight\tValidityRight\t\
FixationIndex\tGazePointX\tGazePointY\tEvent\tEventKey\tData1\tData2\tDescriptor\t\
StimuliName\tMediaWidth\tMediaHeight\tMediaPosX\tMediaPosY\tMappedFixationPointX\t\
MappedFixationPointY\tFixationDuration\t
"""


def _smi(t: int, i: int, row: list[float]) -> str:
    if i % 600 == 0:
        return f"@{t:012d}\tMSG\t1\t# Message: image_{i // 600}.png\n"
    a, b, c, d = _px(row)
    return f"@{t:012d}\tSMP\t1\t3.10\t{a:.2f}\t{b:.2f}\t3.20\t{c:.2f}\t{d:.2f}\n"


_SMI_HEAD = """## [iView]
## Version:\tIDF Converter 3.0.1
## Sample Rate:\t250
## Calibration Area:\t1920\t1080
Time\tType\tTrial\tL Mapped Diameter [mm]\tL POR X [px]\tL POR Y [px]\t\
R Mapped Diameter [mm]\tR POR X [px]\tR POR Y [px]
"""


def _data_viewer(t: int, i: int, row: list[float]) -> str:
    a, b, c, d = _px(row)
    scan = i // 600
    gaze = f"{a:.1f}\t{b:.1f}\t900\t{c:.1f}\t{d:.1f}\t880"
    return f"s1\t{scan}\t@{t:012d}\t{gaze}\tscan_{scan}.png\n"


_DATA_VIEWER_HEAD = (
    "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tTIMESTAMP\tLEFT_GAZE_X\tLEFT_GAZE_Y\tLEFT_PUPIL_SIZE\t"
    "RIGHT_GAZE_X\tRIGHT_GAZE_Y\tRIGHT_PUPIL_SIZE\tIMAGE\n"
)


def _begaze(t: int, i: int, row: list[float]) -> str:
    a, b, _, _ = _px(row)
    kind = "Fixation" if i % 40 < 34 else "Saccade"
    return f"@{t:012d};Trial001;a.png;P07;{kind};{i // 40 + 1};12.5;12.0;{a:.2f};{b:.2f}\n"


_BEGAZE_HEAD = (
    "RecordingTime [ms];Trial;Stimulus;Participant;Category Binocular;Index Binocular;"
    "Pupil Size Right X [px];Pupil Size Left X [px];Point of Regard Binocular X [px];"
    "Point of Regard Binocular Y [px]\n"
)


def _eyetribe(t: int, i: int, row: list[float]) -> str:
    a, b, _, _ = _px(row)
    fixating = i % 40 < 34
    return (
        f"2020-01-31 10:00:02.000\t@{t:012d}\t{fixating}\t7\t{a:.2f}\t{b:.2f}\t{a:.2f}\t{b:.2f}"
        "\t20.5\n"
    )


def _adhawk(t: int, i: int, row: list[float]) -> str:
    return (
        f"{_seconds(t)},0.1,0.05,-1.0,0.1,0.05,-0.9,0.1,0.05,-0.9,0.06,{row[0]:.5f},{row[1]:.5f},"
        f"{i},\n"
    )


def _generic(t: int, i: int, row: list[float]) -> str:  # noqa: ARG001
    a, b, _, _ = _px(row)
    return f"@{t:012d},{a:.3f},{b:.3f},scan.png\n"


def _imotions(t: int, i: int, row: list[float]) -> str:
    a, b, c, d = _px(row)
    return f"{i},@{t:012d},2,,,grey,{a:.2f},{b:.2f},{c:.2f},{d:.2f},3.5,3.25,\n"


_IMOTIONS_HEAD = """#METADATA,,,,,,,,
#Study name,S,,,,,,,
#DATA,,,,,,,,
Row,Timestamp,EventSource,SlideEvent,StimType,SourceStimuliName,\
ET_GazeLeftx,ET_GazeLefty,ET_GazeRightx,ET_GazeRighty,ET_PupilLeft,ET_PupilRight,GSR RAW
"""


def _viewpoint(t: int, i: int, row: list[float]) -> str:
    x, y, *_ = row
    return (
        f"10\t{_seconds(t)}\t4.0000\t{x:.4f}\t{y:.4f}\t-1\t0.2000\t0.1900\t0\t{x:.4f}\t{y:.4f}\t-1"
        f"\t0.2200\t0.2000\t0\t{i}\n"
    )


_VIEWPOINT_HEAD = (
    "3\tScreenSize\t300.0\t240.0\n"
    "6\tATT\tADT\tALX\tALY\tARI\tAPW\tAPH\tAQU\tBLX\tBLY\tBRI\tBPW\tBPH\tBQU\tCNT\n"
)


def _vive(t: int, i: int, row: list[float]) -> str:  # noqa: ARG001
    return f"clip_a\t{_seconds(t)}\tFalse\t{0.1 * row[0]:.5f}\t{0.1 * row[1]:.5f}\t0.99\n"


def _bids(t: int, i: int, row: list[float]) -> str:  # noqa: ARG001
    return "@{:012d}\t{:.1f}\t{:.1f}\t{:.1f}\t{:.1f}\n".format(t, *_px(row))


def _arff(t: int, i: int, row: list[float]) -> str:
    a, b, _, _ = _px(row)
    return f"@{t:012d},{a:.2f},{b:.2f},1,{i // 40 % 4},{i // 40 % 4}\n"


_ARFF_HEAD = """%%METADATA width_px 1920
%%METADATA height_px 1080
%%relation 'gaze com'

%%attribute time integer
%%attribute x numeric
%%attribute y numeric
%%attribute confidence numeric
%%attribute handlabeller1 integer
%%attribute handlabeller_final integer

%%data
""".replace("%%M", "%@M").replace("%%", "@")


def _sdk(t: int, i: int, row: list[float]) -> str:  # noqa: ARG001
    x, y, u, v, *_ = row
    return f"@{t:012d},{x:.6f},{y:.6f},1,{u:.6f},{v:.6f},1,3.5,3.25\n"


_SDK_HEAD = (
    "device_time_stamp,left_gaze_point_on_display_area_x,left_gaze_point_on_display_area_y,"
    "left_gaze_point_validity,right_gaze_point_on_display_area_x,"
    "right_gaze_point_on_display_area_y,right_gaze_point_validity,left_pupil_diameter,"
    "right_pupil_diameter\n"
)


def _asc_with_messages(t: int, i: int, row: list[float]) -> str:
    return _asc(t, i, row, messages_each=10)


def _asc_with_own_messages(t: int, i: int, row: list[float]) -> str:
    return _asc(t, i, row, messages_each=10, own=True)


_MICROSECONDS = {"first": 100_000_000_000, "step": 5000}
_MILLISECONDS = {"first": 100_000_000_000, "step": 4}

FORMATS: dict[str, Growing] = {
    "eyelink_asc": Growing(name="raw.asc", head=_ASC_HEAD, line=_asc, **_ASC_TICKS),
    "eyelink_asc, a message each 10 samples": Growing(
        name="raw.asc", head=_ASC_HEAD, line=_asc_with_messages, **_ASC_TICKS
    ),
    "eyelink_asc, no message twice": Growing(
        name="raw.asc", head=_ASC_HEAD, line=_asc_with_own_messages, **_ASC_TICKS
    ),
    "tobii_pro": Growing(name="raw.tsv", head=_PRO_HEAD, line=_pro, **_MILLISECONDS),
    "pupil_core": Growing(
        name="gaze_positions.csv",
        head="gaze_timestamp,world_index,confidence,norm_pos_x,norm_pos_y,base_data,"
        "gaze_point_3d_x,gaze_point_3d_y,gaze_point_3d_z\n",
        line=_core,
        **_MICROSECONDS,
    ),
    "tobii_glasses3": Growing(name="gazedata", head="", line=_glasses3, **_MICROSECONDS),
    "tobii_glasses2": Growing(name="livedata.json", head="", line=_glasses2, **_MICROSECONDS),
    "gazepoint": Growing(
        name="User 1_all_gaze.csv",
        head="MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/03/05 09:10:11.500),TIMETICK(f=10000000),FPOGX,"
        "FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,BPOGX,BPOGY,BPOGV,LPV,RPV,LPMM,LPMMV,RPMM,RPMMV,AOI,\n",
        line=_gazepoint,
        **_MICROSECONDS,
    ),
    "pupil_cloud": Growing(
        name="gaze.csv",
        head="section id,recording id,timestamp [ns],gaze x [px],gaze y [px],worn,fixation id,"
        "blink id,azimuth [deg],elevation [deg]\n",
        line=_cloud,
        first=1_700_000_000_000_000_001,
        step=5_000_000,
    ),
    "tobii_studio": Growing(name="raw.tsv", head=_STUDIO_HEAD, line=_studio, **_MILLISECONDS),
    "smi": Growing(name="raw.txt", head=_SMI_HEAD, line=_smi, first=100_000_000_000, step=4000),
    "begaze": Growing(name="raw.txt", head=_BEGAZE_HEAD, line=_begaze, **_MILLISECONDS),
    "eyelink_samples": Growing(
        name="report.txt", head=_DATA_VIEWER_HEAD, line=_data_viewer, **_MILLISECONDS
    ),
    "eyetribe": Growing(
        name="raw.tsv",
        head="timestamp\ttime\tfix\tstate\trawx\trawy\tavgx\tavgy\tpsize\n",
        line=_eyetribe,
        first=100_000_000_000,
        step=33,
    ),
    "adhawk": Growing(
        name="gaze_data.csv",
        head="Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Gaze_X_Right,Gaze_Y_Right,Gaze_Z_Right,Gaze_X_Left,"
        "Gaze_Y_Left,Gaze_Z_Left,Vergence,Image_X,Image_Y,Frame_Index,UTC_Time\n",
        line=_adhawk,
        **_MICROSECONDS,
    ),
    "imotions": Growing(name="raw.csv", head=_IMOTIONS_HEAD, line=_imotions, **_MILLISECONDS),
    "viewpoint": Growing(name="raw.txt", head=_VIEWPOINT_HEAD, line=_viewpoint, **_MICROSECONDS),
    "vr_headset": Growing(
        name="raw.csv",
        head="Video Name\tTimeline\tEye Left Blinking\tCombine Eye Gaze Vector. x\t"
        "Combine Eye Gaze Vector. y\tCombine Eye Gaze Vector. z\n",
        line=_vive,
        first=0,
        step=20_000,
    ),
    "bids": Growing(
        name="sub-1_eyetrack.tsv",
        head="timestamp\teye1_x_coordinate\teye1_y_coordinate\teye2_x_coordinate\t"
        "eye2_y_coordinate\n",
        line=_bids,
        **_MILLISECONDS,
    ),
    "arff": Growing(name="raw.arff", head=_ARFF_HEAD, line=_arff, **_MICROSECONDS),
    "tobii_sdk": Growing(name="raw.csv", head=_SDK_HEAD, line=_sdk, **_MICROSECONDS),
    "generic": Growing(name="raw.csv", head="time_ms,x,y,image\n", line=_generic, **_MILLISECONDS),
}


def write(kind: str, path: Path, n_bytes: int) -> None:
    """Write an export of a format, or an XDF file, of at least so many bytes.

    Parameters
    ----------
    kind : str
        A name of `FORMATS`, or ``xdf``.
    path : pathlib.Path
        The file.
    n_bytes : int
        How long it gets.
    """
    if kind == XDF:
        _write_xdf(path, n_bytes)
    else:
        FORMATS[kind].write(path, n_bytes)


XDF = "xdf"
_XDF_SAMPLES = 500  # a chunk


def _write_xdf(path: Path, n_bytes: int) -> None:
    """Write a stream of binocular gaze at 500 Hz, in chunks of a second."""
    labels = ("Left_Gaze_X", "Left_Gaze_Y", "Right_Gaze_X", "Right_Gaze_Y")
    channels = "".join(
        f"<channel><label>{label}</label><type>Gaze</type><unit>pixels</unit></channel>"
        for label in labels
    )
    header = (
        '<?xml version="1.0"?><info><name>Tracker</name><type>Gaze</type><channel_count>4'
        "</channel_count><nominal_srate>500</nominal_srate><channel_format>float32"
        f"</channel_format><desc><channels>{channels}</channels></desc></info>"
    )
    version = b'<?xml version="1.0"?><info><version>1.0</version></info>'
    gaze = np.random.default_rng(7).uniform(100.0, 900.0, (_XDF_SAMPLES, 4)).astype(np.float32)
    row = np.dtype([("width", "u1"), ("t", "<f8"), ("gaze", "<f4", 4)])
    rows = np.zeros(_XDF_SAMPLES, row)
    rows["width"] = 8
    rows["gaze"] = gaze
    stream = struct.pack("<I", 1)
    n_rows = 0
    with path.open("wb") as file:
        file.write(b"XDF:" + _chunk(1, version) + _chunk(2, stream + header.encode()))
        while file.tell() < n_bytes:
            rows["t"] = 1000.0 + (n_rows + np.arange(_XDF_SAMPLES)) / 500.0
            count = b"\x04" + struct.pack("<I", _XDF_SAMPLES)
            file.write(_chunk(3, stream + count + rows.tobytes()))
            n_rows += _XDF_SAMPLES
        footer = f'<?xml version="1.0"?><info><sample_count>{n_rows}</sample_count></info>'
        file.write(_chunk(6, stream + footer.encode()))


def _chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<I", len(content) + 2) + struct.pack("<H", tag) + content
