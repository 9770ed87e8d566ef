"""The rows of fixations in exports that name areas of interest, vendor by vendor.

A row says which fixation it belongs to, as the reader of the format numbers it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gazetrack.measures.aoi_files.gazepoint_rows import aoi_rows as gazepoint_rows
from gazetrack.readers.imotions import table_of
from gazetrack.readers.shared.fixation_rows import eyes_of
from gazetrack.readers.smi.begaze_fixations import ONSET, position_of
from gazetrack.readers.text.header import header_of
from gazetrack.readers.text.table import read_parts
from gazetrack.readers.tobii.studio_all import names_of
from gazetrack.readers.tobii.studio_header import layout_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gazetrack.measures.recorded import FixationKey
    from gazetrack.readers.head import Head
    from gazetrack.readers.text.header import Header, Kind
    from gazetrack.readers.text.table import Columns

_FIXATIONS = ("Fixation", "Visual Intake")
_EYES = {"left": "Left", "right": "Right", "both": "Binocular"}


class NamedRow(NamedTuple):
    """A row of a fixation: where it belongs, and the text that names its areas."""

    recording: str
    key: FixationKey
    stimulus: str
    aois: str


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A vendor's way to name areas.

    Parameters
    ----------
    name : str
        The name of its reader, in one word.
    title : str
        The software that wrote the export.
    rows : callable
        Yields the rows of fixations of an export.
    by_trial : bool
        Whether fixations are known by trial, number and eye, not by number alone.
    """

    name: str
    title: str
    rows: Callable[[Head], Iterator[NamedRow]]
    by_trial: bool = False


def vendor_of(head: Head) -> Vendor | None:
    """Return whose export it is by the columns it has, None where none of them names areas."""
    layout = layout_of(head)
    if layout is not None:
        return _STUDIO if "AoiNames" in layout.header.names else None
    header = header_of(table_of(head))
    if header is None:
        return None
    names = set(header.names)
    if {"AOI", "FPOGID", "FPOGX"} <= names:
        return _GAZEPOINT
    if {"FixationAOI", "FixationSeq"} <= names:
        return _IMOTIONS
    if ONSET in names and "AOI Name" in names:
        return _BEGAZE_EVENTS
    if any(_aoi(eye) in names and f"Index {eye}" in names for eye in _EYES.values()):
        return _BEGAZE
    return None


def _aoi(eye: str) -> str:
    return f"AOI Name {eye}"


def _parts(head: Head, header: Header, columns: dict[str, tuple[str, Kind]]) -> Iterator[Columns]:
    wanted = {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in columns.items()
        if name in header.names
    }
    return read_parts(head, header, wanted)


def _studio(head: Head) -> Iterator[NamedRow]:
    """Yield the rows of Tobii Studio that have the index of a fixation."""
    layout = layout_of(head)
    if layout is None:
        return
    recording, _ = names_of(head, layout)
    columns: dict[str, tuple[str, Kind]] = {
        "index": ("FixationIndex", "float64"),
        "aoi": ("AoiNames", "text"),
    }
    media = "StimuliName" if "StimuliName" in layout.header.names else "MediaName"
    columns["stimulus"] = (media, "text")
    for part in _parts(head, layout.header, columns):
        index = part.number("index")
        stimulus = part.text("stimulus")
        aois = part.text("aoi")
        for at in np.flatnonzero(np.isfinite(index)):
            yield NamedRow(recording, int(index[at]), stimulus[at], aois[at])


def _gazepoint(head: Head) -> Iterator[NamedRow]:
    """Yield the rows of Gazepoint, each of a fixation of its showing of a medium."""
    for showing, index, stimulus, aois in gazepoint_rows(head):
        yield NamedRow(showing, index, stimulus, aois)


def _imotions(head: Head) -> Iterator[NamedRow]:
    """Yield the rows of iMotions that have the number of a fixation."""
    table = table_of(head)
    header = header_of(table)
    if header is None:
        return
    columns: dict[str, tuple[str, Kind]] = {
        "index": ("FixationSeq", "float64"),
        "aoi": ("FixationAOI", "text"),
        "stimulus": ("StimulusName", "text"),
    }
    for part in _parts(table, header, columns):
        index = part.number("index")
        stimulus = part.text("stimulus")
        aois = part.text("aoi")
        for at in np.flatnonzero(index > 0):
            yield NamedRow(head.stem, int(index[at]), stimulus[at], aois[at])


def _begaze_events(head: Head) -> Iterator[NamedRow]:
    """Yield the fixations of BeGaze's table of events."""
    header = header_of(head)
    if header is None or not position_of(header):
        return
    columns: dict[str, tuple[str, Kind]] = {
        "participant": ("Participant", "text"),
        "trial": ("Trial", "text"),
        "stimulus": ("Stimulus", "text"),
        "category": ("Category", "text"),
        "eye": ("Eye L/R", "text"),
        "index": ("Index", "float64"),
        "aoi": ("AOI Name", "text"),
    }
    for part in _parts(head, header, columns):
        texts = {key: _without_hyphen(part, key) for key in columns if key != "index"}
        eyes = eyes_of(np.array(texts["eye"], object))
        index = np.nan_to_num(part.number("index"))
        for at in range(part.n_rows):
            if "category" in part.found and texts["category"][at] not in _FIXATIONS:
                continue
            key = (texts["trial"][at], int(index[at]), str(eyes[at]))
            recording = texts["participant"][at] or head.stem
            yield NamedRow(recording, key, texts["stimulus"][at], texts["aoi"][at])


def _begaze(head: Head) -> Iterator[NamedRow]:
    """Yield the rows of BeGaze's table of samples that belong to a fixation of an eye."""
    header = header_of(head)
    if header is None:
        return
    columns: dict[str, tuple[str, Kind]] = {
        "participant": ("Participant", "text"),
        "trial": ("Trial", "text"),
        "stimulus": ("Stimulus", "text"),
    }
    for key, eye in _EYES.items():
        columns[f"{key}_category"] = (f"Category {eye}", "text")
        columns[f"{key}_index"] = (f"Index {eye}", "float64")
        columns[f"{key}_aoi"] = (_aoi(eye), "text")
    # Where both eyes have one category together, fixations are those.
    eyes = ["both"] if "Category Binocular" in header.names else ["left", "right"]
    for part in _parts(head, header, columns):
        people = _without_hyphen(part, "participant")
        trials = _without_hyphen(part, "trial")
        stimuli = _without_hyphen(part, "stimulus")
        for eye in eyes:
            categories = part.text(f"{eye}_category")
            index = part.number(f"{eye}_index")
            aois = part.text(f"{eye}_aoi")
            for at in np.flatnonzero(np.isin(categories, _FIXATIONS) & np.isfinite(index)):
                fixation = (trials[at], int(index[at]), eye)
                yield NamedRow(people[at] or head.stem, fixation, stimuli[at], aois[at])


def _without_hyphen(part: Columns, key: str) -> list[str]:
    """Return a column of texts; a hyphen is BeGaze's empty cell."""
    return ["" if text == "-" else str(text) for text in part.text(key)]


_STUDIO = Vendor(name="tobii-studio", title="Tobii Studio", rows=_studio)
_GAZEPOINT = Vendor(name="gazepoint", title="Gazepoint Analysis", rows=_gazepoint)
_IMOTIONS = Vendor(name="imotions", title="iMotions", rows=_imotions)
_BEGAZE_EVENTS = Vendor(name="begaze", title="BeGaze", rows=_begaze_events, by_trial=True)
_BEGAZE = Vendor(name="begaze", title="BeGaze", rows=_begaze, by_trial=True)
