"""From exports to fixation tables, over many files: read, detect, place, store.

Every function takes one input after the other and never lets a bad one touch its neighbours.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from gazetrack.errors import (
    ConfigError,
    DataError,
    GazetrackError,
    InputError,
    ParseError,
    UnknownFormat,
    quote,
    quoting_nothing,
    readable,
)
from gazetrack.events.fixations import fixation_table
from gazetrack.publish import safe_name, sha256_of
from gazetrack.readers import registry
from gazetrack.readers.base import (
    POSITION_SETTINGS,
    Level,
    Reading,
    ReadOptions,
    Verdict,
    read_head,
)
from gazetrack.readers.pupil.blinks import read_blinks
from gazetrack.tables.geometry import with_geometry
from gazetrack.tables.own_tables import describe_table, tables_of
from gazetrack.tables.plausible import checked
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.selection import select_eye, split_trials
from gazetrack.tables.store import SUFFIX, read_meta, refuse_other_origin, write_table
from gazetrack.workflows.describing import describe
from gazetrack.workflows.inputs import Source, find_sources
from gazetrack.workflows.joining import joined, renamed
from gazetrack.workflows.naming import recording_name
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.privacy import Unnamed
from gazetrack.workflows.workers import counted, over_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from gazetrack.events.base import Detector
    from gazetrack.events.prepare import Preparation
    from gazetrack.readers.base import Head
    from gazetrack.tables.recording import Recording
    from gazetrack.tables.screen import Screen


@dataclass(frozen=True)
class ConvertOptions:
    """What a user may choose when converting.

    Parameters
    ----------
    format : str or None
        Name of the reader; None to detect it by content.
    columns : mapping of str to str
        For the generic reader.
    screen : Screen or None
        In place of the export's.
    detector : Detector or None
        Detect fixations even when the export has its own.
    out : pathlib.Path or None
        Folder for the outputs; beside each input by default.
    samples, events : bool
        Also write ``*.samples.parquet`` and ``*.events.parquet``.
    force : bool
        Also replace files that gazetrack did not write, and tables of another origin.
    recursive : bool
        Of a folder, also take the files below it.
    eye : {"auto", "left", "right", "both"}
        Whose gaze and fixations, see `selection.select_eye` and `selection.one_eye`.
    trial_by : str or None
        See `selection.split_trials`.
    pseudonyms : Pseudonyms
        How participants are named in what is written.
    preparation : Preparation or None
        What to do to the samples before fixations are detected.
    fov_deg : float or None
        How many degrees the width of the screen, or of a world camera's image, covers.
    salvage : bool
        Take the whole rows of a file that is cut off.
    trust_gzip : bool
        Unpack gzip without the limits of ratio and size.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    screen: Screen | None = None
    detector: Detector | None = None
    out: Path | None = None
    samples: bool = False
    events: bool = False
    force: bool = False
    recursive: bool = False
    eye: str = "auto"
    trial_by: str | None = None
    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)
    preparation: Preparation | None = None
    fov_deg: float | None = None
    salvage: bool = False
    trust_gzip: bool = False

    @property
    def reading(self) -> Reading:
        """How to read one file."""
        return Reading(salvage=self.salvage, trust_gzip=self.trust_gzip)


def read_recording(
    path: str | Path,
    format: str | None = None,
    columns: Mapping[str, str] | None = None,
    *,
    screen: Screen | None = None,
    fov_deg: float | None = None,
    salvage: bool = False,
    trust_gzip: bool = False,
) -> Recording:
    """Read an export of any known format.

    Parameters
    ----------
    path : path-like
        The export; gzip is unpacked on the way.
    format : str, optional
        Name of the reader; detected by content by default.
    columns : mapping of str to str, optional
        For the generic reader: our name (x, y, t, duration, …) to the export's column; also
        ``unit``, ``origin`` and ``y_axis`` of the positions, see docs/formats.md.
    screen : Screen, optional
        In place of the export's.
    fov_deg : float, optional
        How many degrees the width of the screen, or of a world camera's image, covers.
    salvage : bool
        Take the whole rows of a file that is cut off; without it such a file is refused.
    trust_gzip : bool
        Unpack gzip that grows to more than 200 times its size, or to more than 64 GiB, as well.

    Returns
    -------
    Recording
        Samples, events and fixations as pyarrow tables.

    Raises
    ------
    GazetrackError
        `InputError`, `UnknownFormat`, `AmbiguousFormat`, `ParseError` or `ConfigError`, with the
        place and what to do.
    """
    head = read_head(path, Reading(salvage=salvage, trust_gzip=trust_gzip))
    name, _ = recognise(head, format, columns or {})
    recording = _read(head, name, ReadOptions(columns=columns or {}, screen=screen), fov_deg)
    return renamed(recording, head.stem, recording_name(head.path))


