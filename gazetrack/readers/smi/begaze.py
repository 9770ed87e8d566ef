"""SMI BeGaze's tables: raw data, a row a sample with ``RecordingTime [ms]``; or its events.

Specification: "BeGaze Manual", SensoMotoric Instruments, "Metrics Export, Raw Data". The table has
no preamble; it may hold several participants, each with a clock of its own, and rows that separate
trials or tell of the user.
"""

from __future__ import annotations

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.smi.begaze_fixations import ONSET, position_of, read_fixations
from gazetrack.readers.smi.begaze_rows import EYES, POSITION, TIME, BegazeRows, wanted_of
from gazetrack.readers.text.header import Header, header_of, needed_header
from gazetrack.readers.text.stored import stored_table
from gazetrack.tables.recording import Recording

FORMAT = Format(
    name="begaze",
    title="SMI BeGaze tables: raw data, events",
    suffixes=(".csv", ".txt", ".tsv"),
    provides="samples and events, or fixations",
    units="ms, px; pupil in mm where the export has it, else in pixels of the eye camera",
    lost="gaze vectors, eye and pupil positions, areas of interest, annotations, the time of day",
    source="BeGaze Manual, Metrics Export, Raw Data and Events",
)


def sniff(head: Head) -> Verdict:
    """Judge the file by its header."""
    header = header_of(head)
    if header is None:
        return NO
    kind = position_of(header)
    if kind:
        return Verdict(Level.CERTAIN, f"columns {ONSET} and {kind} Position X [px]")
    if TIME not in header.names:
        return NO
    if not _eyes_of(header):
        return Verdict(Level.NO, "a BeGaze export without points of regard: export these as well")
    return Verdict(Level.CERTAIN, f"columns {TIME} and Point of Regard")


def read(head: Head, options: ReadOptions) -> Recording:  # noqa: ARG001
    """Read samples, and the events that their categories tell; or a table of events.

    Returns
    -------
    Recording
        Each participant is a recording, whose times count from its first sample; those of fixations
        from their trial.

    Raises
    ------
    ParseError
        No time or point of regard, no samples, or a damaged row or cell.
    """
    header = needed_header(head)
    if position_of(header):
        return read_fixations(head, header, FORMAT.name)
    eyes = _eyes_of(header)
    if TIME not in header.names or not eyes:
        what = f"no column {TIME!r} or no point of regard"
        hint = "export raw data with points of regard from BeGaze"
        raise ParseError(what, path=head.path, line=header.lines, hint=hint)
    notes: list[str] = []
    wanted = wanted_of(head, header, eyes)
    table = stored_table(head, header, wanted)
    rows = BegazeRows(head, header, table)
    rows.number_clocks(notes)
    samples = rows.samples()
    sides = [eye for eye in eyes if eye != "both"]
    one_side = next(iter(sides), "combined")
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=samples,
        event_table=rows.events(samples, notes),
        eyes="binocular" if len(sides) > 1 else one_side,
        origin_ms=rows.origin_ms,
        software="SMI BeGaze",
        rows_in=table.n_rows,
        dropped=rows.dropped,
        notes=tuple(notes),
    )


def _eyes_of(header: Header) -> list[str]:
    """Return the eyes, or ``both``, of which the table has points of regard."""
    found = []
    for eye, name in EYES.items():
        pair = {POSITION.format(eye=name, axis=axis) for axis in "XY"}
        if pair <= set(header.names):
            found.append(eye)
    return found
