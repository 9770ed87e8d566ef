"""How a study is shown while it runs: all steps with their recordings, in one display."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, Self

import click

from gazetrack.workflows.study.run import Told

from . import exit_codes
from .errors import say
from .printing import cell, print_json
from .progress import draws, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from gazetrack.workflows.study.run import Job, Progress, StepResult


class Display(Told):
    """The steps of a study: bars on a terminal, else a line for each step as it ends.

    Parameters
    ----------
    steps : sequence of str
        The names of the steps, in their order.
    quiet : bool
        Whether only errors are shown.
    """

    def __init__(self, steps: Sequence[str], *, quiet: bool) -> None:
        self._quiet = quiet
        self._bars: Any = None
        self._rows: dict[str, int] = {}
        if not quiet and draws():
            self._bars = _bars()
            for name in steps:
                self._rows[name] = self._bars.add_task(name, total=None, state="waits")

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def goes_on(self, step: str) -> None:
        """Say that an earlier run stopped in a step."""
        if not self._quiet:
            _tell(f"note: an earlier run of this study stopped in {step}; this one goes on")

    def begins(self, job: Job, why: str) -> Progress:
        """Show that a step begins."""
        if self._bars is None:
            return lines_of(job.name) if not self._quiet else super().begins(job, why)
        row = self._rows[job.name]
        self._bars.reset(row, state="works" if why else "")

        def step(done: int, total: int) -> None:
            self._bars.update(row, completed=done, total=total)
            self._bars.refresh()

        self._bars.refresh()
        return step

    def ends(self, result: StepResult) -> None:
        """Show how a step has ended, and its errors."""
        for error in result.errors:
            say("gazetrack", error)
        for note in result.notes:
            say("gazetrack", note, "note")
        if result.waits_for:
            what = f"{result.step} was not taken: {result.waits_for} made nothing for it"
            say("gazetrack", what, "warning")
        if self._bars is not None:
            total = result.recordings or 1
            row = self._rows[result.step]
            self._bars.update(row, total=total, completed=total, state=sentence_of(result))
            self._bars.refresh()
        elif not self._quiet:
            _tell(f"{result.step}: {sentence_of(result)}")


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}", markup=False),
    )
    console = Console(file=sys.stderr)
    return Progress(*columns, console=console, auto_refresh=False, redirect_stdout=False)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def sentence_of(result: StepResult) -> str:
    """Return what became of a step, in words."""
    if result.waits_for:
        return f"not taken, {result.waits_for} made nothing for it"
    if not result.why:
        return "nothing has changed"
    if result.recordings is None:
        state = "failed" if result.exit_code else "done"
        return f"{state}, {result.seconds:.1f} s"
    counts = f"{result.made:,} made, {result.kept:,} kept, {result.failed:,} failed"
    return f"{counts}, {result.seconds:.1f} s"


def row_of(result: StepResult) -> list[str]:
    """Return a step as a row of the final table."""
    counts = (result.recordings, result.made, result.kept, result.failed)
    if result.waits_for:
        state = ["-", "-", "-", "-"]
    else:
        state = ["-" if count is None else f"{count:,}" for count in counts]
    return [result.step, *state, f"{result.seconds:.1f}", cell(str(result.where))]


def as_json_object(result: StepResult) -> dict[str, Any]:
    """Return a step as an object of JSON."""
    values = {**vars(result), "where": str(result.where)}
    return values | {"errors": [error.whole() for error in result.errors]}


def show_plan(plan: Iterable[tuple[Job, str]], *, as_json: bool) -> int:
    """Print which steps would be taken and why, and return the exit code."""
    told = [
        {"step": job.name, "would": bool(why), "why": why, "where": str(job.where)}
        for job, why in plan
    ]
    if as_json:
        print_json(told)
        return exit_codes.DONE
    for each in told:
        would = f"would be taken: {each['why']}" if each["would"] else "done before"
        click.echo(f"{each['step']}: {would}")
    return exit_codes.DONE
