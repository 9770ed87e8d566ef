"""The steps of a study, one after the other: what is done before is kept, the rest is done.

What is noted: a step whose command notes its recordings itself is called each time, and goes on by
its own notes. Of any other one, the files that it reads, its settings and what it wrote are noted
when it is done, and it is called again where one of them has changed.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gazetrack.errors import GazetrackError, LockedError, OutputError
from gazetrack.publish import sha256_of
from gazetrack.workflows.engine.manifest import Manifest, looking_in, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gazetrack.workflows.study.present import Present

    Progress = Callable[[int, int], None]

STEPS_FILE = "steps.jsonl"
RECORDINGS_FILE = "recordings.jsonl"
_RUN = "run"
_NAMES = "files"


@dataclass
class Done:
    """What a command has done.

    Parameters
    ----------
    recordings : int or None
        How many it was given; None where it counts none.
    skipped : int
        Files that it was given and that are no recordings.
    left : int or None
        Of files and recordings, how many were not done before; None where it was told of none.
    errors : tuple of GazetrackError
        What went wrong with those that failed.
    exit_code : int
        As the command would end the process.
    outputs : tuple of pathlib.Path
        Files that were written, also beside the step's own place.
    partial : int
        Of those with an error, how many were done in part: made, and yet failed.
    """

    recordings: int | None = None
    skipped: int = 0
    left: int | None = None
    errors: tuple[GazetrackError, ...] = ()
    exit_code: int = 0
    outputs: tuple[Path, ...] = ()
    partial: int = 0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A step that is ready to be taken.

    Parameters
    ----------
    name : str
        What it is called, such as ``measures``, or ``measures 2`` for the second of several.
    work : callable
        Takes it; called with a callback for the progress (done, total), it returns `Done`.
    where : pathlib.Path
        The file or folder of its results.
    after : tuple of str
        Names of jobs without which it is in vain.
    plan : callable or None
        Of a command that notes by itself which recordings are done: returns how many are not, and
        how many there are.
    reads : tuple of pathlib.Path
        Files and folders that its results depend on.
    parameters : mapping of str to str
        All else that they depend on.
    unnoted : str
        Why nothing is noted of it, so that it is taken each time; empty where it is.
    gives, takes : Present or None
        The tables of present recordings: to be told of what it makes, or all that it may take of
        their folder.
    """

    name: str
    work: Callable[[Progress], Done]
    where: Path
    after: tuple[str, ...] = ()
    plan: Callable[[], tuple[int, int]] | None = None
    reads: tuple[Path, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    unnoted: str = ""
    gives: Present | None = None
    takes: Present | None = None

    @property
    def goes_on(self) -> bool:
        """Whether its command notes by itself which recordings are done."""
        return self.plan is not None


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """What became of a step.

    Parameters
    ----------
    step : str
        The name of the step.
    recordings : int or None
        How many recordings or tables it is about; None where it does not count them.
    made, kept, failed : int or None
        How many were done now, were done before, and could not be done; one that was done in part
        is made, and has failed.
    seconds : float
        How long it took, in seconds.
    where : pathlib.Path
        The file or folder of its results.
    why : str
        Why it was taken, such as ``new``; empty where nothing had to be done.
    errors : tuple of GazetrackError
        What went wrong, recording by recording.
    exit_code : int
        That of its command; 0 where all is well.
    waits_for : str
        The step without whose results it was not taken; empty where it was.
    notes : tuple of str
        What is to be known of its results, in words for the user.
    """

    step: str
    where: Path
    recordings: int | None = None
    made: int | None = None
    kept: int | None = None
    failed: int | None = None
    seconds: float = 0.0
    why: str = ""
    errors: tuple[GazetrackError, ...] = ()
    exit_code: int = 0
    waits_for: str = ""
    notes: tuple[str, ...] = ()


class Told:
    """Who is told how a run goes on; does nothing with it."""

    def goes_on(self, step: str) -> None:
        """Tell that an earlier run stopped in a step."""

    def begins(self, job: Job, why: str) -> Progress:
        """Tell that a step begins, and return what is told its progress."""
        del job, why
        return lambda _done, _total: None

    def ends(self, result: StepResult) -> None:
        """Tell that a step has ended, or was not taken."""


def run_jobs(jobs: Sequence[Job], notes: Path, told: Told | None = None) -> list[StepResult]:
    """Take steps one after the other, but for those that are done.

    Parameters
    ----------
    jobs : sequence of Job
        The steps, in their order.
    notes : pathlib.Path
        The folder of the notes, which is made where there is none.
    told : Told, optional
        Is told how it goes.

    Returns
    -------
    list of StepResult
        One per step. A step that fails does not keep others from being taken, but for those that
        need its results.

    Raises
    ------
    LockedError
        Another run works on the study.
    OutputError
        The notes cannot be written.
    """
    told = told or Told()
    results: list[StepResult] = []
    with _notes_in(notes) as known:
        stopped_in = _stopped_in(known)
        if stopped_in:
            told.goes_on(stopped_in)
        for job in jobs:
            _note_place(known, job.name)
            said = {note for result in results for note in result.notes}
            unsaid = tuple(note for note in _recalled(job, known) if note not in said)
            results.append(replace(_taken(job, known, results, told), notes=unsaid))
            told.ends(results[-1])
        _note_place(known, "")
    return results


def _notes_in(folder: Path) -> Manifest:
    """Return the notes of a run, with errors in words of a study: nobody typed their name."""
    try:
        return Manifest(folder / STEPS_FILE)
    except LockedError as error:
        what, hint = "another run works on this study", "wait until it has ended"
        raise LockedError(what, path=error.path, hint=hint) from None
    except OutputError as error:
        hint = "make room for it, or give [study] another out"
        raise OutputError(error.what, path=error.path, hint=hint) from None


def plan_jobs(jobs: Sequence[Job], notes: Path) -> Iterator[tuple[Job, str]]:
    """Yield each step with why it would be taken, an empty text where it is done.

    Parameters
    ----------
    jobs : sequence of Job
        The steps, in their order.
    notes : pathlib.Path
        The folder of the notes; there need be none yet. Nothing is written.
    """
    path = notes / STEPS_FILE
    with Manifest(path, read_only=True) as known:
        doing: list[Job] = []
        for job in jobs:
            _recalled(job, known)
            why = _why(job, known) if job.plan is None else _left(job.plan())
            before = [one.name for one in doing if one.name in job.after or one.where in job.reads]
            if not why and before:
                why = f"after {before[0]}"
            if why:
                doing.append(job)
            yield job, why


def _recalled(job: Job, known: Manifest) -> tuple[str, ...]:
    """Have a step know the tables that it may take, and return what is to be said of others."""
    if job.takes is None:
        return ()
    job.takes.recall(known)
    return job.takes.notes()


def _taken(job: Job, known: Manifest, results: Sequence[StepResult], told: Told) -> StepResult:
    vain = next((each for each in results if each.step in job.after and _is_vain(each)), None)
    if vain is not None:
        return StepResult(step=job.name, where=job.where, waits_for=vain.step, exit_code=1)
    why = _why(job, known)
    if not why:
        kept = known.outcome(_key(job)).get("recordings")
        kept = kept if isinstance(kept, int) else None
        told.begins(job, "")
        return StepResult(
            step=job.name, where=job.where, recordings=kept, kept=kept, made=0, failed=0
        )
    progress = told.begins(job, why)
    begun = time.monotonic()
    # Files are looked at before they are read: one that is changed meanwhile is read again.
    files = [] if job.goes_on else _read_by(job)
    try:
        done = job.work(progress)
        if job.gives is not None:
            job.gives.tell(known, job.name, done.outputs)
    except GazetrackError as error:
        done = Done(errors=(error,), exit_code=error.exit_code)
    result = _result(job, done, why, time.monotonic() - begun)
    is_whole = not done.errors and done.exit_code == 0
    if is_whole and not job.goes_on and not job.unnoted:
        _note_step(job, known, files, done)
    return result


def _left(plan: tuple[int, int]) -> str:
    left, total = plan
    return f"{left:,} of {total:,} recordings" if left else ""


def _is_vain(result: StepResult) -> bool:
    """Whether nothing of what a step should have made is there."""
    if result.waits_for:
        return True
    nothing = not result.made and not result.kept
    return bool(result.exit_code) and nothing


def _result(job: Job, done: Done, why: str, seconds: float) -> StepResult:
    failed = len(done.errors)
    made = kept = None
    if done.recordings is not None:
        well = max(done.recordings - failed + done.partial, 0)
        # Files that are no recordings are never noted, and looked at each time.
        left = well if done.left is None else done.left - failed + done.partial - done.skipped
        made = min(max(left, 0), well) if job.goes_on else well
        kept = well - made
    return StepResult(
        step=job.name,
        where=job.where,
        recordings=done.recordings,
        made=made,
        kept=kept,
        failed=failed,
        seconds=seconds,
        why=why,
        errors=done.errors,
        exit_code=done.exit_code,
    )


def _key(job: Job) -> str:
    return f"step {job.name}"


def _why(job: Job, known: Manifest) -> str:
    if job.goes_on:
        return "its recordings"
    if job.unnoted:
        return job.unnoted
    files = _read_by(job)
    parameters = _parameters(job, known, files)
    why = known.why(_key(job), files, parameters, looking_in(known.path.parent))
    texts = {
        "the recording has changed": "its files have changed",
        "other files belong to it": "other files",
        f"other parameters: {_NAMES}": "other files",
    }
    return texts.get(why, why)


def _parameters(job: Job, known: Manifest, files: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    # The notes compare files in their order, and do not know their names.
    names = [known.name_of(Path(file["path"])) for file in files]
    return {**job.parameters, _NAMES: "\n".join(names)}


def _read_by(job: Job) -> list[dict[str, Any]]:
    """Return the state of every file that a step reads."""
    found = (file for place in job.reads for file in _files_of(place))
    files = dict.fromkeys(file for file in found if _is_taken(job, file))
    return [state_of(file) for file in files]


def _is_taken(job: Job, file: Path) -> bool:
    tables = job.takes
    return tables is None or tables.folder not in file.parents or tables.is_of_study(file)


def _files_of(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        return []
    return [file for file in sorted(place.rglob("*")) if file.is_file() and not _is_hidden(file)]


def _is_hidden(file: Path) -> bool:
    return file.name.startswith(".")


def _note_step(job: Job, known: Manifest, files: Sequence[dict[str, Any]], done: Done) -> None:
    folder = known.path.parent
    written = [*_files_of(job.where), *(path for path in done.outputs if path.is_file())]
    outputs = [
        {**state_of(file), "path": os.path.relpath(file, folder), "sha256": sha256_of(file)}
        for file in dict.fromkeys(written)
    ]
    if not outputs:  # nothing would tell that they are still there
        return
    kept = [
        {
            "bytes": file["bytes"],
            "mtime_ns": file["mtime_ns"],
            "sha256": sha256_of(file["path"]),
        }
        for file in files
    ]
    known.add(
        _key(job),
        files=kept,
        parameters=_parameters(job, known, files),
        outputs=outputs,
        outcome={"recordings": done.recordings},
    )


def _note_place(known: Manifest, name: str) -> None:
    """Note in which step a run is; a run that has ended is in none."""
    known.add(_RUN, files=[], parameters={}, outputs=[], outcome={"step": name})


def _stopped_in(known: Manifest) -> str:
    """Return the step in which the run before was stopped; empty where it came to its end."""
    try:
        step = known.outcome(_RUN).get("step", "")
    except KeyError:
        return ""
    return step if isinstance(step, str) else ""
