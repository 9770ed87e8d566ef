"""Areas of interest measured in many files; a bad one leaves the others alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gazetrack.errors import (
    GazetrackError,
    WorkerLost,
    did_you_mean,
)
from gazetrack.measures.aois import EVERY, AoiSet
from gazetrack.measures.trials import KEYS
from gazetrack.publish import sha256_of
from gazetrack.tables.stimulus import stem
from gazetrack.tables.store import read_fixations
from gazetrack.workflows.aoi_tables import AoiTables, measured, some, unseen
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.outcome import Outcome
from gazetrack.workflows.twins import refuse_twins

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gazetrack.workflows.aoi_options import AoiOptions


@dataclass(frozen=True)
class AoiReport:
    """What was measured in many files, and what became of each.

    Parameters
    ----------
    tables : AoiTables
        The measures of all of them, in the order of the files.
    outcomes : tuple of Outcome
        One a file; those that failed are not in the tables.
    notes : tuple of str
        What holds for all of the files together.
    """

    tables: AoiTables
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]


def measure_files(
    paths: Sequence[Path],
    aois: AoiSet,
    options: AoiOptions,
    *,
    jobs: int | Engine = 1,
    progress: Callable[[int, int], None] | None = None,
) -> AoiReport:
    """Measure the areas in many fixation tables; a bad one leaves the others alone.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Fixation tables, each named once.
    aois : AoiSet
        The areas of their stimuli.
    options : AoiOptions
        How the looks at them are measured.
    jobs : int or Engine
        Number of processes, or an engine with more to say; the report does not depend on it.
    progress : callable, optional
        Called with the number of tables done and of all, before the first and after each.

    Returns
    -------
    AoiReport
        With trials that are stated and of which no table has the recording, at the end: unless a
        table failed, as it may be the one.

    Raises
    ------
    DataError
        Two files hold the same showing of the same recording.
    """
    work = over(
        partial(_of_file, aois=aois, options=options),
        list(paths),
        Engine.of(jobs),
        total=len(paths),
        lost=_lost,
        progress=progress,
    )
    done = list(work)
    found = [one.tables for one in done if one.tables is not None]
    stimuli = {name for one in done for name in one.stimuli}
    notes = list(aois.notes)
    refuse_twins((one.outcome.file, _showings(one.tables)) for one in done if one.tables)
    recordings = {name for one in done for name in one.recordings}
    if found and len(found) == len(done):
        found += unseen(aois, options, found, None)
        notes += _strangers(options, recordings)
    if found:
        notes += _unknown(aois, stimuli)
    return AoiReport(AoiTables.joined(found), tuple(one.outcome for one in done), tuple(notes))


@dataclass(frozen=True)
class _OfFile:
    """What was measured in one file, or why there is nothing."""

    outcome: Outcome
    tables: AoiTables | None = None
    stimuli: frozenset[str] = frozenset()
    recordings: frozenset[str] = frozenset()


def _of_file(path: Path, aois: AoiSet, options: AoiOptions) -> _OfFile:
    """Measure the areas in one file; an error about it names it."""
    outcome = Outcome(str(path), format="fixations")
    try:
        table, meta = read_fixations(path)
        outcome.sha256 = sha256_of(path)
        outcome.rows_in = table.num_rows
        found, outcome.dropped, notes = measured(table, meta, aois, options)
    except GazetrackError as error:
        told = error if error.path is not None else _about(error, path)
        outcome.status, outcome.error = "failed", told
        return _OfFile(outcome)
    outcome.notes += notes
    outcome.rows_out = found.measures.num_rows
    names = frozenset(map(stem, table["stimulus"].unique().to_pylist()))
    return _OfFile(outcome, found, names, frozenset(table["recording"].unique().to_pylist()))


def _showings(tables: AoiTables) -> set[tuple[str, ...]]:
    """Return the names of all trials that were measured."""
    keys = tables.measures.select(KEYS).group_by(KEYS).aggregate([])
    return set(zip(*(keys[name].to_pylist() for name in KEYS), strict=True))


def _strangers(options: AoiOptions, recordings: set[str]) -> list[str]:
    """Say which recordings of the stated trials are in no table: without gaze, or misspelt."""
    stated = options.stated
    if stated is None or "recording" not in stated or not any(recordings):
        return []
    strange = [name for name in dict.fromkeys(stated["recording"]) if name not in recordings]
    if not strange:
        return []
    without = sorted(recordings - set(stated["recording"]))
    meant = did_you_mean(strange[0], without).strip()
    what = f"{len(strange)} recordings of the stated trials are in no table"
    text = f"{what}, their areas count as never looked at: {some(strange)}"
    return [f"{text}; {meant}" if meant else text]


def _about(error: GazetrackError, path: Path) -> GazetrackError:
    told = type(error)(error.what, path=path, hint=error.hint)
    told.__cause__ = error
    return told


def _lost(path: Path, error: WorkerLost) -> _OfFile:
    told = WorkerLost(error.what, path=path, hint=error.hint)
    return _OfFile(Outcome(str(path), status="failed", format="fixations", error=told))


def _unknown(aois: AoiSet, stimuli: set[str]) -> list[str]:
    """Say which stimuli of the areas are in no table, and which one may be meant."""
    unknown = [name for name in aois.known if name != EVERY and name not in stimuli]
    if not unknown:
        return []
    others = sorted(name for name in stimuli if name and aois.of(name) is None)
    meant = did_you_mean(unknown[0], others).strip()
    text = f"{len(unknown)} stimuli with areas are in no table: {some(unknown)}"
    return [f"{text}; {meant}" if meant else text]
