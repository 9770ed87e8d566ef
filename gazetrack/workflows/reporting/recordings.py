"""One input of a report: read, renamed where names are to be kept out, and measured.

An input is an export, or a table of fixations of ours, which becomes a recording without samples:
from there on both go the same way.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gazetrack.errors import GazetrackError, UnknownFormat, WorkerLost, quoting_nothing
from gazetrack.publish import sha256_of
from gazetrack.readers.base import Level, Verdict
from gazetrack.readers.head import read_head
from gazetrack.tables.own_tables import kind_of_table
from gazetrack.tables.placing import screen_of
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS
from gazetrack.tables.selection import select_eye, split_trials
from gazetrack.tables.store import first_source, read_fixations, read_meta
from gazetrack.workflows.describing import describe
from gazetrack.workflows.elsewhere import near
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.provenance import provenance
from gazetrack.workflows.read import read_source, recognise
from gazetrack.workflows.reporting.entries import Reported
from gazetrack.workflows.reporting.measuring import measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.privacy import Unnamed
    from gazetrack.workflows.reporting.options import ReportOptions

FIXATION_TABLE = "gazetrack_fixations"
SAMPLE_TABLE = "gazetrack_samples"
_STATED = ("tracker", "software")
_ALSO = ("saccade_source", "saccade_eye", "degrees_assumed", "made_of")
_HOW = ("fixation_source", "detector", "preparation", "fixation_eye", "left_out")


@dataclass(frozen=True)
class Input:
    """One recording of a report.

    Parameters
    ----------
    source : Source
        Its file, and those that belong to it.
    unnamed : Unnamed
        What it is called where files are not to be named.
    is_table : bool
        Whether it is a table of fixations, and no export.
    """

    source: Source
    unnamed: Unnamed
    is_table: bool = False


def reported(one: Input, options: ReportOptions, n_points: int) -> Reported:
    """Read one input and measure it; what goes wrong is in its outcome.

    Parameters
    ----------
    one : Input
        The export or the table.
    options : ReportOptions
        How it is read, and under which names it is told of.
    n_points : int
        How many points of gaze it may have in the page.

    Returns
    -------
    Reported
    """
    keeps = options.pseudonyms.keeps
    with nullcontext() if keeps else quoting_nothing():
        found = _reported(one, options, n_points)
    if keeps:
        return found
    return replace(found, outcome=one.unnamed.outcome(found.outcome))


def lost(one: Input, error: WorkerLost, options: ReportOptions) -> Reported:
    """Return what is said of an input that no worker has survived."""
    name = str(one.source.path) if options.pseudonyms.keeps else one.unnamed.label
    path = one.source.path if options.pseudonyms.keeps else name
    told = WorkerLost(error.what, path=path, hint=error.hint)
    return Reported(outcome=Outcome(name, "failed", error=told))


def _reported(one: Input, options: ReportOptions, n_points: int) -> Reported:
    outcome = Outcome(str(one.source.path))
    try:
        with near(one.source) as source:
            return _measured(replace(one, source=source), options, outcome, n_points)
    except UnknownFormat as error:
        if one.source.from_folder:
            outcome.status, outcome.notes = "skipped", [str(error)]
        else:
            outcome.status, outcome.error = "failed", error
    except GazetrackError as error:
        told = error
        if error.path is None:
            told = type(error)(error.what, path=one.source.path, hint=error.hint)
            told.__cause__ = error
        outcome.status, outcome.error = "failed", told
    return Reported(outcome=outcome)


def _measured(one: Input, options: ReportOptions, outcome: Outcome, n_points: int) -> Reported:
    """Return what is said of an input whose files are at hand."""
    source = one.source
    # The head first: it refuses what is no file, such as a pipe that never ends.
    head = read_head(source.path, options.reading)
    outcome.sha256 = sha256_of(source.path)
    how: dict[str, Any] = {}
    if one.is_table:
        recording, how = _of_table(source)
        outcome.format = FIXATION_TABLE
        verdict = Verdict(Level.CERTAIN, "columns and metadata of a table of fixations")
    else:
        outcome.format, verdict = recognise(head, options)
        wants_own = options.detector is None
        recording = read_source(
            source, options, head, outcome.format, wants_own_fixations=wants_own
        )
        recording = split_trials(select_eye(recording, options.eye), options.trial_by)
        if outcome.format == SAMPLE_TABLE:
            how = _made_of(read_meta(source.path))
    recording = options.pseudonyms.apply(recording, outcome.sha256, [head.stem, source.name])
    found = measured(recording, options, n_points)
    facts = {name: found.facts[name] for name in found.facts} | how
    outcome.rows_in = recording.rows_in
    outcome.dropped = dict(recording.dropped)
    outcome.mended = dict(recording.mended)
    outcome.left_out = facts.get("left_out", {})
    outcome.notes = [*recording.notes, *found.notes]
    outcome.summary = describe(recording, verdict, head) | {"notes": outcome.notes}
    named = options.pseudonyms.keeps
    meta = provenance(recording, head, outcome, named=named)
    told = {name: facts[name] for name in (*_HOW, *_ALSO) if facts.get(name)}
    stated = {name: meta[name] for name in (*_STATED, "rate_hz", "screen", "eyes")}
    made = {"source": meta["source"], **stated, **told}
    return Reported(outcome=outcome, provenance=made, entries=tuple(found.entries))


def _of_table(source: Source) -> tuple[Recording, dict[str, Any]]:
    """Return a table of fixations as a recording, and how its metadata say it was made."""
    table, meta = read_fixations(source.path)
    dropped = meta.get("dropped")
    notes = meta.get("notes")
    rate = meta.get("rate_hz")
    rows_in = meta.get("rows_in")
    recording = Recording(
        name=source.name,
        format=str(meta.get("reader") or FIXATION_TABLE),
        sample_table=None,
        event_table=EVENTS.empty_table(),
        fixation_table=table,
        screen=screen_of(meta),
        rate_hz=float(rate) if isinstance(rate, int | float) else None,
        tracker=str(meta.get("tracker") or ""),
        software=str(meta.get("software") or ""),
        eyes=str(meta.get("eyes") or "combined"),
        rows_in=rows_in if isinstance(rows_in, int) else table.num_rows,
        dropped={} if not isinstance(dropped, dict) else dropped,
        notes=tuple(map(str, notes)) if isinstance(notes, list) else (),
    )
    how = {name: meta[name] for name in _HOW if isinstance(meta.get(name), dict | str)}
    return recording, how | _made_of(meta)


def _made_of(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the digest of the export that a table was made of, where its metadata tell."""
    digest = first_source(meta)["sha256"]
    return {"made_of": digest} if digest else {}


def is_fixations(path: Any) -> bool:
    """Whether a file is a table of fixations."""
    return kind_of_table(path) == FIXATION_TABLE
