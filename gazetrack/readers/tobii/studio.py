"""Tobii Studio 2 text exports: All-Data and Fixation-Data.

All-Data has one row per sample or event, Fixation-Data one row per fixation. Specification: "Tobii
Studio 2.x User Manual", Tobii Technology, "Exporting data as text". The mapped positions count from
the top left corner of the medium shown, all others from that of the screen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.shared.clock import check_clock
from gazetrack.readers.shared.fixation_rows import fixation_recording
from gazetrack.readers.text.table import read_columns
from gazetrack.readers.tobii.studio_all import (
    FORMAT_NAME,
    index_of,
    names_of,
    read_all,
    wanted_of,
    without_loss,
)
from gazetrack.readers.tobii.studio_header import (
    NO_GAZE,
    Layout,
    layout_of,
    needed_layout,
    screen_of,
)

if TYPE_CHECKING:
    from gazetrack.tables.recording import Recording

FORMAT = Format(
    name=FORMAT_NAME,
    title="Tobii Studio 2 text export",
    suffixes=(".tsv", ".txt", ".csv"),
    provides="samples and events, or fixations",
    units="ms, px; pupil in mm",
    lost="eye positions in the camera, distances, areas of interest, microseconds",
    source="Tobii Studio 2.x User Manual, Exporting data as text",
)


def sniff(head: Head) -> Verdict:
    """Judge the file by the names of its columns, wherever its header is."""
    layout = layout_of(head)
    if layout is None:
        return NO
    if layout.kind == "events":
        what, _, instead = NO_GAZE.partition(": ")
        return Verdict(Level.NO, what, instead)
    marks = ("GazePointXLeft", "GazePointX", "MappedFixationPointX")
    mark = next((name for name in marks if name in layout.header.names), "GazePointXRight")
    return Verdict(Level.CERTAIN, f"columns Timestamp and {mark} in line {layout.header.lines}")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read All-Data or Fixation-Data.

    Returns
    -------
    Recording
        Times of All-Data count from its first sample, those of Fixation-Data as exported.

    Raises
    ------
    ParseError
        Not an export with gaze in pixels, no samples, or a damaged row or cell.
    """
    layout = needed_layout(head)
    notes: list[str] = []
    read_rows = _fixations if layout.kind == "fixations" else read_all
    recording = read_rows(head, layout, notes)
    screen = screen_of(layout, notes)
    return replace(recording, software="Tobii Studio", screen=screen, notes=tuple(notes))


def _fixations(head: Head, layout: Layout, notes: list[str]) -> Recording:
    """Read Fixation-Data, a row a fixation."""
    table = read_columns(head, layout.header, wanted_of(layout.header, head))
    notes.append(
        "positions count from the corner of the medium shown: "
        "the export does not say where that lay"
    )
    recording, participant = names_of(head, layout)
    check_clock(head, layout.header, table.number("t"), np.ones(table.n_rows, np.bool_))
    x, y = without_loss(table.number("fixation_x"), table.number("fixation_y"))
    index = index_of(table)
    if np.isnan(index).any():
        notes.append("fixations without a usable FixationIndex are numbered 0")
    columns = {
        "recording": np.full(table.n_rows, recording, object),
        "participant": participant,
        "stimulus": table.text("stimulus"),
        "index": np.nan_to_num(index).astype(np.int32),
        "eye": "both",
        "onset_ms": table.number("t"),
        "duration_ms": table.number("duration"),
        "x_px": x,
        "y_px": y,
    }
    found = fixation_recording(head.stem, FORMAT.name, columns, table.n_rows)
    return replace(found, time_origin="recording")
