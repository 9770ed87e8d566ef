"""EyeLink Data Viewer sample reports: a row per sample, tab-separated, often named ``.xls``.

Specification: "EyeLink Data Viewer User Manual", SR Research, chapter "Sample Report". ``.`` marks
what is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import NoGaze
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import NO_TIME, check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.shared.gaze import gaze_columns
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.eyes import EYES
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
    lost=(
        "velocity, acceleration, resolution, messages, interest areas, variables of the experiment"
    ),
    source="EyeLink Data Viewer User Manual, Sample Report",
)
_TIME = "TIMESTAMP"
_QUANTITIES = {"x": "GAZE_X", "y": "GAZE_Y", "pupil": "PUPIL_SIZE"}
_OF_EYES = {
    f"{eye}_{key}": f"{eye.upper()}_{name}" for eye in EYES for key, name in _QUANTITIES.items()
}
_AVERAGE = {key: f"AVERAGE_{name}" for key, name in _QUANTITIES.items()}
_POSITIONS = [name for name in (*_OF_EYES.values(), *_AVERAGE.values()) if "_GAZE_" in name]
_TEXTS = {
    "recording": "RECORDING_SESSION_LABEL",
    "trial": "TRIAL_INDEX",
    "trial_label": "TRIAL_LABEL",
}
# A variable of the experiment, which has named it; in the order of preference.
_STIMULUS = ("IMAGE", "image", "IMAGE_NAME", "STIMULUS")
# Columns of a report about interest areas, which has no positions.
_OF_AREAS = {"IA_ID", "IA_LABEL", "IA_DWELL_TIME"}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    names = set(header.names)
    position = next((name for name in _POSITIONS if name in names), None)
    if _TIME in names and position is not None:
        return Verdict(Level.CERTAIN, f"columns {_TIME} and {position}")
    if names & _OF_AREAS and "CURRENT_FIX_X" not in names:
        what = "an interest area report of Data Viewer"
        return Verdict(Level.NO, what, instead="give the fixation or sample report")
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
    session = table.text("recording")[timed]
    if "recording" not in table.found:
        session[:] = head.stem
    check_clock(head, header, time[timed], timed, session)
    # A report may join sessions, each with a clock of its own.
    origins = pd.Series(time[timed]).groupby(session).transform("first").to_numpy(np.float64)
    gaze, eyes = _gaze(table)
    columns = gaze_columns({key: values[timed] for key, values in gaze.items()})
    columns |= {
        "recording": session,
        "trial": table.text("trial" if "trial" in table.found else "trial_label")[timed],
        "stimulus": table.text("stimulus")[timed],
        "t_ms": time[timed] - origins,
    }
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        eyes=eyes,
        origin_ms=float(origins[0]) if origins.size else 0.0,
        tracker="EyeLink",
        software="Data Viewer",
        rows_in=table.n_rows,
        dropped=counted({NO_TIME: ~timed}),
    )


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are that are used, and what they hold."""
    path = head.path
    wanted = header.needed({"t": _TIME}, "float64", path)
    wanted |= header.present({**_OF_EYES, **_AVERAGE}, "float64", path)
    if not {"left_x", "right_x", "x"} & set(wanted):
        hint = "add the gaze positions to the report"
        raise NoGaze("holds no gaze: no positions", path=path, line=header.lines, hint=hint)
    wanted |= header.present(_TEXTS, "text", path)
    stimulus = next((name for name in _STIMULUS if name in header.names), None)
    if stimulus is not None:
        wanted |= header.needed({"stimulus": stimulus}, "text", path)
    return wanted


def _gaze(table: Columns) -> tuple[dict[str, npt.NDArray[np.floating]], str]:
    """Return positions and pupils by `gaze_columns`' names, and which eyes they are of."""
    gaze = {key: table.number(key) for key in _OF_EYES}
    eyes = [eye for eye in EYES if np.isfinite(gaze[f"{eye}_x"]).any()]
    if eyes:
        return gaze, "binocular" if len(eyes) == 2 else eyes[0]
    # Only the average was exported: its pupil stands for both eyes.
    gaze["left_pupil"] = gaze["right_pupil"] = table.number("pupil")
    gaze |= {"x": table.number("x"), "y": table.number("y")}
    return gaze, "combined"
