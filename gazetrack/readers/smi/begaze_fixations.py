"""SMI BeGaze's event table: a row a fixation, saccade or blink, with times from the start of its trial."""

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
_END, _DURATION = "Event End Trial Time [ms]", "Event Duration [ms]"
# BeGaze 3.7 calls a fixation a visual intake.
_FIXATIONS = ("Fixation", "Visual Intake")
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
    """Return what the table calls a fixation, or an empty text when it has none with a time and a position."""
    names = set(header.names)
    if ONSET not in names or not {_END, _DURATION} & names:
        return ""
    return next(
        (kind for kind in _FIXATIONS if {_column(kind, axis) for axis in "XY"} <= names), ""
    )


def _column(kind: str, axis: str) -> str:
    return f"{kind} Position {axis} [px]"


def read_fixations(head: Head, header: Header, format: str) -> Recording:
    """Read the fixations; rows of other events are counted by their category.

    Parameters
    ----------
    head, header : Head, Header
        A table of which `position_of` says something.
    format : str
        Name of the reader.
    """
    table = read_columns(head, header, _wanted(head, header))
    category = (
        table.text("category")
        if "category" in table.found
        else np.full(table.n_rows, _FIXATIONS[0], object)
    )
    kept = np.isin(category, _FIXATIONS)
    others = Counter(
        f"{name if name in _OTHERS else 'another event'}, no fixation" for name in category[~kept]
    )
    onset = table.number("onset")
    duration = (
        table.number("duration") if "duration" in table.found else table.number("end") - onset
    )
    people, trial = (_text(table, name)[kept] for name in ("participant", "trial"))
    columns = {
        "recording": np.where(people == "", head.stem, people).astype(object),
        "participant": people,
        "stimulus": _text(table, "stimulus")[kept],
        "trial": trial,
        "index": np.nan_to_num(table.number("index"))[kept].astype(np.int32),
        "eye": eyes_of(_text(table, "eye")[kept]),
        "onset_ms": onset[kept],
        "duration_ms": duration[kept],
        "x_px": table.number("x")[kept],
        "y_px": table.number("y")[kept],
        "pupil": table.number("pupil")[kept],
    }
    recording = fixation_recording(head.stem, format, columns, int(kept.sum()))
    dropped = dict(sorted(others.items())) | dict(recording.dropped)
    return replace(recording, software="SMI BeGaze", rows_in=table.n_rows, dropped=dropped)


def _wanted(head: Head, header: Header) -> dict[str, tuple[int, Kind]]:
    kind = position_of(header)
    pupil = next(
        (name for name in (text.format(kind=kind) for text in _PUPILS) if name in header.names), ""
    )
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
