"""From exports to a BIDS data set, over many files: read, write each, name them, publish all."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from gazetrack.errors import (
    ConfigError,
    DataError,
    GazetrackError,
    InputError,
    UnknownFormat,
    WorkerLost,
    quote,
    quoting_nothing,
)
from gazetrack.publish import output_errors, publish_folder, sha256_of
from gazetrack.readers.head import read_head
from gazetrack.tables.eyes import EYE_CHOICES
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.workflows.bids.assembly import (
    Staged,
    assemble,
    named,
    write_derivatives_root,
    write_root,
)
from gazetrack.workflows.bids.derived import Derived
from gazetrack.workflows.bids.folders import (
    asked_for,
    named_folders,
    not_looked_into,
    notes_on_folders,
    refuse_two_inputs,
)
from gazetrack.workflows.bids.labels import checked_label
from gazetrack.workflows.bids.naming import Place, Subjects, named_part
from gazetrack.workflows.bids.participants import read_participants
from gazetrack.workflows.bids.parts import parts_of
from gazetrack.workflows.bids.physio import write_part
from gazetrack.workflows.bids.rules import Rules, read_rules
from gazetrack.workflows.bids.sidecars import check_screen
from gazetrack.workflows.bids.unused import notes_on
from gazetrack.workflows.bids.written import refuse_changed, write_record
from gazetrack.workflows.elsewhere import near
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome, settled
from gazetrack.workflows.pairs import find_pairs
from gazetrack.workflows.read import InputChoices, InputOptions, read_source, recognise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.tables.recording import Recording
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.pairs import Pair
    from gazetrack.workflows.privacy import Unnamed

DEFAULT_TASK = "gaze"
_STAGING = "staged"
_KINDS = {
    "out": (str, Path),
    "participants": (str, Path, type(None)),
    "rules": (str, Path, type(None)),
}


@dataclass(frozen=True, kw_only=True)
class BidsOptions(InputOptions):
    """What a user may choose about a BIDS data set, besides what `InputOptions` says.

    Parameters
    ----------
    out : path-like
        The folder of the data set, which must not be there yet, or be empty.
    task : str
        The label of the task where the rules find none.
    participants : path-like or None
        A table with a column ``participant_id``, whose other columns are taken over.
    rules : path-like or None
        A TOML file that says which part of a name is the subject, see docs/bids.md.
    pseudonyms : Pseudonyms
        How participants are named in what is written.
    derivatives : bool
        Also write fixations and data quality, as a data set of derivatives.
    eye : {"auto", "left", "right", "both"}
        Whose fixations these are, see `selection.one_eye`.
    force : bool
        Replace the data set in the folder, where gazetrack has written all of it.

    Raises
    ------
    ConfigError
        A task label that BIDS forbids, or participants that nobody could find again.
    """

    out: str | Path
    task: str = DEFAULT_TASK
    participants: str | Path | None = None
    rules: str | Path | None = None
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)
    derivatives: bool = True
    eye: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, kinds in _KINDS.items():
            if not isinstance(getattr(self, name), kinds):
                what = f"{name} is {type(getattr(self, name)).__name__}, no path"
                raise ConfigError(what, hint="give the name of a file or folder")
        task: object = self.task
        if not isinstance(task, str):
            what = f"task is {type(task).__name__}, no label"
            raise ConfigError(what, hint='give a text, such as "look"')
        checked_label("task", self.task, "--task")
        if self.eye not in EYE_CHOICES:
            hint = f"use {', '.join(EYE_CHOICES)}"
            raise ConfigError(f"eye={quote(self.eye, 40)!r}", hint=hint)
        if self.participants is not None and self.pseudonyms.policy == "drop":
            what = "a table of participants, and recordings whose participants are dropped"
            hint = "leave out --participants, or use --participant hash"
            raise ConfigError(what, hint=hint)

    @property
    def task_label(self) -> str:
        """The label of the task, without ``task-`` in front."""
        return self.task.removeprefix("task-")


class BidsChoices(InputChoices, total=False):
    """The fields of `BidsOptions` but for the folder, as keyword arguments."""

    task: str
    participants: str | Path | None
    rules: str | Path | None
    pseudonyms: Pseudonyms
    derivatives: bool
    eye: str
    force: bool


def write_bids(
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
    **choices: Unpack[BidsChoices],
) -> list[Outcome]:
    """Write exports as a BIDS data set, as the command ``gazetrack bids`` does.

    Parameters
    ----------
    paths : path-like, or sequence of path-like
        Exports; of a folder, all files in it.
    out : path-like
        The folder of the data set, which must not be there yet, or be empty.
    jobs : int or Engine
        Number of processes, or an engine with more to say; what is written does not depend on it.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.
    errors : {"raise", "report"}
        ``raise``: when the data set is written, the first error is raised, with the others in its
        notes. ``report``: errors are in the outcomes alone.
    **choices
        Fields of `BidsOptions`, such as `task`, `screen` and `rules`.

    Returns
    -------
    list of Outcome
        One per input, in order: what was written, and the error, if any.

    Raises
    ------
    GazetrackError
        An input failed, and `errors` is ``raise``; the data set holds the others. Or names do not
        fit together, or the folder cannot be written: then there is no data set.

    Examples
    --------
    >>> outcomes = gazetrack.write_bids(["s01.asc", "s02.asc"], "dataset")  # doctest: +SKIP
    """
    listed = _listed(paths)
    options = BidsOptions(out=out, **choices)
    return settled(write_bids_files(listed, options, jobs, progress), errors)


def _listed(paths: Any) -> list[str | Path]:
    """Return paths as a list; a table of samples, say, is none, though it can be gone through."""
    listed = [paths] if isinstance(paths, str | Path) else paths
    is_list = isinstance(listed, Iterable) and not hasattr(listed, "columns")
    listed = list(listed) if is_list else [paths]
    for path in listed:
        if not isinstance(path, str | Path):
            what = f"{type(path).__name__} is no path of an export"
            hint = "give the exports' own files: BIDS keeps their samples and events"
            raise ConfigError(what, hint=hint)
    return listed


def write_bids_files(
    paths: Sequence[str | Path],
    options: BidsOptions,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Write exports as a BIDS data set; one that cannot be read leaves the others alone.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, or addresses of them; of a folder, all files in it.
    options : BidsOptions
        What to write and where.
    jobs : int or Engine
        Number of processes, or an engine with more to say.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.

    Returns
    -------
    list of Outcome
        One per input, in order. Where all failed, nothing is written.

    Raises
    ------
    ConfigError, InputError
        Rules or participants that cannot be used.
    DataError
        Two recordings would have one name, one participant two, or two participants one.
    OutputError
        The folder is not empty, or cannot be written.
    """
    rules = read_rules(options.rules)
    people = read_participants(options.participants, Subjects(rules, options.pseudonyms).label)
    keeps = options.pseudonyms.keeps
    pairs = find_pairs(paths, options, out=None, names_files=keeps)
    engine = Engine.of(jobs)
    if options.force:
        refuse_changed(Path(options.out))
    with suppress(_NothingWritten), publish_folder(options.out, replace=options.force) as root:
        asked = _Asked(options=options, rules=rules, root=root, folders=named_folders(paths))
        staged = list(
            over(
                partial(_stage, asked=asked),
                list(enumerate(pairs)),
                engine,
                total=len(pairs),
                lost=partial(_lost, keeps=keeps),
                progress=progress,
            )
        )
        outcomes = [outcome for one in staged for outcome in one.outcomes]
        recordings = [part for one in staged for part in one.parts]
        unseen = "" if options.recursive else _unseen(asked.folders, recordings)
        if not recordings:
            if all(outcome.error is None for outcome in outcomes):
                hint = "name the exports, or --format where the format is not found"
                if unseen:
                    hint = f"add --recursive: {unseen}"
                raise InputError("no export of a known format among the files", hint=hint)
            raise _NothingWritten
        with quoting_nothing(not keeps):
            _refuse_same_bytes(staged)
            entities = named(recordings, options.task_label)
            refuse_two_inputs(recordings)
        outputs = assemble(root, recordings, entities, rules)
        _tell(staged, outputs, Path(options.out))
        subjects = list({one.subject for one in entities})
        name = Path(options.out).absolute().name
        notes = write_root(root, name, subjects, people, rules)
        if options.derivatives:
            write_derivatives_root(root, name, rules)
        with quoting_nothing(not keeps):
            notes = [*notes_on(rules, recordings, {one.task for one in entities}), *notes]
        notes = [*notes_on_folders(recordings), *notes]
        if unseen:
            notes.insert(0, f"{unseen} (--recursive)")
        # In front of all others, since only the first ones are shown.
        first = next(one.outcomes[0] for one in staged if one.parts)
        first.notes = [*notes, *first.notes]
        # What is left there is of exports that failed on their way.
        with output_errors(Path(options.out)):
            shutil.rmtree(root / _STAGING)
        listed = [entry for entries in outputs.values() for entry in entries]
        write_record(root, {entry["path"]: entry["sha256"] for entry in listed})
        if options.force:
            # Again, since reading exports may take hours.
            refuse_changed(Path(options.out))
    return outcomes


