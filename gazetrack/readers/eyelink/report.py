"""EyeLink Data Viewer fixation reports: a row per fixation, of columns that the user chooses.

They are tab-separated text, often named ``.xls``.

Specification: "EyeLink Data Viewer User Manual", SR Research, "Fixation Report".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.fixation_rows import (
    end_to_end,
    eyes_of,
    fixation_recording,
    order_within,
    trials_from_onsets,
)
from gazetrack.readers.shared.gaze import pupils_of
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.tables.recording import Recording

FORMAT = Format(
    name="eyelink_report",
    title="SR Research Data Viewer fixation report",
    suffixes=(".xls", ".txt", ".csv"),
    provides="fixations",
    units="ms from the start of the trial, px",
    lost="all other columns of the report",
    source="EyeLink Data Viewer User Manual, Fixation Report",
)
_DURATION = "CURRENT_FIX_DURATION"
_POSITION = {"x": "CURRENT_FIX_X", "y": "CURRENT_FIX_Y"}
_NUMBERS = {
    "onset": "CURRENT_FIX_START",
    "index": "CURRENT_FIX_INDEX",
    "pupil": "CURRENT_FIX_PUPIL",
}
# Alternatives in the order of preference, compared without case.
_TEXTS = {
    "recording": ("RECORDING_SESSION_LABEL",),
    "trial": ("TRIAL_INDEX", "TRIAL_LABEL"),
    "eye": ("EYE_USED",),
    "stimulus": (
        "image",
        "image_name",
        "image_file",
        "stimulus",
        "stimulus_name",
        "picture",
        "picture_name",
    ),
}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    found = (
        [] if header is None else [name for name in header.names if name.startswith("CURRENT_FIX_")]
    )
    if not found:
        return NO
    if _DURATION not in found:
        return Verdict(
            Level.NO, f"a Data Viewer report without {_DURATION}", hint="add it to the report"
        )
    return Verdict(
        Level.LIKELY,
        "columns " + ", ".join(name for name in (*_POSITION.values(), _DURATION) if name in found),
    )


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a fixation report.

    Raises
    ------
    ParseError
        A damaged row or cell.
    """
    header = needed_header(head)
    table = read_columns(head, header, _wanted(header, head))
    notes: list[str] = []
    recording = (
        table.text("recording")
        if "recording" in table.found
        else np.full(table.n_rows, head.stem, object)
    )
    onset = table.number("onset").astype(np.float64)
    trial = _trials(table, recording, onset, notes)
    groups = np.array([f"{r}\0{t}" for r, t in zip(recording, trial, strict=True)], object)
    if "onset" in table.found:
        eye = table.text("eye")
        of_one_eye = np.array(
            [f"{group}\0{e}" for group, e in zip(groups, eye, strict=True)], object
        )
        check_clock(head, header, onset, np.ones(table.n_rows, np.bool_), of_one_eye)
    else:
        onset = end_to_end(groups, table.number("duration"))
        notes.append(
            "the report has no CURRENT_FIX_START: fixations laid end to end within a trial"
        )
    index = np.nan_to_num(table.number("index")) if "index" in table.found else order_within(groups)
    columns = {
        "recording": recording,
        "stimulus": table.text("stimulus"),
        "trial": trial,
        "index": index.astype(np.int32),
        "eye": eyes_of(table.text("eye")),
        "onset_ms": onset,
        "duration_ms": table.number("duration"),
        "pupil": pupils_of(table.number("pupil")),
    }
    if set(_POSITION) <= set(table.found):
        columns |= {"x_px": table.number("x"), "y_px": table.number("y")}
    else:
        notes.append(
            f"the report has no {' and '.join(_POSITION.values())}: fixations without positions"
        )
    return fixation_recording(head.stem, FORMAT.name, columns, table.n_rows, notes)


def _wanted(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    wanted: dict[str, tuple[int, Kind]] = {
        "duration": (header.index(_DURATION, head.path), "float64")
    }
    # Reports have positions or none; half of one is a column that got lost.
    placed = any(name in header.names for name in _POSITION.values())
    for key, name in {**_POSITION, **_NUMBERS}.items():
        if name in header.names or (placed and key in _POSITION):
            wanted[key] = header.index(name, head.path), "float64"
    lower = {name.lower(): name for name in reversed(header.names)}
    for key, names in _TEXTS.items():
        found = next((lower[name.lower()] for name in names if name.lower() in lower), None)
        if found is not None:
            wanted[key] = header.index(found, head.path), "text"
    return wanted


def _trials(
    table: Columns,
    recording: npt.NDArray[np.object_],
    onset: npt.NDArray[np.float64],
    notes: list[str],
) -> npt.NDArray[np.object_]:
    if "trial" in table.found or "onset" not in table.found:
        return table.text("trial")
    notes.append(
        "the report has no TRIAL_INDEX: a trial begins wherever CURRENT_FIX_START falls back"
    )
    return trials_from_onsets(recording, onset)
