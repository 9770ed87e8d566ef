"""The data quality of recordings, of one at hand or of many files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pyarrow.compute as pc

from gazetrack.data_quality import measures
from gazetrack.errors import (
    ConfigError,
    GazetrackError,
    InputError,
    WorkerLost,
    quote,
    quoting_nothing,
    refuse_other_type,
)
from gazetrack.publish import sha256_of
from gazetrack.storage.objects import check_shared
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.recording import Recording
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.noted import Notes, packed, unpacked
from gazetrack.workflows.pairs import without_manifest
from gazetrack.workflows.planned import Planned, planned
from gazetrack.workflows.privacy import Unnamed
from gazetrack.workflows.read import InputChoices, InputOptions, read_one
from gazetrack.workflows.resume import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pandas as pd
    import pyarrow as pa

    from gazetrack.data_quality.targets import Target
    from gazetrack.workflows.inputs import Source

    AtOnce = Callable[[Source, "_Measured"], None]

KEPT_NAMES = Pseudonyms()


@dataclass(frozen=True)
class QualityReport:
    """The quality of many recordings.

    Parameters
    ----------
    table : pyarrow.Table
        Schema `QUALITY`, a row per period and eye of all recordings that have samples.
    notes : tuple of str
        What the readers had to infer, with the file in front.
    errors : tuple of GazetrackError
        Why files are not in the table.
    n_inputs : int
        How many recordings were looked at, those that failed among them.
    """

    table: pa.Table
    notes: tuple[str, ...]
    errors: tuple[GazetrackError, ...]
    n_inputs: int


def quality(
    recording: Recording | str | Path | Sequence[str | Path],
    by: str = "recording",
    *,
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
    **choices: Unpack[InputChoices],
) -> pd.DataFrame:
    """Report the data quality of a recording, or of the exports in files: rates, loss, precision.

    Parameters
    ----------
    recording : Recording, path-like or sequence of path-like
        A recording as `read` gives it, or exports and folders to read.
    by : {"recording", "trial", "window"}
        What a row is about; ``window``: consecutive windows of `window_ms` within each trial.
    window_ms : float
        Length of windows in milliseconds, also of the one that moves along the samples for
        ``window_rms_s2s`` and ``window_std``.
    targets : sequence of Target
        With targets, as `gazetrack.data_quality.targets.read_targets` gives them, a row is about
        the time of one, and tells the accuracy.
    **choices
        Fields of `InputOptions`, such as `screen`, for files.

    Returns
    -------
    pandas.DataFrame
        A row per period and eye. Degrees are NaN unless the screen's width and distance are known.

    Raises
    ------
    GazetrackError
        A file cannot be read, or has no samples.

    Examples
    --------
    >>> report = gazetrack.quality(gazetrack.read("raw.tsv"))  # doctest: +SKIP
    >>> report[["eye", "loss", "window_rms_s2s_deg"]]  # doctest: +SKIP
    """
    if isinstance(recording, Recording):
        table = measures.quality_table(recording, by, window_ms, targets)
    else:
        hint = "give one recording of gazetrack.read, or paths of exports"
        # Tables can be iterated as well, and give the names of their columns, which are no paths.
        if isinstance(recording, str | Path):
            paths: list[Any] = [recording]
        elif hasattr(recording, "columns") or not hasattr(recording, "__iter__"):
            paths = [recording]
        else:
            paths = list(recording)
        for path in paths:
            refuse_other_type(path, (str, Path), "the recording", hint)
        report = quality_files(
            paths, InputOptions(**choices), by, window_ms=window_ms, targets=targets
        )
        if report.errors:
            raise report.errors[0]
        table = report.table
    frame: pd.DataFrame = table.to_pandas()
    return frame


def quality_files(
    paths: Sequence[str | Path],
    options: InputOptions,
    by: str = "recording",
    *,
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
    tell: Callable[[GazetrackError], None] | None = None,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    manifest: str | Path | None = None,
    pseudonyms: Pseudonyms = KEPT_NAMES,
) -> QualityReport:
    """Report the data quality of exports or sample tables; a bad one leaves the others alone.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, tables of samples, and folders of them.
    options : InputOptions
        How the files are read.
    by, window_ms, targets
        What is measured, as for `data_quality.measures.quality_table`.
    tell : callable, optional
        Called with each error as it comes.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the report does not depend on it.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.
    manifest : path-like, optional
        A file that keeps what was found in each recording: those that are the same, and measured
        in the same way, are not read again. Made where there is none.
    pseudonyms : Pseudonyms
        How participants are named in the report; other than kept, files are told by their place in
        the order of the inputs.

    Returns
    -------
    QualityReport
        Recordings to which two exports give one name are named by their files as well.

    Raises
    ------
    ConfigError
        A manifest, which names files, and participants who are not to be named.
    """
    if manifest is not None and not pseudonyms.keeps:
        what = "a manifest of measures names the files, and participants are not to be named"
        hint = "leave out the manifest, or measure what convert --samples wrote under this policy"
        raise ConfigError(what, hint=hint)
    sources = _found(paths, options, manifest, pseudonyms)
    engine = Engine.of(jobs)
    if not engine.works_here(len(sources)):
        check_shared(url for source in sources for url in source.addresses.values())
    asked = _Asked(
        options=options, by=by, window_ms=window_ms, targets=tuple(targets), pseudonyms=pseudonyms
    )

    def work(left: Sequence[Source], at_once: AtOnce | None) -> Iterator[_Measured]:
        return over(
            partial(_measured, asked=asked),
            left,
            engine,
            total=len(left),
            lost=_lost,
            progress=progress,
            at_once=at_once,
        )

    if manifest is None:
        measured = work(sources, None)
        return _joined(measured if pseudonyms.keeps else _unnamed(sources, measured), tell)
    with Manifest(manifest) as known:
        notes = Notes(known, "quality", asked.as_texts(), _KEPT)
        return _joined(notes.going_on(sources, work, kept=_kept, again=_again), tell)


def plan_quality(
    paths: Sequence[str | Path],
    options: InputOptions,
    by: str = "recording",
    *,
    window_ms: float = 200.0,
    targets: Sequence[Target] = (),
    manifest: str | Path | None = None,
) -> list[Planned]:
    """Return what `quality_files` would do with the same arguments; nothing is written.

    Parameters
    ----------
    paths, options, by, window_ms, targets, manifest
        The same as those of `quality_files`.

    Returns
    -------
    list of Planned
        One per recording, in order.
    """
    sources = _sources(paths, options, manifest)
    whys = ["new" for _ in sources]
    if manifest is not None:
        asked = _Asked(options=options, by=by, window_ms=window_ms, targets=tuple(targets))
        with Manifest(manifest, read_only=True) as known:
            notes = Notes(known, "quality", asked.as_texts(), _KEPT)
            whys = [notes.step(source).why for source in sources]
    return [
        planned(source, why, options, action="measure")
        for source, why in zip(sources, whys, strict=True)
    ]


def _sources(
    paths: Sequence[str | Path], options: InputOptions, manifest: str | Path | None
) -> list[Source]:
    sources = find_sources(paths, recursive=options.recursive, join=options.may_join)
    return sources if manifest is None else without_manifest(sources, manifest)


def _found(
    paths: Sequence[str | Path],
    options: InputOptions,
    manifest: str | Path | None,
    pseudonyms: Pseudonyms,
) -> list[Source]:
    """Return the recordings; an error names no folder where that may be called after somebody."""
    try:
        return _sources(paths, options, manifest)
    except InputError as error:
        if pseudonyms.keeps:
            raise
        raise InputError(error.what, hint=error.hint) from None


def _unnamed(sources: Sequence[Source], measured: Iterable[_Measured]) -> Iterator[_Measured]:
    """Yield what was found in each recording, told by its place in place of its name."""
    measured = iter(measured)
    for number, source in enumerate(sources, 1):
        one = next(measured)
        files = (source.path, *source.parts)
        unnamed = Unnamed(number, len(sources), files)
        error = None if one.error is None else unnamed.error(one.error)
        yield replace(one, file=unnamed.label, error=error)
    # The engine ends its workers, and tells of the last one, when it is asked for one more.
    assert next(measured, None) is None  # noqa: S101 - as many results as recordings


def _joined(
    measured: Iterable[_Measured], tell: Callable[[GazetrackError], None] | None
) -> QualityReport:
    """Return the report of all recordings."""
    found: list[tuple[str, pa.Table]] = []
    notes: list[str] = []
    errors: list[GazetrackError] = []
    for one in measured:
        if one.table is not None:
            found.append((one.file, one.table))
            notes += [f"{quote(one.file)}: {note}" for note in one.notes]
        if one.error is not None:
            errors.append(one.error)
            if tell is not None:
                tell(one.error)
    table = measures.joined(_told_apart(found))
    n_inputs = len(found) + len(errors)
    return QualityReport(table, tuple(notes), tuple(errors), n_inputs)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is measured, see `quality_files`."""

    options: InputOptions
    by: str
    window_ms: float
    targets: tuple[Target, ...]
    pseudonyms: Pseudonyms = KEPT_NAMES

    def as_texts(self) -> dict[str, str]:
        """Return all that a measure depends on besides the recording."""
        of_windows = {"by": self.by, "window_ms": repr(self.window_ms)}
        return texts_of(self.options) | of_windows | {"targets": repr(self.targets)}


