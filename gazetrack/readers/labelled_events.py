"""Tables of eye movements with a label each, as classification tools write them.

Sources: "REMoDNaV", Dar, Wagner & Hanke 2021 (onset and duration in s, labels FIXA, SACC, PURS, …;
also as events of a BIDS data set such as studyforrest); "EMDAT" (label, start and end in µs,
duration in ms).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gazetrack.errors import quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.counts import counted
from gazetrack.readers.text.header import Header, Kind, header_of, needed_header
from gazetrack.readers.text.table import Columns, read_columns
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, conform

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

FORMAT = Format(
    name="labelled_events",
    title="Labelled eye movements (REMoDNaV, EMDAT)",
    suffixes=(".tsv", ".csv"),
    provides="fixations, saccades and other events",
    units="s (REMoDNaV) or µs and ms (EMDAT), converted to ms; px as exported",
    lost="median and average velocities",
    source="https://github.com/psychoinformatics-de/remodnav",
)
_REMODNAV = {"onset", "duration", "label", "start_x", "start_y", "end_x", "end_y"}
_EMDAT = {"label", "x", "y", "start", "end", "duration"}
# The columns by our names; what is not required may be left out.
_OF_REMODNAV = {
    "onset": "onset",
    "duration": "duration",
    "x": "start_x",
    "y": "start_y",
    "end_x": "end_x",
    "end_y": "end_y",
    "amplitude": "amp",
    "peak_velocity": "peak_vel",
}
_OF_EMDAT = {"onset": "start", "duration": "duration", "x": "x", "y": "y"}
_REQUIRED = {"onset", "duration", "x", "y"}
_KINDS = {
    # REMoDNaV's: pursuit, and post-saccadic oscillations of high and low velocity, have no kind.
    "fixa": "fixation",
    "sacc": "saccade",
    "isac": "saccade",
    "purs": "unclassified",
    "hpso": "unclassified",
    "lpso": "unclassified",
    "ihps": "unclassified",
    "ilps": "unclassified",
    # EMDAT's.
    "fixation": "fixation",
    "saccade": "saccade",
    "blink": "blink",
}


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    for program, names in (("REMoDNaV", _REMODNAV), ("EMDAT", _EMDAT)):
        if names <= set(header.names):
            found = ", ".join(name for name in header.names if name in names)
            return Verdict(Level.CERTAIN, f"columns {found} of {program}")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read the events.

    Returns
    -------
    Recording
        Without samples. Onsets of REMoDNaV count from its own zero, those of EMDAT from the first
        event.

    Raises
    ------
    ParseError
        A missing column, or a damaged row or cell.
    """
    header = needed_header(head)
    remodnav = set(header.names) >= _REMODNAV
    table = read_columns(head, header, _wanted(head, header, remodnav))
    onset = table.number("onset") * (1e3 if remodnav else 1e-3)
    duration = table.number("duration") * (1e3 if remodnav else 1.0)
    labels = np.array([label.strip().lower() for label in table.text("label")], object)
    usable = np.isfinite(onset) & (duration >= 0)
    known = onset[usable]
    check_clock(head, header, known, usable)
    origin = 0.0 if remodnav or not known.size else float(known[0])
    notes: list[str] = []
    if not remodnav:
        notes.append("positions kept as EMDAT gives them: their unit is not in the file")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=None,
        event_table=_events(
            head.stem,
            table,
            onset=onset - origin,
            duration=duration,
            labels=labels,
            usable=usable,
            notes=notes,
        ),
        origin_ms=origin,
        software="REMoDNaV" if remodnav else "EMDAT",
        rows_in=table.n_rows,
        dropped=counted({"no onset or duration": ~usable}),
        notes=tuple(notes),
    )


def _wanted(head: Head, header: Header, remodnav: bool) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names = _OF_REMODNAV if remodnav else _OF_EMDAT
    wanted: dict[str, tuple[int, Kind]] = {"label": (header.index("label", head.path), "text")}
    for key, name in names.items():
        if key in _REQUIRED or name in header.names:
            wanted[key] = header.index(name, head.path), "float64"
    return wanted


def _positions(
    table: Columns, fixation: npt.NDArray[np.bool_], notes: list[str]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Return where each event begins.

    A fixation lies midway between there and where it ends, where the table tells both.
    """
    x = table.number("x")
    y = table.number("y")
    end_x = table.number("end_x")
    end_y = table.number("end_y")
    placed = np.isfinite(x) & np.isfinite(y)
    known = np.isfinite(end_x) & np.isfinite(end_y)
    endless = int(np.count_nonzero(fixation & placed & ~known))
    if endless and {"end_x", "end_y"} & set(table.found):
        notes.append(f"{endless} fixations without an end: they lie where they begin")
    midway = fixation & known
    return np.where(midway, (x + end_x) / 2, x), np.where(midway, (y + end_y) / 2, y)


def _events(
    name: str,
    table: Columns,
    *,
    onset: npt.NDArray[np.floating],
    duration: npt.NDArray[np.floating],
    labels: npt.NDArray[np.object_],
    usable: npt.NDArray[np.bool_],
    notes: list[str],
) -> pa.Table:
    """Return the usable rows as events; labels that we do not know are events without a kind."""
    kinds = np.array([_KINDS.get(label, "unclassified") for label in labels], object)
    unknown = sorted(set(labels) - set(_KINDS))
    if unknown:
        notes.append(f"labels taken as unclassified: {quote(', '.join(unknown[:5]), 120)}")
    fixation = kinds == "fixation"
    x, y = _positions(table, fixation, notes)
    kind = pd.Series(kinds[usable])
    columns = {
        "recording": name,
        "kind": kinds[usable],
        "index": (kind.groupby(kind).cumcount() + 1).to_numpy(np.int32),
        "eye": "both",
        "onset_ms": onset[usable],
        "duration_ms": duration[usable],
        "x_px": x[usable],
        "y_px": y[usable],
        "text": labels[usable],
    }
    # A fixation ends nowhere else than it lies, and is no movement.
    moves = {
        "end_x_px": "end_x",
        "end_y_px": "end_y",
        "amplitude_deg": "amplitude",
        "peak_velocity_deg_s": "peak_velocity",
    }
    for key, name in moves.items():
        columns[key] = np.where(fixation, np.nan, table.number(name))[usable]
    return conform(columns, EVENTS)
