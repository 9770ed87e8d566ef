"""EyeLink Data Viewer fixation reports: a row per fixation, of columns that the user chooses.

They are tab-separated text, often named ``.xls``. Specification: "EyeLink Data Viewer User Manual",
SR Research, chapter "Fixation Report".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.fixation_rows import (
    end_to_end,
    eyes_of,
    fixation_recording,
    numbers_of,
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
_NO_START = "the report has no CURRENT_FIX_START: fixations laid end to end within a trial"
_NO_TRIAL = "the report has no TRIAL_INDEX: a trial begins wherever CURRENT_FIX_START falls back"
# Of so many fixations or more, most are followed by another one of their trial.
_LEAST_ROWS = 4
_NO_POSITION = f"the report has no {' and '.join(_POSITION.values())}: fixations without positions"


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None or not any(name.startswith("CURRENT_FIX_") for name in header.names):
        return NO
    if _DURATION not in header.names:
        what = f"a Data Viewer report without {_DURATION}"
        return Verdict(Level.NO, what, hint="add it to the report")
    found = [name for name in (*_POSITION.values(), _DURATION) if name in header.names]
    return Verdict(Level.LIKELY, f"columns {', '.join(found)}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read a fixation report.

    Raises
    ------
    ParseError
        A damaged row or cell.
    """
    columns, n_rows, notes = rows_of(head)
    if "x_px" not in columns:
        notes.append(_NO_POSITION)
    return fixation_recording(head.stem, FORMAT.name, columns, n_rows, notes)


def rows_of(head: Head) -> tuple[dict[str, npt.NDArray[Any]], int, list[str]]:
    """Return the columns of all rows of a fixation report, also of those that are no fixations.

    Parameters
    ----------
    head : Head
        The first look at the report.

    Returns
    -------
    dict of str to ndarray, int, list of str
        Columns of `schema.FIXATIONS`, their length, and what was inferred, for the user.

    Raises
    ------
    ParseError
        A damaged row or cell.
    """
    header = needed_header(head)
    table = read_columns(head, header, _wanted(header, head))
    notes: list[str] = []
    recording = table.text("recording")
    if "recording" not in table.found:
        recording[:] = head.stem
    has_onsets = "onset" in table.found
    onset = table.number("onset").astype(np.float64)
    trial = _trials(table, recording, onset, notes)
    of_trial = numbers_of(recording, trial)
    if has_onsets:
        # Fixations of the two eyes overlap: each eye has an order of its own.
        of_one_eye = numbers_of(recording, trial, table.text("eye"))
        check_clock(head, header, onset, np.ones(table.n_rows, np.bool_), of_one_eye)
    else:
        onset = end_to_end(of_trial, table.number("duration"))
        notes.append(_NO_START)
    has_index = "index" in table.found
    index = table.number("index") if has_index else order_within(of_trial)
    columns: dict[str, npt.NDArray[Any]] = {
        "recording": recording,
        "stimulus": table.text("stimulus"),
        "trial": trial,
        "index": index,
        "eye": eyes_of(table.text("eye")),
        "onset_ms": onset,
        "duration_ms": table.number("duration"),
        "pupil": pupils_of(table.number("pupil")),
    }
    if set(_POSITION) <= set(table.found):
        columns |= {"x_px": table.number("x"), "y_px": table.number("y")}
    return columns, table.n_rows, notes


def _wanted(header: Header, head: Head) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are that are used, and what they hold."""
    path = head.path
    wanted = header.needed({"duration": _DURATION}, "float64", path)
    # Reports have positions or none; half of one is a column that got lost.
    any_position = any(name in header.names for name in _POSITION.values())
    if any_position:
        wanted |= header.needed(_POSITION, "float64", path)
    wanted |= header.present(_NUMBERS, "float64", path)
    spelt = {name.lower(): name for name in reversed(header.names)}
    for key, alternatives in _TEXTS.items():
        found = [spelt[name.lower()] for name in alternatives if name.lower() in spelt]
        if found:
            wanted |= header.needed({key: found[0]}, "text", path)
    return wanted


def _trials(
    table: Columns,
    recording: npt.NDArray[np.object_],
    onset: npt.NDArray[np.float64],
    notes: list[str],
) -> npt.NDArray[np.object_]:
    """Return the trial of each fixation, by the report or else by its onsets."""
    if "trial" in table.found or "onset" not in table.found:
        return table.text("trial")
    notes.append(_NO_TRIAL)
    trials = trials_from_onsets(recording, onset)
    n_trials = len(set(zip(recording, trials, strict=True)))
    if len(trials) >= _LEAST_ROWS and 2 * n_trials > len(trials):
        notes.append(
            f"{n_trials} trials of {len(trials)} fixations: are the rows in the order of time?"
        )
    return trials