@dataclass(frozen=True)
class _Measured:
    """The quality of one recording, or why there is none; neither of a file that is no export."""

    file: str
    table: pa.Table | None = None
    notes: tuple[str, ...] = ()
    error: GazetrackError | None = None


def _measured(source: Source, asked: _Asked) -> _Measured:
    """Read a recording and measure it; an error about it names its file."""
    with quoting_nothing(not asked.pseudonyms.keeps):
        return _measured_as_told(source, asked)


def _measured_as_told(source: Source, asked: _Asked) -> _Measured:
    file = str(source.path)
    recording = read_one(source, asked.options)
    if recording is None:
        return _Measured(file)
    if isinstance(recording, GazetrackError):
        return _Measured(file, error=recording)
    try:
        if not asked.pseudonyms.keeps:
            digest = sha256_of(source.path)
            names = [source.path.name, source.path.stem, source.name]
            recording = asked.pseudonyms.apply(recording, digest, names)
        table = measures.quality_table(recording, asked.by, asked.window_ms, asked.targets)
    except GazetrackError as error:
        told = type(error)(error.what, path=source.path, hint=error.hint)
        told.__cause__ = error
        return _Measured(file, error=told)
    return _Measured(file, table, tuple(recording.notes))


def _lost(source: Source, error: WorkerLost) -> _Measured:
    told = WorkerLost(error.what, path=source.path, hint=error.hint)
    return _Measured(str(source.path), error=told)