def recognise(head: Head, format: str | None, columns: Mapping[str, str]) -> tuple[str, Verdict]:
    """Return the reader's name and why: the one named, the generic one when columns are given, or the detected one."""
    if format is not None:
        registry.get(format)
        return format, Verdict(Level.CERTAIN, "chosen with --format")
    if columns and not set(columns) <= POSITION_SETTINGS:
        return "generic", Verdict(Level.CERTAIN, "columns named with --columns")
    found = registry.detect(head)
    return found.name, found.verdict


def _read(head: Head, name: str, options: ReadOptions, fov_deg: float | None) -> Recording:
    """Call a reader; what it does not foresee in a file is still an error about that file, not a crash."""
    import pyarrow as pa

    if options.columns and name in registry.BUILTIN and not registry.get(name).FORMAT.takes_columns:
        what = f"--columns is for tables that do not say what they hold; {name} states its own columns and units"
        raise ConfigError(what, path=head.path, hint="leave --columns out, or add --format generic")
    try:
        recording = checked(head.reading.applied(registry.get(name).read(head, options)))
    except ParseError as error:
        if error.path is not None:
            raise
        raise type(error)(error.what, path=head.path, hint=error.hint) from error
    except GazetrackError:
        raise
    except (
        ValueError,
        KeyError,
        IndexError,
        OverflowError,
        RecursionError,
        MemoryError,
        pa.ArrowException,
    ) as error:
        what = f"the {name} reader cannot make sense of it: {type(error).__name__}: {quote(error, 150)}"
        raise ParseError(
            what, path=head.path, hint="check the export, or name the format with --format"
        ) from error
    return with_geometry(recording, options.screen, fov_deg)


def info(path: str | Path, options: ConvertOptions) -> dict[str, Any]:
    """Describe an export: its format and why, tracker, rate, eyes, loss, trials, stimuli, events."""
    return _info(Source(Path(path), recording_name(Path(path)), Path(path)), options)


def _info(source: Source, options: ConvertOptions) -> dict[str, Any]:
    head = read_head(source.path, options.reading)
    reader, verdict = recognise(head, options.format, options.columns)
    recording = _read_source(source, options, head, reader)
    facts = {"file": str(source.path), **describe(recording, verdict, head)}
    if source.parts:
        facts["read_with"] = [str(part) for part in source.parts]
    return facts | _fixation_eye(recording, source.path, options.eye)


def _read_source(source: Source, options: ConvertOptions, head: Head, reader: str) -> Recording:
    """Read a recording from its file or files, under its name and on the user's screen."""
    given = ReadOptions(columns=options.columns, screen=options.screen)
    recording = _read(head, reader, given, options.fov_deg)
    if source.parts:
        fixations = blinks = None
        if source.fixations is not None:
            fixations = _read(
                read_head(source.fixations, options.reading), reader, given, options.fov_deg
            )
        if source.blinks is not None:
            blinks = read_blinks(read_head(source.blinks, options.reading), reader)
        try:
            recording = joined(recording, fixations, blinks)
        except DataError as error:
            raise DataError(error.what, path=source.path, hint=error.hint) from error
    if source.leaves_fixations and options.detector is None and not _has_own_fixations(recording):
        note = "a file beside it holds the tracker's own fixations: name that file as well, or the folder, to have them"
        recording = replace(recording, notes=(note, *recording.notes))
    return renamed(recording, head.stem, source.name)


def _has_own_fixations(recording: Recording) -> bool:
    is_own = pc.equal(recording.event_table["kind"].cast("string"), "fixation")
    return recording.fixation_table is not None or bool(pc.any(is_own).as_py())


def read_files(
    paths: Sequence[str | Path], options: ConvertOptions
) -> Iterator[tuple[Path, Recording | GazetrackError]]:
    """Read exports, one after the other; of a folder, all in it, as `convert_files` takes them.

    Yields
    ------
    (pathlib.Path, Recording or GazetrackError)
        The file, and what is in it or why it cannot be read; a file of a folder that is no export
        is left out.
    """
    for source in find_sources(paths, recursive=options.recursive, join=_may_join(options)):
        try:
            head = read_head(source.path, options.reading)
            reader, _ = recognise(head, options.format, options.columns)
            yield source.path, _read_source(source, options, head, reader)
        except UnknownFormat as error:
            if not source.from_folder:
                yield source.path, error
        except GazetrackError as error:
            yield source.path, error


def _may_join(options: ConvertOptions) -> bool:
    """Whether files of one recording are looked for: not where the user says how each file is to be read."""
    return options.format is None and not options.columns


