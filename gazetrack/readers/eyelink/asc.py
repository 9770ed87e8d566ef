"""EyeLink ASC, the text that SR Research's ``edf2asc`` makes of an EDF recording.

Specification: "EyeLink 1000 Plus User Manual", SR Research, chapter "ASC File Format".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gazetrack.errors import NoGaze, ParseError, quote
from gazetrack.readers.base import NO, Format, Head, Level, ReadOptions, Verdict
from gazetrack.readers.eyelink.asc_blocks import parse, whole_lines
from gazetrack.readers.eyelink.asc_samples import Samples
from gazetrack.readers.eyelink.events import events_table, lies_on_plane, samples_disagree
from gazetrack.readers.eyelink.lines import Lines
from gazetrack.readers.eyelink.plane import HREF_NOTE
from gazetrack.readers.opening import MAX_LINE_BYTES
from gazetrack.readers.shared.gaze import PLANE
from gazetrack.readers.text.ahead import in_threads
from gazetrack.tables.recording import Recording

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = Format(
    name="eyelink_asc",
    title="SR Research EyeLink ASC",
    suffixes=(".asc", ".asc.gz"),
    provides="samples and events",
    units="ms; px; HREF to px on a plane 1 m away (1 px = 1 mm); pupil as exported",
    lost="velocity, resolution, head target and input columns of the samples",
    source="EyeLink 1000 Plus User Manual, ASC File Format",
)
_KEYWORD = re.compile(r"(START|END|EFIX|SFIX|ESACC|SSACC|EBLINK|SBLINK|SAMPLES|EVENTS)\s")
_SAMPLE = re.compile(r"[0-9]+(\.[0-9]+)?\s+([0-9.+-]+\s+){3,}[.CIRMA]{3,}\s*")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]")
_PROBE_LINES = 50


def sniff(head: Head) -> Verdict:
    """Judge the file by its keywords and sample lines."""
    if head.text.startswith("** CONVERTED FROM") and "edfapi" in head.text:
        return Verdict(Level.CERTAIN, "header of edf2asc")
    keywords = {match[1] for match in map(_KEYWORD.match, head.lines) if match}
    if len(keywords) > 1:
        return Verdict(Level.CERTAIN, f"lines of {', '.join(sorted(keywords)[:3])}")
    probe = head.lines[:_PROBE_LINES]
    n_samples = sum(_SAMPLE.fullmatch(line) is not None for line in probe)
    if n_samples and n_samples > len(probe) // 2:
        return Verdict(Level.LIKELY, "sample lines that end in flags (...)")
    return NO


def read(head: Head, options: ReadOptions, *, block_bytes: int = MAX_LINE_BYTES) -> Recording:  # noqa: ARG001
    """Read an ASC file block by block.

    Parameters
    ----------
    head : Head
        The first look at the file.
    options : ReadOptions
        Not used: an ASC file names everything itself.
    block_bytes : int
        How many bytes to read at once.

    Returns
    -------
    Recording
        Times count from the first START, or from the first sample when there is none.

    Raises
    ------
    ParseError
        A damaged line, a NUL byte, a line longer than 1 MiB, neither samples nor events, or
        positions not in pixels.
    """
    lines = Lines()
    samples = Samples(head, lines)
    # Two threads read and parse; this one takes their blocks in the order of the file, as what a
    # line declares holds for the samples of all blocks behind it.
    with head.blocks() as file, in_threads(parse, whole_lines(head, file, block_bytes)) as blocks:
        for block in blocks:
            samples.take(block)
    return _recording(head, lines, samples)


def _recording(head: Head, lines: Lines, samples: Samples) -> Recording:
    """Return what the whole file says."""
    _check_gaze(head, lines, samples)
    declared = lines.declared
    findings = lines.findings
    origin = declared.origin
    if origin is None:
        origin = samples.origin if samples.count else lines.events.first_onset
    segments = lines.trials.segments()

    disagree = samples.count > 0 and samples_disagree(lines)
    if disagree:
        findings.drop("sample in HREF beside events in px", samples.count)
        findings.note(
            "samples are directions (HREF) and events places on the screen: the events are kept"
        )
    any_samples = samples.count > 0 and not disagree
    table = samples.table(head.stem, segments, origin) if any_samples else None
    samples.note_inferred()
    lines.pairs.note(findings)
    lines.repeats.note(findings)

    directions = lies_on_plane(lines, any_samples)
    if directions:
        findings.note(HREF_NOTE)
    # Counted before the table of events is made: events that it leaves out are among the lines.
    n_used = (samples.count if any_samples else 0) + lines.events.count
    rows_in = n_used + sum(findings.dropped.values())
    events = events_table(head.stem, lines, segments, origin, table)
    if any_samples:
        _check_eyes(head, lines, samples.eyes, events)
    placements = {} if directions else lines.trials.placements()
    return Recording(
        name=head.stem,
        format=FORMAT.name,
        sample_table=table,
        event_table=events,
        screen=PLANE if directions else lines.trials.screen,
        placements=placements,
        directions=directions,
        rate_hz=declared.only_rate_hz,
        rates_hz=declared.rates_from(origin),
        pupil_measure=declared.pupil_measure,
        eyes=_eyes_of(samples.eyes or {declared.eyes}),
        origin_ms=origin,
        tracker=lines.tracker,
        software=lines.software,
        rows_in=rows_in,
        dropped=findings.dropped,
        notes=tuple(findings.notes),
    )


def _check_gaze(head: Head, lines: Lines, samples: Samples) -> None:
    """Refuse a file without gaze, and one whose numbers have a decimal comma."""
    if not samples.count and not lines.events.count:
        what = "holds no gaze: no samples and no events"
        raise NoGaze(what, path=head.path, hint="convert the EDF with samples and events")
    if not samples.any_position and _DECIMAL_COMMA.match(samples.first_text):
        what = f"numbers with a decimal comma: {quote(samples.first_text, 30)!r}"
        hint = "write decimal points, or convert the EDF again"
        raise ParseError(what, path=head.path, line=samples.first_text_line, hint=hint)


def _check_eyes(head: Head, lines: Lines, sampled: set[str], events: pa.Table) -> None:
    """Refuse samples of one eye beside movements of the other.

    The SAMPLES line, which names the eye, is damaged then.
    """
    line = lines.declared.samples_line
    if not line or sampled not in ({"left"}, {"right"}):
        return
    (eye,) = sampled
    (other,) = {"left", "right"} - sampled
    if other not in events["eye"].unify_dictionaries().unique().to_pylist():
        return
    what = f"samples of the {eye} eye alone, but eye movements of the {other} one"
    hint = "the SAMPLES line is damaged; convert the EDF again"
    raise ParseError(what, path=head.path, line=line, hint=hint)


def _eyes_of(recorded: set[str]) -> str:
    """Return which eyes a recording is of; several blocks may be of different ones."""
    if len(recorded) > 1:
        return "binocular"
    (eyes,) = recorded
    return eyes or "combined"