_KEPT: dict[str, type] = {"table": str, "notes": list}


def _kept(measured: _Measured) -> dict[str, Any] | None:
    """Return what a manifest keeps of a recording; None where it failed."""
    if measured.error is not None:
        return None
    table = "" if measured.table is None else packed(measured.table)
    return {"table": table, "notes": list(measured.notes)}


def _again(source: Source, kept: dict[str, Any]) -> _Measured:
    """Return what was found in a recording from what a manifest kept."""
    table = unpacked(kept["table"]) if kept["table"] else None
    return _Measured(str(source.path), table, tuple(kept["notes"]))


def _told_apart(found: list[tuple[str, pa.Table]]) -> list[pa.Table]:
    """Return the reports; recordings that share a name have the name of their file in front."""
    names = [set(table["recording"].to_pylist()) for _, table in found]
    held = Counter(name for own in names for name in own)
    return [
        _named_by_file(file, table) if any(held[name] > 1 for name in own) else table
        for (file, table), own in zip(found, names, strict=True)
    ]


def _named_by_file(file: str, table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("recording")
    names = table.column(place).cast("string")
    named = (
        pc.binary_join_element_wise(file, names, "/")
        if len(names.unique()) > 1
        else pc.if_else(True, file, names)
    )
    return table.set_column(place, table.schema.field(place), named.dictionary_encode())
