"""What a command would do, printed in place of doing it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from .errors import say
from .printing import print_json
from .reports import collected, of_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.workflows.convert_options import ConvertOptions
    from gazetrack.workflows.planned import Planned

_MOST_CHARS = 4096  # of a path
_SAID = {
    "done": "done before",
    "skip": "skipped",
    "fail": "that would fail",
}


def dry_run(
    files: Sequence[Path | str],
    options: ConvertOptions,
    manifest: Path | None,
    cluster: str | None,
    *,
    as_json: bool = False,
) -> int:
    """Print what would be done, and the script of a batch job where a queue is to do it.

    Parameters
    ----------
    files : sequence of path-like
        Exports and folders of them.
    options : ConvertOptions
        What would be written and where.
    manifest : pathlib.Path or None
        The file that says which recordings are done.
    cluster : str or None
        Where the work would be done, as `--cluster` names it.
    as_json : bool
        Print one object per recording.

    Returns
    -------
    int
        The exit code: that of recordings that would fail.
    """
    from gazetrack.workflows.plan import plan_conversion

    plan = plan_conversion(files, options, manifest)
    return show_plan(plan, "convert", cluster, as_json=as_json)


def show_plan(plan: Sequence[Planned], verb: str, cluster: str | None, *, as_json: bool) -> int:
    """Print what would be done about recordings, and return the exit code; see `dry_run`."""
    job = job_of(cluster)  # refused before anything is printed
    errors = [planned.error for planned in plan if planned.error is not None]
    if as_json:
        print_json([_as_json(planned) for planned in plan])
    else:
        _show(plan, verb)
        click.echo(job, nl=False)
    for error in errors:
        say("gazetrack", error)
    counts = collected()
    if counts is not None:
        counts.planned += sum(planned.action == verb for planned in plan)
    return of_inputs(errors, len(plan))


def job_of(cluster: str | None) -> str:
    """Return what is printed of the batch job where a queue is to do the work; else an empty text.

    Parameters
    ----------
    cluster : str or None
        Where the work would be done, as `--cluster` names it.
    """
    from gazetrack.workflows.engine.queues import check_place, is_queue, job_script

    if cluster is None:
        return ""
    check_place(cluster)
    return f"each job of the queue:\n{job_script(cluster)}\n" if is_queue(cluster) else ""


def _as_json(planned: Planned) -> dict[str, str | None]:
    message = None if planned.error is None else planned.error.whole()
    values = {name: value for name, value in vars(planned).items() if name != "error"}
    return values | {"message": message}


def _show(plan: Sequence[Planned], verb: str) -> None:
    from gazetrack.errors import quote

    for planned in plan:
        # Of thousands, those that are left are what a user wants to see.
        if planned.action == verb:
            name = quote(planned.file, _MOST_CHARS)
            format_ = f" ({planned.format})" if planned.format else ""
            click.echo(f"would {verb} {name}{format_}: {planned.why}")
    counts: Counter[str] = Counter(planned.action for planned in plan)
    told = {verb: f"to {verb}"} | _SAID
    said = ", ".join(f"{counts[action]:,} {said}" for action, said in told.items())
    click.echo(f"of {len(plan):,} recordings: {said}")
