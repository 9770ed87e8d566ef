"""From exports to fixation tables, over many files: read, detect, place, store.

Every function takes one input after the other and never lets a bad one touch its neighbours.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from gazetrack.errors import (
    GazetrackError,
    UnknownFormat,
    WorkerLost,
    quote,
    quoting_nothing,
)
from gazetrack.readers.head import read_head
from gazetrack.storage.objects import check_shared
from gazetrack.workflows.convert_options import ConvertOptions
from gazetrack.workflows.converting import make_tables
from gazetrack.workflows.elsewhere import near
from gazetrack.workflows.engine.manifest import Manifest
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome, namesakes_noted, settled
from gazetrack.workflows.pairs import find_pairs
from gazetrack.workflows.read import recognise
from gazetrack.workflows.resume import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gazetrack.workflows.convert_options import ConvertChoices
    from gazetrack.workflows.inputs import Source
    from gazetrack.workflows.pairs import Pair
    from gazetrack.workflows.privacy import Unnamed
    from gazetrack.workflows.resume import AtOnce


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
    paths: str | Path | Sequence[str | Path],
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
    listed = [paths] if isinstance(paths, str | Path) else paths
    pairs = pairs_to_convert(listed, options, manifest)
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
    return Study(manifest, options, options.pseudonyms, options.kind)


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
            make_tables(source, options, outcome)
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
