"""gazetrack run: all steps of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from . import completing, exit_codes
from . import options as opt
from .examples import examples
from .printing import print_json, print_table
from .study_display import Display, as_json_object, row_of, show_plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.study.run import StepResult

_HEADER = ("step", "recordings", "made", "kept", "failed", "seconds", "where")


@click.command(
    "run",
    short_help="Take all steps of a study that one file describes.",
    epilog=examples(
        """
        gazetrack run study.toml
        gazetrack run study.toml --dry-run
        gazetrack run study.toml --only quality --jobs 4
        """
    ),
)
@click.argument("file", type=opt.FILE, metavar="STUDY")
@click.option(
    "--only",
    multiple=True,
    metavar="STEP",
    shell_complete=completing.steps,
    help="Take this step alone, such as quality; may be repeated.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Processes to work with, in place of what the study says.",
)
@click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Say what would be done, and why; do nothing."
)
@opt.json_option
@opt.quiet_option
@opt.debug_option
def command(
    file: Path,
    only: tuple[str, ...],
    jobs: int | None,
    is_dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Take all steps of a study: convert, events, quality, measures, render, report.

    STUDY is a TOML file: a table [study] with the exports, the screen and the folder for results,
    and a table for each step with its options. A second call does only what has changed; one that
    was stopped goes on.
    """
    from gazetrack.workflows.study.run import plan_jobs, run_jobs

    from .study_jobs import jobs_of, load_study

    group = click.get_current_context().find_root().command
    study = load_study(file, cast("click.Group", group))
    steps = jobs_of(study, only, jobs)
    if is_dry_run:
        return show_plan(plan_jobs(steps, study.notes), as_json=as_json)
    with Display([step.name for step in steps], quiet=quiet or as_json) as display:
        results = run_jobs(steps, study.notes, display)
    if as_json:
        print_json([as_json_object(result) for result in results])
    elif not quiet:
        print_table(_HEADER, [row_of(result) for result in results])
        click.echo(f"what each step printed is in {study.notes}")
    return _exit_code(results)


def _exit_code(results: Sequence[StepResult]) -> int:
    """Return the exit code of a study: of a step that did nothing at all its own, else 1 or 0."""
    codes = [result.exit_code for result in results if result.exit_code and not result.waits_for]
    grave = [code for code in codes if code != exit_codes.SOME_FAILED]
    return next(iter([*grave, *codes]), exit_codes.DONE)
