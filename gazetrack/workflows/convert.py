"""From exports to fixation tables, over many files: read, detect, place, store.

Every function takes one input after the other and never lets a bad one touch its neighbours.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from gazetrack.errors import (
    ConfigError,
    DataError,
    GazetrackError,
    InputError,
    OutputError,
    UnknownFormat,
    WorkerLost,
    quote,
    quoting_nothing,
)
from gazetrack.events.fixations import fixation_table
from gazetrack.publish import safe_name, sha256_of
from gazetrack.readers.head import read_head
from gazetrack.storage.objects import check_shared
from gazetrack.tables.partitions import parts_of
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.selection import select_eye, split_trials
from gazetrack.tables.store import SUFFIX, refuse_other_origin, write_table
from gazetrack.workflows.describing import describe
from gazetrack.workflows.elsewhere import near, written
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome, namesakes_noted, settled
from gazetrack.workflows.pairs import find_pairs
from gazetrack.workflows.provenance import provenance
from gazetrack.workflows.read import InputChoices, InputOptions, read_source, recognise
from gazetrack.workflows.resume import Study
from gazetrack.workflows.shared_folder import held, kept_in_merged, refuse_compacted_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    import pyarrow as pa

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation
    from gazetrack.readers.base import Verdict
    from gazetrack.readers.head import Head
    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.pairs import Pair
    from gazetrack.workflows.privacy import Unnamed
    from gazetrack.workflows.resume import AtOnce


@dataclass(frozen=True, kw_only=True)
class ConvertOptions(InputOptions):
    """What a user may choose when converting, besides what `InputOptions` says of the exports.

    Parameters
    ----------
    detector : Detector or None
        Detect fixations even when the export has its own.
    preparation : Preparation or None
        What to do to the samples before fixations are detected.
    out : path-like or None
        Folder for the outputs, or its address, such as ``s3://bucket/tables``; beside each input
        by default.
    dataset : path-like or None
        Folder or address of a data set of Parquet, to which the tables are added in place of
        files of their own, see `gazetrack.tables.partitions`.
    samples, events : bool
        Also write ``*.samples.parquet`` and ``*.events.parquet``.
    force : bool
        Also replace files that gazetrack did not write, and tables of another origin.
    eye : {"auto", "left", "right", "both"}
        Whose gaze and fixations, see `selection.select_eye` and `selection.one_eye`.
    trial_by : str or None
        Where trials begin: ``stimulus`` or ``message=REGEX``, see `selection.split_trials`.
    pseudonyms : Pseudonyms
        How participants are named in what is written.
    """

    detector: Detector | None = None
    preparation: Preparation | None = None
    out: str | Path | None = None
    dataset: str | Path | None = None
    samples: bool = False
    events: bool = False
    force: bool = False
    eye: str = "auto"
    trial_by: str | None = None
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dataset is not None and self.out is not None:
            what = "the tables go into a data set, or into a folder of files, not both"
            raise ConfigError(what, hint="leave out one of the two")
        if self.dataset is not None and self.detector is not None:
            what = "a data set holds the fixations of gazetrack convert"
            raise ConfigError(what, hint="leave out the detector or the data set")

    @property
    def place(self) -> str | Path | None:
        """The one folder of all outputs; None for beside each input."""
        return self.out if self.dataset is None else self.dataset


class ConvertChoices(InputChoices, total=False):
    """The fields of `ConvertOptions` as keyword arguments."""

    detector: Detector | None
    preparation: Preparation | None
    out: str | Path | None
    dataset: str | Path | None
    samples: bool
    events: bool
    force: bool
    eye: str
    trial_by: str | None
    pseudonyms: Pseudonyms


def convert(
    paths: str | Path | Sequence[str | Path],
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
    manifest: str | Path | None = None,
    **choices: Unpack[ConvertChoices],
) -> list[Outcome]:
    """Convert exports to fixation tables, as the command ``gazetrack convert`` does.

    Parameters
    ----------
    paths : path-like, or sequence of path-like
        Exports; of a folder, all files in it.
    jobs : int or Engine
        Number of processes, or an engine with more to say; what is written does not depend on it.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.
    errors : {"raise", "report"}
        ``raise``: when all inputs are done, the first error is raised, with the others in its
        notes. ``report``: errors are in the outcomes alone.
    manifest : path-like, optional
        A file that says which recordings are done, so that the next call goes on from there.
    **choices
        Fields of `ConvertOptions`, such as `out`, `samples` and `screen`.

    Returns
    -------
    list of Outcome
        One per input, in order: what was written, what was dropped and why, and the error, if any.

    Raises
    ------
    GazetrackError
        An input failed, and `errors` is ``raise``. The tables of the others are written.

    Examples
    --------
    >>> outcomes = gazetrack.convert("raw.tsv", samples=True)  # doctest: +SKIP
    >>> outcomes[0].outputs[0]["path"]  # doctest: +SKIP
    'raw.fixations.parquet'
    """
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    options = ConvertOptions(**choices)
    outcomes = convert_files(listed, options, jobs, progress, manifest=manifest)
    return settled(outcomes, errors)


def convert_files(
    paths: Sequence[str | Path],
    options: ConvertOptions,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    *,
    manifest: str | Path | None = None,
) -> Iterator[Outcome]:
    """Convert exports to fixation tables, and tell of each as soon as it is done.

    Parameters
    ----------
    paths : sequence of path-like
        Exports; of a folder, all files in it, and with ``options.recursive`` those below it as
        well.
    options : ConvertOptions
        What to write and where.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the files and their order are the same
        whatever it is.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.
    manifest : path-like, optional
        A file that says which recordings are done: of these the earlier outcome is told, as long
        as gazetrack, the options, the recording and its tables are the same. Made where there is
        none; recordings that failed are tried again.

    Yields
    ------
    Outcome
        One per input, in order, as soon as it is done. A failed input does not touch the others. A
        file of a folder that is no export is skipped, not failed. Files of one recording come one
        after the other, that of the gaze, whose outputs are theirs, first.

    Examples
    --------
    >>> options = gazetrack.ConvertOptions(out="tables")  # doctest: +SKIP
    >>> for outcome in gazetrack.convert_files(["a.tsv", "b.asc"], options):  # doctest: +SKIP
    ...     print(outcome.file, outcome.status)
    """
    pairs = pairs_to_convert(paths, options, manifest)
    engine = Engine.of(jobs)
    if not engine.works_here(len(pairs)):
        _check_shared(pairs)

    def work(left: Sequence[Pair], at_once: AtOnce | None) -> Iterator[list[Outcome]]:
        return over(
            partial(_convert_as_told, options=options),
            left,
            engine,
            total=len(left),
            lost=partial(_lost, options=options),
            progress=progress,
            at_once=at_once,
        )

    with ExitStack() as open_files:
        if manifest is None:
            done = work(pairs, None)
        else:
            study = study_of(open_files.enter_context(Manifest(manifest)), options)
            done = study.going_on(pairs, work, partial(_with_parts, options=options))
        yield from namesakes_noted(chain.from_iterable(done))


def _check_shared(pairs: Sequence[Pair]) -> None:
    """Refuse to let other processes work on files that lie in the memory of this one."""
    check_shared(url for source, _ in pairs for url in (*source.addresses.values(), source.out_url))


def pairs_to_convert(
    paths: Sequence[str | Path], options: ConvertOptions, manifest: str | Path | None = None
) -> list[Pair]:
    """Return the recordings that `convert_files` takes, see `gazetrack.workflows.pairs`."""
    keeps = options.pseudonyms.keeps
    return find_pairs(paths, options, out=options.place, names_files=keeps, manifest=manifest)


def study_of(manifest: Manifest, options: ConvertOptions) -> Study:
    """Return a conversion that is noted in a manifest."""
    kind = "" if options.dataset is None else "dataset"
    if options.detector is not None:
        kind = options.detector.name
    return Study(manifest, options, options.pseudonyms, kind)


def _convert_as_told(pair: Pair, options: ConvertOptions) -> list[Outcome]:
    """Convert a recording; where participants are not to be named, tell nothing that names one.

    Returns the outcome of the recording, then one for each file that was read together with it.
    """
    source, files = pair
    if options.pseudonyms.keeps:
        outcome = _convert(source, options)
    else:
        outcome = _convert_unnamed(source, files[0], options)
    return _with_parts(outcome, pair, options)


def _with_parts(outcome: Outcome, pair: Pair, options: ConvertOptions) -> list[Outcome]:
    """Return the outcome of a recording under its name of today, and one for each other file."""
    source, files = pair
    if options.pseudonyms.keeps:
        first = quote(source.path)
        others = [str(part) for part in source.parts]
    else:
        first = outcome.file = files[0].label
        others = [file.label for file in files[1:]]
    note = f"read with {first}, as one recording"
    together = [Outcome(file, "joined", format=outcome.format, notes=[note]) for file in others]
    return [outcome, *together]


def _lost(pair: Pair, error: WorkerLost, options: ConvertOptions) -> list[Outcome]:
    """Return the outcome of a recording that no worker has survived."""
    source, files = pair
    name = str(source.path) if options.pseudonyms.keeps else files[0].label
    path = source.path if options.pseudonyms.keeps else name
    return [Outcome(name, "failed", error=WorkerLost(error.what, path=path, hint=error.hint))]


def _convert_unnamed(source: Source, unnamed: Unnamed, options: ConvertOptions) -> Outcome:
    """Convert a recording whose files are not to be named, nor quoted, nor shown in a traceback."""
    whole = replace(unnamed, paths=(source.path, *source.parts))
    with quoting_nothing():
        try:
            return whole.outcome(_convert(source, options))
        except Exception as error:
            what = f"internal error: {type(error).__name__}"
            hint = "run again with --debug for details"
            raise GazetrackError(what, path=unnamed.label, hint=hint) from error


def _convert(source: Source, options: ConvertOptions) -> Outcome:
    """Convert a recording; what goes wrong is in its outcome."""
    outcome = Outcome(str(source.path))
    try:
        with near(source) as source:
            if source.clash is not None:
                # What is no export clashes with none, and is skipped below.
                recognise(read_head(source.path, options.reading), options)
                raise source.clash
            _convert_source(source, options, outcome)
    except UnknownFormat as error:
        if source.from_folder:
            outcome.status = "skipped"
            outcome.notes = [str(error)]
        else:
            outcome.status = "failed"
            outcome.error = error
            outcome.notes = []
    except GazetrackError as error:
        outcome.status = "failed"
        outcome.error = error
    return outcome


def _convert_source(source: Source, options: ConvertOptions, outcome: Outcome) -> None:
    """Read a recording, find its fixations, and write its tables; fill the outcome on the way."""
    # The head first: it refuses what is no file, such as a pipe that never ends.
    head = read_head(source.path, options.reading)
    recording, verdict, other_digests = _read_and_hash(source, options, head, outcome)
    try:
        recording = split_trials(select_eye(recording, options.eye), options.trial_by)
        known_names = [head.stem, source.name]
        recording = options.pseudonyms.apply(recording, outcome.sha256, known_names)
        fixations, facts = fixation_table(
            recording, options.detector, options.preparation, options.eye
        )
    except (ConfigError, InputError, DataError) as error:
        raise type(error)(error.what, path=source.path, hint=error.hint) from error
    _account(outcome, recording, fixations, facts)
    outcome.summary = {
        **describe(recording, verdict, head),
        **facts,
        "fixations": fixations.num_rows,
        "notes": outcome.notes,
    }
    meta = provenance(recording, head, outcome, named=options.pseudonyms.keeps) | facts
    if source.parts:
        meta["source"]["parts"] = other_digests
    tables = _tables_to_write(recording, fixations, options, meta)
    target = source.target
    if not options.pseudonyms.keeps:
        target = target.with_name(safe_name(recording.name))
    _put_tables(
        tables,
        replace(source, target=target),
        meta,
        options,
        outcome,
        participants=recording.participants,
    )


def _put_tables(
    tables: dict[str, pa.Table],
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
        files = {source.target.name + ending: table for ending, table in tables.items()}
        place: AbstractContextManager[None] = nullcontext()
    else:
        files = parts_of(tables, participants, source.target.name)
        place = _adding(folder, source.out_url, files)
    try:
        with place, written(folder, source.out_url, list(files)) as here:
            _write_tables(files, source, meta, options, outcome, here=here)
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
                wants_own_fixations=options.detector is None,
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


def _tables_to_write(
    recording: Recording, fixations: pa.Table, options: ConvertOptions, meta: dict[str, Any]
) -> dict[str, pa.Table]:
    """Return the tables that were asked for, by the endings of their names."""
    # Fixations that were asked for lie beside those that `convert` takes, so that both can be
    # compared.
    ending = SUFFIX if options.detector is None else f".{meta['detector']['name']}{SUFFIX}"
    tables = {ending: fixations}
    if options.samples and recording.sample_table is not None:
        tables[".samples.parquet"] = recording.sample_table
    if options.events:
        tables[".events.parquet"] = recording.event_table
    return tables


def _write_tables(
    files: dict[str, pa.Table],
    source: Source,
    meta: dict[str, Any],
    options: ConvertOptions,
    outcome: Outcome,
    *,
    here: Path,
) -> None:
    """Write tables into a folder, all or, where one may not be replaced, none.

    The outcome lists them by the folder of the target, which `here` may stand for.
    """
    # Which fixations were chosen is a note of their table alone: the samples may be asked for
    # others.
    of_fixations = meta | {"notes": outcome.notes}
    metas = {name: of_fixations if _holds_fixations(name) else meta for name in files}
    if options.dataset is not None:
        files = {
            name: table
            for name, table in files.items()
            if not kept_in_merged(here, name, metas[name])
        }
    # Beside its export a table is that of the file of this name. In one folder for all, and under
    # a pseudonym, only the bytes tell.
    by_bytes = options.place is not None or not options.pseudonyms.keeps
    for name in files:
        may_replace = options.force or name in source.replaces
        refuse_other_origin(here / name, meta, force=may_replace, same_bytes=by_bytes)
    for name, table in files.items():
        write_table(here / name, table, metas[name], force=options.force)
        digest = sha256_of(here / name)
        path = str(source.target.parent / name)
        outcome.outputs.append({"path": path, "rows": table.num_rows, "sha256": digest})


def _holds_fixations(name: str) -> bool:
    return name.endswith(SUFFIX) or name.startswith("fixations/")
