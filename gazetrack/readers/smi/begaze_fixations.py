"""SMI BeGaze's event table: a row a fixation, saccade or blink.

Specification: "BeGaze Manual", SensoMotoric Instruments, "Metrics Export, Events". Times count from
the start of the trial.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.shared.fixation_rows import eyes_of, fixation_recording
from gazetrack.readers.text.table import Columns, read_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from gazetrack.readers.base import Head
    from gazetrack.readers.text.header import Header, Kind
    from gazetrack.tables.recording import Recording

ONSET = "Event Start Trial Time [ms]"
_END = "Event End Trial Time [ms]"
_DURATION = "Event Duration [ms]"
# BeGaze 3.7 calls a fixation a visual intake.
_FIXATIONS = ("Fixation", "Visual Intake")
_ROUNDED_MS = 2.0  # start, end and duration are each rounded for themselves
_OTHERS = ("Saccade", "Blink", "User Event")
_PUPILS = ("{kind} Average Pupil Diameter [mm]", "{kind} Average Pupil Size [px] X")
_TEXTS = {
    "participant": "Participant",
    "trial": "Trial",
    "stimulus": "Stimulus",
    "category": "Category",
    "eye": "Eye L/R",
}


def position_of(header: Header) -> str:
    """Return what the table calls a fixation.

    It is an empty text when the table has no fixations with a time and a position.
    """
    names = set(header.names)
    if ONSET not in names or not {_END, _DURATION} & names:
        return ""
    for kind in _FIXATIONS:
        if {_column(kind, "X"), _column(kind, "Y")} <= names:
            return kind
    return ""


def _column(kind: str, axis: str) -> str:
    return f"{kind} Position {axis} [px]"


def read_fixations(head: Head, header: Header, format: str) -> Recording:
    """Read the fixations; rows of other events are counted by their category.

    Parameters
    ----------
    head, header : Head, Header
        A table of which `position_of` says something.
    format : str
        The name of the reader, which the recording keeps.
    """
    table = read_columns(head, header, _wanted(head, header))
    category = np.full(table.n_rows, _FIXATIONS[0], object)
    if "category" in table.found:
        category = table.text("category")
    kept = np.isin(category, _FIXATIONS)
    others: Counter[str] = Counter()
    for name in category[~kept]:
        known = name if name in _OTHERS else "another event"
        others[f"{known}, no fixation"] += 1
    onset = table.number("onset")
    duration = table.number("end") - onset
    notes = []
    if "duration" in table.found:
        differs = np.abs(duration - table.number("duration")) > _ROUNDED_MS
        if n_differ := int(np.count_nonzero(differs & kept)):
            notes.append(f"{n_differ} fixations do not end at their start plus their duration")
        duration = table.number("duration")
    people = _text(table, "participant")[kept]
    columns = {
        "recording": np.where(people == "", head.stem, people).astype(object),
        "participant": people,
        "stimulus": _text(table, "stimulus")[kept],
        "trial": _text(table, "trial")[kept],
        "index": table.number("index")[kept],
        "eye": eyes_of(_text(table, "eye")[kept]),
        "onset_ms": onset[kept],
        "duration_ms": duration[kept],
        "x_px": table.number("x")[kept],
        "y_px": table.number("y")[kept],
        "pupil": table.number("pupil")[kept],
    }
    recording = fixation_recording(head.stem, format, columns, int(kept.sum()), notes)
    dropped = dict(sorted(others.items())) | dict(recording.dropped)
    return replace(recording, software="SMI BeGaze", rows_in=table.n_rows, dropped=dropped)


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    kind = position_of(header)
    pupils = [pattern.format(kind=kind) for pattern in _PUPILS]
    pupil = next((name for name in pupils if name in header.names), "")
    names: dict[str, tuple[str, Kind]] = {
        "onset": (ONSET, "float64"),
        "end": (_END, "float64"),
        "duration": (_DURATION, "float64"),
        "x": (_column(kind, "X"), "float32"),
        "y": (_column(kind, "Y"), "float32"),
        "pupil": (pupil, "float32"),
        "index": ("Index", "float64"),
    }
    names |= {key: (name, "text") for key, name in _TEXTS.items()}
    return {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in names.items()
        if name in header.names
    }


def _text(table: Columns, key: str) -> npt.NDArray[np.object_]:
    """Return a column of texts; a hyphen is BeGaze's empty cell."""
    values = table.text(key)
    values[values == "-"] = ""
    return values
