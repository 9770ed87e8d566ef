"""Options about who works on many recordings: processes of this machine, or a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import completing
from .options import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazetrack.workflows.engine.run import Engine

F = TypeVar("F", bound="Callable[..., Any]")

cluster_option = click.option(
    "--cluster",
    metavar="WHERE",
    shell_complete=completing.among("local", files=True),
    help="Work on a cluster of Dask: local, tcp://HOST:PORT, or a TOML file about a queue.",
)


def _retries(help_: str) -> Callable[[F], F]:
    return click.option(
        "--retries",
        type=click.IntRange(1),
        default=2,
        show_default=True,
        metavar="N",
        help=help_,
    )


retries_option = _retries("How often a recording is tried again whose process was killed.")
# Where --jobs are threads of this process, which nobody kills one by one.
track_retries_option = _retries("With --cluster: tries again of a track whose worker was killed.")
_OPTIONS = (
    click.option(
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Processes to work with.  [default: 1; with --cluster local, one a core]",
    ),
    cluster_option,
    retries_option,
)

dry_run_option = click.option(
    "--dry-run", "is_dry_run", is_flag=True, help="Say what would be done, and why; do nothing."
)
_RESUME = (
    click.option(
        "--manifest",
        type=FILE,
        metavar="FILE",
        help="Note in FILE what is done; called again, go on from there.",
    ),
    dry_run_option,
)


def engine_options(command: F) -> F:
    """Add the options to a command; `engine` takes their values."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def resume_options(command: F) -> F:
    """Add the options of a study that goes on where it was stopped."""
    for option in reversed(_RESUME):
        command = option(command)
    return command


def engine(jobs: int | None, cluster: str | None, retries: int, *, quiet: bool = False) -> Engine:
    """Return the engine that was asked for.

    Parameters
    ----------
    jobs, cluster, retries
        The values of the options.
    quiet : bool
        Say nothing on stderr, such as where Dask's dashboard is.
    """
    from gazetrack.workflows.engine.run import Engine

    tell = None if quiet else _tell
    return Engine(jobs=jobs, cluster=cluster, retries=retries, tell=tell)


def _tell(text: str) -> None:
    click.echo(text, err=True)
