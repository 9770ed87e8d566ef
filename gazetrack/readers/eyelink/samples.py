"""EyeLink Data Viewer sample reports: a row per sample, tab-separated, often named ``.xls``.

Specification: "EyeLink Data Viewer User Manual", SR Research, chapter "Sample Report". ``.`` marks
what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform

if TYPE_CHECKING:
    import numpy.typing as npt

FORMAT = Format(
    name="eyelink_samples",
    title="SR Research Data Viewer sample report",
    suffixes=(".xls", ".txt", ".csv"),
    provides="samples",
    units="ms, px; pupil as exported",
    lost="velocity, acceleration, resolution, messages, interest areas, variables of the experiment",
    source="EyeLink Data Viewer User Manual, Sample Report",
)
_POSITIONS = {
    f"{side.lower()}_{key}": f"{side}_{name}"
    for side in ("LEFT", "RIGHT")
    for key, name in (("x", "GAZE_X"), ("y", "GAZE_Y"), ("pupil", "PUPIL_SIZE"))
}
_AVERAGE = {"x": "AVERAGE_GAZE_X", "y": "AVERAGE_GAZE_Y", "pupil": "AVERAGE_PUPIL_SIZE"}
_TEXTS = {
    "recording": "RECORDING_SESSION_LABEL",
    "trial": "TRIAL_INDEX",
    "trial_label": "TRIAL_LABEL",
}
_STIMULUS = ("IMAGE", "image", "IMAGE_NAME", "STIMULUS")


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    names = set(header.names)
    positions = [
        name
        for name in (*_POSITIONS.values(), *_AVERAGE.values())
        if name in names and "_GAZE_" in name
    ]
    if "TIMESTAMP" in names and positions:
        return Verdict(Level.CERTAIN, f"columns TIMESTAMP and {positions[0]}")
    if names & {"IA_ID", "IA_LABEL", "IA_DWELL_TIME"} and "CURRENT_FIX_X" not in names:
        return Verdict(
            Level.NO, "an interest area report of Data Viewer", "give the fixation or sample report"
        )
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a report.

    Returns
    -------
    Recording
        Times count from the first sample of each session.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    table = read_columns(head, header, _wanted(head, header))
    time = table.number("t")
    timed = np.isfinite(time)
    sessions = (
        table.text("recording")
        if "recording" in table.found
        else np.full(table.n_rows, head.stem, object)
    )
    starts = {name: time[i] for i, name in reversed([*enumerate(sessions)]) if timed[i]}
    origins = np.array([starts.get(name, 0.0) for name in sessions], np.float64)
    check_clock(head, header, time[timed], timed, sessions[timed])
    gaze, eyes = _gaze(table)
    columns = gaze_columns({key: values[timed] for key, values in gaze.items()})
    columns |= {
        "recording": sessions[timed],
        "trial": table.text("trial" if "trial" in table.found else "trial_label")[timed],
        "stimulus": table.text("stimulus")[timed],
        "t_ms": (time - origins)[timed],
    }
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        eyes=eyes,
        origin_ms=float(origins[timed][0]) if timed.any() else 0.0,
        tracker="EyeLink",
        software="Data Viewer",
        rows_in=table.n_rows,
        dropped={} if timed.all() else {"no time": int((~timed).sum())},
    )


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {"t": (header.index("TIMESTAMP", head.path), "float64")}
    for key, name in {**_POSITIONS, **_AVERAGE}.items():
        if name in header.names and key not in wanted:
            wanted[key] = header.index(name, head.path), "float64"
    if not {"left_x", "right_x", "x"} & set(wanted):
        hint = "add the gaze positions to the report"
        raise NoGaze("holds no gaze: no positions", path=head.path, line=header.lines, hint=hint)
    for key, name in _TEXTS.items():
        if name in header.names:
            wanted[key] = header.index(name, head.path), "text"
    stimulus = next((name for name in _STIMULUS if name in header.names), None)
    if stimulus is not None:
        wanted["stimulus"] = header.index(stimulus, head.path), "text"
    return wanted


def _gaze(table: Columns) -> tuple[dict[str, npt.NDArray[np.floating]], str]:
    gaze = {
        f"{eye}_{key}": table.number(f"{eye}_{key}")
        for eye in ("left", "right")
        for key in ("x", "y", "pupil")
    }
    eyes = [eye for eye in ("left", "right") if np.isfinite(gaze[f"{eye}_x"]).any()]
    if eyes:
        return gaze, "binocular" if len(eyes) == 2 else eyes[0]
    pupil = table.number("pupil")
    combined = {
        "x": table.number("x"),
        "y": table.number("y"),
        "left_pupil": pupil,
        "right_pupil": pupil,
    }
    return gaze | combined, "combined"