def _unseen(folders: Sequence[Path], recordings: Sequence[Staged]) -> str:
    n = not_looked_into(folders, recordings)
    return f"{n} folders below those that were named were not looked into" if n else ""


class _NothingWritten(Exception):
    """No recording could be written: there is no data set to publish."""


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What every worker is told.

    Parameters
    ----------
    options : BidsOptions
        How exports are read, and what is written.
    rules : Rules
        What the user's file of rules says.
    root : pathlib.Path
        The folder of the data set in the making.
    folders : list of pathlib.Path
        The folders that were named as inputs, the deepest first.
    """

    options: BidsOptions
    rules: Rules
    root: Path
    folders: list[Path]


@dataclass
class _Staged:
    """What became of an export: first its own outcome, then those of files read with it."""

    outcomes: list[Outcome]
    parts: list[Staged] = field(default_factory=list)


def _stage(item: tuple[int, Pair], asked: _Asked) -> _Staged:
    """Read an export and write its recordings; where nobody is to be named, tell no name."""
    number, (source, files) = item
    if asked.options.pseudonyms.keeps:
        staged = _staged(number, source, asked)
    else:
        staged = _staged_unnamed(number, source, files[0], asked)
    outcome = staged.outcomes[0]
    others = [str(path) for path in source.parts]
    if not asked.options.pseudonyms.keeps:
        others = [file.label for file in files[1:]]
    note = f"read with {quote(outcome.file)}, as one recording"
    staged.outcomes += [
        Outcome(file, "joined", format=outcome.format, notes=[note]) for file in others
    ]
    return staged


def _staged_unnamed(number: int, source: Source, unnamed: Unnamed, asked: _Asked) -> _Staged:
    whole = replace(unnamed, paths=(source.path, *source.parts))
    with quoting_nothing():
        try:
            staged = _staged(number, source, asked)
        except Exception as error:
            what = f"internal error: {type(error).__name__}"
            hint = "run again with --debug for details"
            raise GazetrackError(what, path=unnamed.label, hint=hint) from error
    staged.outcomes = [whole.outcome(outcome) for outcome in staged.outcomes]
    for part in staged.parts:
        part.file = whole.label
    return staged


def _staged(number: int, source: Source, asked: _Asked) -> _Staged:
    outcome = Outcome(str(source.path))
    staged = _Staged([outcome])
    try:
        with near(source) as copies:
            head = read_head(copies.path, asked.options.reading)
            outcome.format, _ = recognise(head, asked.options)
            if source.clash is not None:
                what = f"may be the same recording as a file beside it: {source.clash.what}"
                raise DataError(what, path=source.path, hint="name one of the two")
            recording = read_source(copies, asked.options, head, outcome.format)
            outcome.sha256 = sha256_of(copies.path)
            staged.parts = _write_parts(number, recording, source, asked, outcome)
    except UnknownFormat as error:
        if source.from_folder:
            outcome.status = "skipped"
            outcome.notes = [str(error)]
        else:
            outcome.status = "failed"
            outcome.error = error
    except GazetrackError as error:
        outcome.status = "failed"
        outcome.error = error
    return staged


def _write_parts(
    number: int, recording: Recording, source: Source, asked: _Asked, outcome: Outcome
) -> list[Staged]:
    """Write the recordings of an export, all of them or none; errors name the export."""
    options = asked.options
    outcome.rows_in = recording.rows_in
    outcome.dropped = dict(recording.dropped)
    outcome.mended = dict(recording.mended)
    try:
        exported = parts_of(recording)
        check_screen(recording)
        known_names = [source.path.name, source.name]
        unnamed = options.pseudonyms.apply(recording, outcome.sha256, known_names)
        # Under their new names recordings come in the same order.
        written = parts_of(unnamed)
        derived = Derived(unnamed, options.eye) if options.derivatives else None
        notes = [*unnamed.notes]
        staged = []
        for place, (old, new) in enumerate(zip(exported, written, strict=True)):
            folder = f"{_STAGING}/{number}-{place}"
            people = [part.participant for part in exported]
            own = Place(source, folder, people, asked_for(source.path, asked.folders))
            one = named_part(old, new, own, asked.rules, options.pseudonyms)
            staged.append(one)
            tables, found = write_part(new, asked.root / folder, asked.rules.hed)
            one.rows, one.sidecars = tables.rows, tables.sidecars
            notes += tables.notes
            if derived is not None:
                rows, sidecars = derived.write(new.label, found.first_ms, asked.root / folder)
                one.derived_rows, one.derived_sidecars = rows, sidecars
            for name in (*one.rows, *one.derived_rows):
                one.sha256[name] = sha256_of(asked.root / folder / name)
            outcome.rows_out += found.n_samples
    except (ConfigError, DataError) as error:
        told = type(error)(error.what, path=source.path, hint=error.hint)
        raise told from error
    outcome.notes = list(dict.fromkeys(notes if derived is None else [*notes, *derived.notes]))
    return staged


def _lost(item: tuple[int, Pair], error: WorkerLost, keeps: bool) -> _Staged:
    _, (source, files) = item
    name = str(source.path) if keeps else files[0].label
    lost = WorkerLost(error.what, path=Path(name), hint=error.hint)
    return _Staged([Outcome(name, "failed", error=lost)])


def _refuse_same_bytes(staged: Sequence[_Staged]) -> None:
    """Refuse one export under two names: its participant would be there twice."""
    owners: dict[str, str] = {}
    for one in staged:
        outcome = one.outcomes[0]
        if not one.parts:
            continue
        other = owners.setdefault(outcome.sha256, outcome.file)
        if other != outcome.file:
            what = f"holds the same bytes as {quote(other, 100)}: one recording under two names"
            raise DataError(what, path=outcome.file, hint="leave one of the two out")


def _tell(staged: Sequence[_Staged], outputs: dict[int, list[dict[str, Any]]], out: Path) -> None:
    """Say in the outcome of each export what was written of it."""
    listed: dict[int, list[dict[str, Any]]] = defaultdict(list)
    number = 0
    for place, one in enumerate(staged):
        for _ in one.parts:
            listed[place] += outputs[number]
            number += 1
        one.outcomes[0].outputs = [
            entry | {"path": str(out / entry["path"])} for entry in listed[place]
        ]
