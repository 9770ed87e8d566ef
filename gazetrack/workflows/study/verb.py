"""All steps of a study, from Python: what `gazetrack run` does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Literal

from gazetrack.errors import ConfigError
from gazetrack.workflows.study.run import Told, run_jobs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gazetrack.workflows.study.run import Job, Progress, StepResult


class _Callback(Told):
    """Tells the progress of all steps to one function."""

    def __init__(self, progress: Callable[[str, int, int], None]) -> None:
        self._progress = progress

    def begins(self, job: Job, why: str) -> Progress:
        """Return what is told how far a step is."""
        del why
        return lambda done, total: self._progress(job.name, done, total)


def run_study(
    path: str | Path,
    *,
    only: str | Sequence[str] = (),
    jobs: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    errors: Literal["raise", "report"] = "raise",
) -> list[StepResult]:
    """Take all steps of a study that one file describes, as the command ``gazetrack run`` does.

    A second call does only what has changed since; one that was stopped goes on.

    Parameters
    ----------
    path : path-like
        The study file, a TOML file with a table ``[study]``, see ``docs/study.md``.
    only : str or sequence of str
        Names of the steps to take, such as ``quality``; all of the study by default.
    jobs : int, optional
        Number of processes, in place of what the study says; the results do not depend on it.
    progress : callable, optional
        Called with the name of a step, and how many of its recordings are done, of all.
    errors : {"raise", "report"}
        ``raise``: when all steps are done, the first error is raised. ``report``: errors are in the
        results alone.

    Returns
    -------
    list of StepResult
        One per step, in order: what was made, what was kept, what failed, and where it is.

    Raises
    ------
    GazetrackError
        The file cannot be used, another run works on the study, or a step failed and `errors` is
        ``raise``.

    Examples
    --------
    >>> for done in gazetrack.run_study("study.toml"):  # doctest: +SKIP
    ...     print(done.step, done.made, done.kept, done.failed, done.where)
    """
    if errors not in ("raise", "report"):
        raise ConfigError(f"errors={errors!r}", hint="use raise or report")
    # Steps are our commands, whose options click knows: they stand above the toolkit, which knows
    # neither, and are looked for when a study is to be run.
    steps = [only] if isinstance(only, str) else only
    commands = import_module("gazetrack_cli.study_jobs")
    study = commands.load_study(path, import_module("gazetrack_cli.main").cli)
    told = None if progress is None else _Callback(progress)
    results = run_jobs(commands.jobs_of(study, steps, jobs), study.notes, told)
    found = [error for result in results for error in result.errors]
    if found and errors == "raise":
        for other in found[1:]:
            found[0].add_note(str(other))
        raise found[0]
    return results
