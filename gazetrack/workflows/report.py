"""Many recordings in one page: what they are, how good they are, and what people looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from gazetrack.errors import InputError, OutputError
from gazetrack.publish import refuse_overwrite, write_text
from gazetrack.storage.address import local_or_url
from gazetrack.storage.objects import check_shared
from gazetrack.tables.own_tables import place_of, tables_of
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.inputs import Source, find_sources
from gazetrack.workflows.outcome import settled
from gazetrack.workflows.privacy import Unnamed
from gazetrack.workflows.reporting.options import ReportOptions
from gazetrack.workflows.reporting.packing import points_for
from gazetrack.workflows.reporting.page import GENERATOR, check_installed, page_of
from gazetrack.workflows.reporting.pictures import check_pictures, embedded, embedded_maps, placed
from gazetrack.workflows.reporting.recordings import (
    SAMPLE_TABLE,
    Input,
    is_fixations,
    lost,
    reported,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.reporting.entries import RecordingEntry, Reported
    from gazetrack.workflows.reporting.options import ReportChoices
    from gazetrack.workflows.reporting.pictures import Pictures

_BEGINNING_BYTES = 4096


@dataclass(frozen=True)
class Report:
    """A report that was written.

    Parameters
    ----------
    path : pathlib.Path
        Where the page was written to.
    outcomes : tuple of Outcome
        What became of each input, in order: a failed one is a row of the page.
    n_recordings, n_trials : int
        How many recordings and trials the page shows.
    n_missing_images : int
        Of how many stimuli the folder of images has none.
    """

    path: Path
    outcomes: tuple[Outcome, ...]
    n_recordings: int
    n_trials: int
    n_missing_images: int


def write_report(
    paths: str | Path | Sequence[str | Path],
    out: str | Path = "report.html",
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
    force: bool = False,
    **choices: Unpack[ReportChoices],
) -> Report:
    """Write one page about recordings, as the command ``gazetrack report`` does.

    Parameters
    ----------
    paths : path-like, or sequence of path-like
        Exports, tables of fixations, folders of either, and tables of samples named one by one.
    out : path-like
        The page to be written: one file that needs nothing else.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the page does not depend on it.
    progress : callable, optional
        Called with the number of recordings done and of all, before the first and after each.
    errors : {"raise", "report"}
        ``raise``: when the page is written, the first error is raised, with the others in its
        notes. ``report``: errors are in the page and in the outcomes alone.
    force : bool
        Also replace a file that is no earlier report.
    **choices
        Fields of `ReportOptions`, such as `images`, `thresholds` and `screen`.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        No input can be read: nothing is written.
    OutputError
        The page cannot be written, or is there and no earlier report.
    ConfigError
        Jinja2 is not installed, or a choice that cannot be.
    GazetrackError
        An input failed, and `errors` is ``raise``. The page is written, with a row about it.

    Examples
    --------
    >>> limits = gazetrack.Thresholds(max_loss_percent=20)  # doctest: +SKIP
    >>> gazetrack.write_report("exports", images="images", thresholds=limits)  # doctest: +SKIP
    """
    settled((), errors)  # a wrong word is said before hours of work
    listed = [paths] if isinstance(paths, str | Path) else list(paths)
    report = report_files(
        listed, ReportOptions(**choices), out, jobs=jobs, progress=progress, force=force
    )
    settled(report.outcomes, errors)
    return report


def report_files(
    paths: Sequence[str | Path],
    options: ReportOptions,
    out: str | Path,
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
    force: bool = False,
) -> Report:
    """Write one page about recordings; a bad input leaves the others alone.

    Parameters
    ----------
    paths, out, jobs, progress, force
        The same as those of `write_report`.
    options : ReportOptions
        How inputs are read, what is shown, and how quality is judged.

    Returns
    -------
    Report

    Raises
    ------
    GazetrackError
        As `write_report` says, but for the errors of single inputs.
    """
    check_installed()
    check_pictures(options.images, options.placement, options.maps)
    inputs = find_inputs(paths, options, Path(out))
    _check_out(Path(out), inputs, force=force)
    engine = Engine.of(jobs)
    if not engine.works_here(len(inputs)):
        check_shared(url for one in inputs for url in one.source.addresses.values())
    n_points = points_for(len(inputs))
    done = list(
        over(
            partial(reported, options=options, n_points=n_points),
            inputs,
            engine,
            total=len(inputs),
            lost=partial(lost, options=options),
            progress=progress,
        )
    )
    found = _without_twins(done)
    trials = [trial for one in found for entry in one.entries for trial in entry.trials]
    if not trials:
        raise _nothing(found)
    pictures = embedded(options.images, (trial.stimulus for trial in trials))
    found = [_placed(one, pictures, options.placement) for one in found]
    maps = embedded_maps(options.maps, trials)
    write_text(out, page_of(found, pictures, maps, options))
    n_recordings = sum(len(one.entries) for one in found)
    outcomes = tuple(one.outcome for one in found)
    return Report(Path(out), outcomes, n_recordings, len(trials), len(pictures.missing))


def find_inputs(
    paths: Sequence[str | Path], options: ReportOptions, out: Path | None = None
) -> list[Input]:
    """Return the recordings of files and folders: exports, then tables of fixations.

    Parameters
    ----------
    paths : sequence of path-like
        Exports, tables and folders of either, or addresses of exports.
    options : ReportOptions
        Which files of a folder are taken, and whether they may be named in errors.
    out : pathlib.Path, optional
        The page, which may lie in a folder of exports and is none of them.

    Raises
    ------
    InputError
        A folder without files.
    """
    places = list(map(local_or_url, paths))
    here = [path for path in places if isinstance(path, Path)]
    tables = [path for path in tables_of(here, options.recursive) if is_fixations(path)]
    inside = {
        path for path in here if path.is_dir() and _holds_only_tables(path, options.recursive)
    }
    taken = {place_of(path) for path in tables}
    exports = [
        path
        for path in places
        if isinstance(path, str) or (path not in inside and place_of(path) not in taken)
    ]
    try:
        found = find_sources(exports, recursive=options.recursive, join=options.may_join)
    except InputError as error:
        if options.pseudonyms.keeps:
            raise
        raise InputError(error.what, hint=error.hint) from None
    if out is not None:
        page = out.absolute()
        found = [one for one in found if not (one.from_folder and one.path.absolute() == page)]
    named = set(here)
    of_tables = [
        Source(path, path.name.removesuffix(".fixations.parquet"), path, path not in named)
        for path in tables
    ]
    total = len(found) + len(of_tables)
    return [
        Input(source, Unnamed(place, total, (source.path, *source.parts)), source in of_tables)
        for place, source in enumerate([*found, *of_tables], 1)
    ]


def _holds_only_tables(folder: Path, recursive: bool) -> bool:
    """Tell whether a folder holds tables, and nothing else that could be an export."""
    inside = list(folder.rglob("*") if recursive else folder.iterdir())
    files = [file for file in inside if file.is_file() and not file.name.startswith(".")]
    return bool(files) and all(file.suffix == ".parquet" for file in files)


def _check_out(out: Path, inputs: Sequence[Input], *, force: bool) -> None:
    """Refuse, before any work, to replace an input, or what is no earlier report."""
    refuse_overwrite(out, [file for one in inputs for file in one.unnamed.paths])
    if out.is_dir():
        raise OutputError("is a folder", path=out, hint="name a file, such as report.html")
    if force or not out.exists():
        return
    with out.open("rb") as file:
        beginning = file.read(_BEGINNING_BYTES)
    if GENERATOR.encode() not in beginning:
        hint = "choose another file with --out, or add --force"
        raise OutputError("is there and is no earlier report", path=out, hint=hint)


def _without_twins(found: Sequence[Reported]) -> list[Reported]:
    """Leave out what is in the report already: second copies, and tables of exports in it."""
    firsts: dict[str, Reported] = {}
    for one in found:
        if one.entries:
            firsts.setdefault(one.outcome.sha256, one)
    # By their samples tables recordings are here as well, and so need no table of fixations.
    sampled = {
        one.provenance.get("made_of")
        for one in found
        if one.entries and one.outcome.format == SAMPLE_TABLE
    }
    kept = []
    for one in found:
        made_of = one.provenance.get("made_of")
        first = firsts.get(one.outcome.sha256, one) if one.entries else one
        if first is not one:
            kept.append(_left_out(one, f"the same bytes as {first.outcome.file}"))
        elif made_of in firsts:
            kept.append(_left_out(one, "the export that it was made of is in the report itself"))
        elif made_of is not None and made_of in sampled and one.outcome.format != SAMPLE_TABLE:
            kept.append(_left_out(one, "the samples of its export are in the report"))
        else:
            kept.append(one)
    return kept


def _left_out(one: Reported, why: str) -> Reported:
    note = f"{one.outcome.file}: {why}"
    outcome = replace(one.outcome, status="skipped", notes=[note])
    return replace(one, outcome=outcome, entries=())


def _placed(one: Reported, pictures: Pictures, rule: str | None) -> Reported:
    """Return what is said of an input, its trials knowing where their images lay."""

    def own(entry: RecordingEntry) -> RecordingEntry:
        trials = tuple(placed(trial, pictures, rule) for trial in entry.trials)
        return replace(entry, trials=trials)

    return replace(one, entries=tuple(map(own, one.entries)))


def _nothing(found: Sequence[Reported]) -> InputError:
    """Return the error of a report that would show nothing."""
    failed = [one.outcome.error for one in found if one.outcome.error is not None]
    hint = "see gazetrack formats for what can be read"
    if not failed:
        what = f"none of the {len(found)} files is an export of a known format"
        return InputError(f"{what}: no report was written", hint=hint)
    what = f"none of the {len(failed)} inputs can be read: no report was written"
    error = InputError(f"{what}; first: {failed[0].whole()}", hint=failed[0].hint or hint)
    for other in failed[1:]:
        error.add_note(str(other))
    return error
