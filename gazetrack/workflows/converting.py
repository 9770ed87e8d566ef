"""One recording made into its tables: read, its fixations detected, placed and stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ConfigError, DataError, InputError, OutputError
from gazetrack.publish import safe_name, sha256_of
from gazetrack.readers.head import read_head
from gazetrack.tables.partitions import parts_of
from gazetrack.tables.selection import select_eye, split_trials
from gazetrack.tables.store import write_table
from gazetrack.workflows.describing import describe
from gazetrack.workflows.elsewhere import written
from gazetrack.workflows.provenance import provenance
from gazetrack.workflows.read import read_source, recognise
from gazetrack.workflows.replacing import kept_richer, refuse_other
from gazetrack.workflows.shared_folder import held, kept_in_merged, refuse_compacted_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pyarrow as pa

    from gazetrack.readers.base import Verdict
    from gazetrack.readers.head import Head
    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.convert_options import ConvertOptions, Made
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.outcome import Outcome


def make_tables(source: Source, options: ConvertOptions, outcome: Outcome) -> None:
    """Read a recording, find its fixations, and write its tables.

    Parameters
    ----------
    source : Source
        The files of the recording, on this machine, and where its tables go.
    options : ConvertOptions
        How it is read, and which tables are written.
    outcome : Outcome
        Is filled on the way, so that it says what was found before an error as well.

    Raises
    ------
    GazetrackError
        A file cannot be read, holds no fixations, or a table cannot be written.
    """
    # The head first: it refuses what is no file, such as a pipe that never ends.
    head = read_head(source.path, options.reading)
    recording, verdict, other_digests = _read_and_hash(source, options, head, outcome)
    try:
        recording = split_trials(select_eye(recording, options.eye), options.trial_by)
        known_names = [head.stem, source.name]
        recording = options.pseudonyms.apply(recording, outcome.sha256, known_names)
        made = options.made(recording)
    except (ConfigError, InputError, DataError) as error:
        raise type(error)(error.what, path=source.path, hint=error.hint) from error
    facts = dict(made.facts)
    _account(outcome, recording, made.tables[made.ending], facts)
    counts = {name: facts.pop(name) for name in ("fixations", "shown") if name in facts}
    found = describe(recording, verdict, head)
    outcome.summary = found | facts | counts | {"notes": outcome.notes}
    meta = provenance(recording, head, outcome, named=options.pseudonyms.keeps) | facts
    if source.parts:
        meta["source"]["parts"] = other_digests
    target = source.target
    if not options.pseudonyms.keeps:
        target = target.with_name(safe_name(recording.name))
    _put_tables(
        made,
        replace(source, target=target),
        meta,
        options,
        outcome,
        participants=recording.participants,
    )


def _put_tables(
    made: Made,
    source: Source,
    meta: dict[str, Any],
    options: ConvertOptions,
    outcome: Outcome,
    *,
    participants: Mapping[str, str],
) -> None:
    """Write the tables of a recording to where they belong; the outcome lists them."""
    folder = source.target.parent
    if options.dataset is None:
        files = {source.target.name + ending: table for ending, table in made.tables.items()}
        place: AbstractContextManager[None] = nullcontext()
    else:
        files = parts_of(made.tables, participants, source.target.name)
        place = _adding(folder, source.out_url, files)
    try:
        with place, written(folder, source.out_url, list(files)) as here:
            about = {name: name.endswith(made.ending) for name in files}
            if options.dataset is not None:
                about = {name: name.startswith("fixations/") for name in files}
            # What the main table was made of is a note of it alone: the samples may be asked for
            # other fixations.
            noted = meta | {"notes": outcome.notes}
            metas = {name: noted if about[name] else meta for name in files}
            _write_tables(files, source, metas, options, outcome, here=here)
    except OutputError:
        if source.out_url:  # they were written here, and not sent
            outcome.outputs = []
        raise


def _adding(folder: Path, url: str, files: Iterable[str]) -> AbstractContextManager[None]:
    """Return what holds a data set while parts are added to it."""
    if not url:
        return held(folder, alone=False)
    refuse_compacted_url(url, {name.partition("/")[0] for name in files})
    return nullcontext()


def _read_and_hash(
    source: Source, options: ConvertOptions, head: Head, outcome: Outcome
) -> tuple[Recording, Verdict, list[str]]:
    """Read a recording, and hash its files on a second thread: the hash lets the reader run."""
    with ThreadPoolExecutor(1) as beside:
        digests = beside.map(sha256_of, (source.path, *source.parts))
        try:
            outcome.format, verdict = recognise(head, options)
            recording = read_source(
                source,
                options,
                head,
                outcome.format,
                wants_own_fixations=options.wants_own_fixations,
            )
        finally:
            # A file that cannot be read still has its hash in the report.
            outcome.sha256, *others = digests
    return recording, verdict, others


def _account(
    outcome: Outcome, recording: Recording, fixations: pa.Table, facts: dict[str, Any]
) -> None:
    """Say in the outcome how many rows were read, dropped and written; takes `facts["notes"]`."""
    outcome.rows_in = recording.rows_in
    outcome.rows_out = fixations.num_rows
    outcome.dropped = dict(recording.dropped)
    outcome.mended = dict(recording.mended)
    outcome.left_out = facts.get("left_out", {})
    outcome.notes = [*recording.notes, *facts.pop("notes")]


def _write_tables(
    files: dict[str, pa.Table],
    source: Source,
    metas: dict[str, dict[str, Any]],
    options: ConvertOptions,
    outcome: Outcome,
    *,
    here: Path,
) -> None:
    """Write tables into a folder, all or, where one may not be replaced, none.

    The outcome lists them by the folder of the target, which `here` may stand for.
    """
    if options.dataset is not None:
        files = {
            name: table
            for name, table in files.items()
            if not kept_in_merged(here, name, metas[name])
        }
    # Beside its export a table is that of the file of this name. In one folder for all, and under
    # a pseudonym, only the bytes tell.
    by_bytes = options.place is not None or not options.pseudonyms.keeps
    if not options.force:
        files = _but_for_richer(files, metas, outcome, here)
    for name in files:
        may_replace = options.force or name in source.replaces
        refuse_other(here / name, metas[name], force=may_replace, same_bytes=by_bytes)
    for name, table in files.items():
        write_table(here / name, table, metas[name], force=options.force)
        digest = sha256_of(here / name)
        path = str(source.target.parent / name)
        outcome.outputs.append({"path": path, "rows": table.num_rows, "sha256": digest})


def _but_for_richer(
    files: dict[str, pa.Table], metas: dict[str, dict[str, Any]], outcome: Outcome, here: Path
) -> dict[str, pa.Table]:
    """Return the tables but for those that a richer one holds already; the outcome says so."""
    kept = [name for name, table in files.items() if kept_richer(here / name, table, metas[name])]
    notes = [
        f"{name} holds these events already, and the detected ones of gazetrack events: it stays "
        "(--force replaces it by the export's own events alone)"
        for name in kept
    ]
    # Not added to the list: that is in the metadata, which do not depend on what lies there.
    outcome.notes = [*outcome.notes, *notes]
    outcome.summary["notes"] = outcome.notes
    return {name: table for name, table in files.items() if name not in kept}
