"""SMI text exports: raw samples (IDF Converter, BeGaze) and events (IDF Event Detector, BeGaze).

Specification: "iView X System Manual" and "BeGaze Manual", SensoMotoric Instruments, "IDF
Converter" and "Export".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.smi.events import TABLE, read_events
from gazetrack.readers.smi.header import (
    properties_of,
    rate_of,
    sample_header,
    screen_of,
    with_messages_as_rows,
)
from gazetrack.readers.smi.raw_rows import RawRows
from gazetrack.readers.text.table import no_rows, read_parts
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    from gazetrack.readers.text.header import Header, Kind

FORMAT = Format(
    name="smi",
    title="SMI text export",
    suffixes=(".txt", ".tsv"),
    provides="samples and events, or events",
    units="µs converted to ms, px; pupil as exported",
    lost="raw pupil positions, corneal reflexes, eye positions, gaze vectors, planes, "
    "areas of interest",
    source="BeGaze Manual, Export; iView X System Manual, IDF Converter",
)
_EYES = {"left": "L", "right": "R"}
# By preference: millimetres, then pixels of the eye camera.
_PUPILS = ("Pupil Diameter [mm]", "Mapped Diameter [mm]", "Dia X [px]", "Dia [px]")
_NO_POR = "an SMI export without points of regard: export POR as well"


def sniff(head: Head) -> Verdict:
    """Judge the file by its table headers."""
    header = sample_header(head)
    if header is not None:
        eyes = _eyes(header)
        if not eyes:
            return Verdict(Level.NO, _NO_POR)
        mark = f"{_EYES[eyes[0]]} POR X [px]"
        return Verdict(Level.CERTAIN, f"columns Time, Type and {mark} in line {header.lines}")
    if any(line.startswith(TABLE) for line in head.lines):
        return Verdict(Level.CERTAIN, f"a line {TABLE}…")
    return NO


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read raw samples or events.

    Returns
    -------
    Recording
        Times count from the first sample, or from the first event when there are no samples.

    Raises
    ------
    ParseError
        Neither table header, no points of regard, no samples or events, or a damaged row or cell.
    """
    header = sample_header(head)
    if header is not None:
        return _raw(head, header)
    if any(line.startswith(TABLE) for line in head.lines):
        return _event_export(head)
    hint = "export raw data or events as text from BeGaze"
    raise ParseError("no header line of SMI", path=head.path, line=1, hint=hint)


def _event_export(head: Head) -> Recording:
    """Read an export of events, which has no samples."""
    export = read_events(head)
    notes: list[str] = []
    screen = screen_of(export.properties, notes)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=None,
        event_table=export.events,
        screen=screen,
        rate_hz=rate_of(export.properties),
        eyes=export.eyes,
        origin_ms=export.origin_ms,
        software=export.properties.get("Version", ""),
        rows_in=export.rows_in,
        dropped=export.dropped,
        notes=tuple(notes),
    )


def _eyes(header: Header) -> list[str]:
    """Return the eyes of which there are points of regard (POR) in pixels."""
    found = []
    for eye, letter in _EYES.items():
        if {f"{letter} POR X [px]", f"{letter} POR Y [px]"} <= set(header.names):
            found.append(eye)
    return found


def _raw(head: Head, header: Header) -> Recording:
    """Read raw samples, and the events that are written on them."""
    eyes = _eyes(header)
    if not eyes:
        what, hint = _NO_POR.split(": ")
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    properties = properties_of(head.lines[: header.lines - 1])
    notes: list[str] = []
    table_head = with_messages_as_rows(head, header)
    wanted = _wanted(header, eyes, head)
    rows = RawRows(table_head, header, eyes)
    for part in read_parts(table_head, header, wanted):
        rows.take(part)
    if not rows.n_rows:
        raise no_rows(table_head, header)
    samples = rows.samples(notes)
    screen = screen_of(properties, notes)
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=rows.events(properties.get("Subject", ""), samples, notes),
        screen=screen,
        rate_hz=rate_of(properties),
        eyes="binocular" if len(eyes) > 1 else eyes[0],
        origin_ms=rows.start / 1000,
        software=properties.get("Version", ""),
        rows_in=rows.n_rows,
        dropped=rows.dropped,
        notes=tuple(notes),
    )


def _wanted(header: Header, eyes: list[str], head: Head) -> dict[str, tuple[int, Kind]]:
    """Return where the columns are, by our names, and what kind of cells they have."""
    names: dict[str, tuple[str, Kind]] = {
        "t": ("Time", "float64"),
        "type": ("Type", "own_text"),  # also the texts of messages
        "trial": ("Trial", "text"),
        "stimulus": ("Stimulus", "text"),
    }
    for eye in eyes:
        letter = _EYES[eye]
        pupil = next((name for name in _PUPILS if f"{letter} {name}" in header.names), "")
        names[f"{eye}_x"] = f"{letter} POR X [px]", "float32"
        names[f"{eye}_y"] = f"{letter} POR Y [px]", "float32"
        names[f"{eye}_pupil"] = f"{letter} {pupil}", "float32"
        names[f"{eye}_info"] = f"{letter} Event Info", "text"
        names[f"{eye}_validity"] = f"{letter} Validity", "float32"
    return {
        key: (header.index(name, head.path), kind)
        for key, (name, kind) in names.items()
        if name in header.names
    }