def _fixation_eye(recording: Recording, path: Path, eye: str) -> dict[str, Any]:
    """Return how many fixations `convert_files` would write, and of which eye, where the export has its own."""
    if not _has_own_fixations(recording):
        return {}
    try:
        table, source = fixation_table(select_eye(recording, eye), eye=eye)
    except (ConfigError, DataError) as error:
        raise type(error)(error.what, path=path, hint=error.hint) from error
    notes = [*recording.notes, *source["notes"]]
    return {"fixations": table.num_rows, "fixation_eye": source["fixation_eye"], "notes": notes}


def info_files(
    paths: Sequence[str | Path], options: ConvertOptions
) -> Iterator[dict[str, Any] | GazetrackError]:
    """Describe exports, one after the other; of a folder, all in it, as `convert_files` takes them, and our own tables.

    Yields
    ------
    dict or GazetrackError
        What `info` or `describe_table` says, or why it cannot; a file of a folder that is neither
        is left out.
    """
    tables = tables_of(paths, options.recursive)
    folders = {table.parent for table in tables}
    exports = [
        path for path in map(Path, paths) if path not in tables and not _is_of_tables(path, folders)
    ]
    yield from _export_infos(exports, options)
    for table in tables:
        try:
            yield describe_table(table)
        except GazetrackError as error:
            yield error


def _is_of_tables(path: Path, folders: Collection[Path]) -> bool:
    """Tell whether a folder holds tables of ours and nothing else."""
    return path in folders and all(
        file.suffix == ".parquet" for file in path.rglob("*") if file.is_file()
    )


def _export_infos(
    paths: Sequence[str | Path], options: ConvertOptions
) -> Iterator[dict[str, Any] | GazetrackError]:
    for source in find_sources(paths, recursive=options.recursive, join=_may_join(options)):
        try:
            yield _info(source, options)
        except UnknownFormat as error:
            if not source.from_folder:
                yield error
        except GazetrackError as error:
            yield error


def convert_files(
    paths: Sequence[str | Path],
    options: ConvertOptions,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Convert exports to fixation tables.

    Parameters
    ----------
    paths : sequence of path-like
        Exports; of a folder, all files in it, and with ``options.recursive`` those below it as
        well.
    options : ConvertOptions
        What to write and where.
    jobs : int
        Processes; the files and their order are the same whatever their number.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.

    Yields
    ------
    Outcome
        One per input, in order, as soon as it is done. A failed input does not touch the others. A
        file of a folder that is no export is skipped, not failed. Files of one recording come one
        after the other, that of the gaze, whose outputs are theirs, first.
    """
    try:
        sources = find_sources(
            paths, recursive=options.recursive, out=options.out, join=_may_join(options)
        )
    except InputError as error:
        if options.pseudonyms.keeps:
            raise
        raise InputError(error.what, hint=error.hint) from None
    if not options.pseudonyms.keeps:  # their names are of what is in them
        sources = [
            replace(source, target=source.target.with_name("unnamed"), clash=None)
            for source in sources
        ]
    pairs = list(zip(sources, _unnamed(sources, options.out is not None), strict=True))
    convert = partial(_convert_as_told, options=options)
    one_by_one = jobs == 1 or len(pairs) == 1
    done = map(convert, pairs) if one_by_one else over_processes(convert, pairs, jobs)
    yield from _namesakes_noted(chain.from_iterable(counted(done, len(pairs), progress)))


def _namesakes_noted(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """Note where two exports name a recording alike: pandas, which knows no files, would take them for one."""
    owners: dict[str, str] = {}
    for outcome in outcomes:
        names = outcome.summary.get("recordings", ())
        shared = [name for name in names if owners.setdefault(name, outcome.file) != outcome.file]
        if shared:
            what = (
                f"{quote(owners[shared[0]], 80)} names a recording {quote(shared[0], 40)} as well"
            )
            outcome.notes.append(f"{what}: group by participant, or keep the tables apart")
        yield outcome


def _unnamed(sources: Sequence[Source], shows_folder: bool) -> list[list[Unnamed]]:
    """Return what the files of each recording are called where they have no names."""
    total = sum(1 + len(source.parts) for source in sources)
    number = count(1)
    return [
        [
            Unnamed(next(number), total, (file,), shows_folder)
            for file in (source.path, *source.parts)
        ]
        for source in sources
    ]


def _convert_as_told(pair: tuple[Source, list[Unnamed]], options: ConvertOptions) -> list[Outcome]:
    """Convert a recording; where participants are not to be named, tell nothing that may name one."""
    source, files = pair
    if options.pseudonyms.keeps:
        outcome, first = _convert(source, options), quote(source.path)
        labels = [str(part) for part in source.parts]
    else:
        first, labels = files[0].label, [file.label for file in files[1:]]
        with quoting_nothing():
            try:
                outcome = replace(files[0], paths=(source.path, *source.parts)).outcome(
                    _convert(source, options)
                )
            except Exception as error:
                what = f"internal error: {type(error).__name__}"
                raise GazetrackError(
                    what, path=first, hint="run again with --debug for details"
                ) from error
    note = f"read with {first}, as one recording"
    return [
        outcome,
        *(Outcome(label, "joined", format=outcome.format, notes=[note]) for label in labels),
    ]


def _convert(source: Source, options: ConvertOptions) -> Outcome:
    outcome = Outcome(str(source.path))
    try:
        if source.clash is not None:
            # What is no export clashes with none.
            recognise(read_head(source.path, options.reading), options.format, options.columns)
            raise source.clash
        _convert_file(source, options, outcome)
    except UnknownFormat as error:
        outcome.status, outcome.error = (
            ("skipped", None) if source.from_folder else ("failed", error)
        )
        outcome.notes = [str(error)] if source.from_folder else []
    except GazetrackError as error:
        outcome.status, outcome.error = "failed", error
    return outcome


def _convert_file(source: Source, options: ConvertOptions, outcome: Outcome) -> None:
    path, target = source.path, source.target
    head = read_head(
        path, options.reading
    )  # first: it refuses what is no file, such as a pipe that never ends
    with ThreadPoolExecutor(1) as beside:
        digests = beside.map(sha256_of, (path, *source.parts))
        try:
            outcome.format, verdict = recognise(head, options.format, options.columns)
            recording = _read_source(source, options, head, outcome.format)
        finally:
            outcome.sha256, *others = digests
    try:
        recording = split_trials(select_eye(recording, options.eye), options.trial_by)
        recording = options.pseudonyms.apply(recording, outcome.sha256, [head.stem, source.name])
        fixations, facts = fixation_table(
            recording, options.detector, options.preparation, options.eye
        )
    except (ConfigError, InputError, DataError) as error:
        raise type(error)(error.what, path=path, hint=error.hint) from error
    outcome.rows_in, outcome.rows_out = recording.rows_in, fixations.num_rows
    outcome.dropped, outcome.notes = (
        dict(recording.dropped),
        [*recording.notes, *facts.pop("notes")],
    )
    outcome.mended = dict(recording.mended)
    outcome.left_out = facts.get("left_out", {})
    outcome.summary = {
        **describe(recording, verdict, head),
        **facts,
        "fixations": fixations.num_rows,
    }
    outcome.summary["notes"] = outcome.notes
    file_name = readable(head.path.name)
    is_renamed = not options.pseudonyms.keeps
    if is_renamed:  # the file may be called after the participant
        file_name = f"sha256-{outcome.sha256[:12]}"
        target = target.with_name(safe_name(recording.name))
    meta = _provenance(recording, file_name, outcome) | facts
    meta["source"] |= _first_source(head.path, outcome.format, named=not is_renamed)
    if source.parts:
        meta["source"]["parts"] = others
    # Fixations that were asked for lie beside those that `convert` takes, so that both can be
    # compared.
    suffix = SUFFIX if options.detector is None else f".{facts['detector']['name']}{SUFFIX}"
    tables = {suffix: fixations}
    if options.samples and recording.sample_table is not None:
        tables[".samples.parquet"] = recording.sample_table
    if options.events:
        tables[".events.parquet"] = recording.event_table
    outputs = {target.with_name(target.name + ending): table for ending, table in tables.items()}
    for output in outputs:
        in_one_folder = options.out is not None or is_renamed
        refuse_other_origin(output, meta, force=options.force, same_bytes=in_one_folder)
    for output, table in outputs.items():
        # Which fixations were chosen is a note of their table alone: the samples may be asked for
        # others.
        own = meta | {"notes": outcome.notes} if table is fixations else meta
        write_table(output, table, own, force=options.force)
        outcome.outputs.append(
            {"path": str(output), "rows": table.num_rows, "sha256": sha256_of(output)}
        )


def _first_source(path: Path, format: str, *, named: bool) -> dict[str, Any]:
    """Return what a table of samples was itself made of: fixations detected in it are the export's all the same."""
    if format != "gazetrack_samples":
        return {}
    try:
        source = read_meta(path).get("source")
    except InputError:  # gzip
        return {}
    if not isinstance(source, dict):
        return {}
    first = source.get("made_of", source)
    return {"made_of": first if named else {"sha256": first.get("sha256", "")}}


def _provenance(recording: Recording, file_name: str, outcome: Outcome) -> dict[str, Any]:
    """Return the metadata of a table: everything about its source but names of people, places and dates."""
    return {
        "source": {"file": file_name, "sha256": outcome.sha256},
        **recording.facts(),
        "placement": {
            name: asdict(placement) for name, placement in sorted(recording.placements.items())
        },
    }
