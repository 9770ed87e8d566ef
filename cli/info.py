"""gazetrack info."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import exit_codes
from . import options as opt
from .errors import say
from .examples import examples
from .parsing import export_choices
from .printing import print_json

if TYPE_CHECKING:
    from pathlib import Path

_MOST_CHARS = 10_000  # of what a file says, which is shown without control characters


@click.command(
    "info",
    short_help="Say what an export is and what it holds.",
    epilog=examples(
        """
        gazetrack info raw.tsv
        # every export of a folder, for a program
        gazetrack info exports --recursive --json
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also look at what lies below it.")
@opt.eye_option
@opt.export_options
@opt.json_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    recursive: bool,
    eye: str,
    as_json: bool,
    **choices: Any,
) -> int:
    """Say what exports are and what they hold.

    That is the format and why it is taken for it, the tracker, its rate, eyes, loss, trials,
    stimuli and events. FILES may be tables of gazetrack as well: of fixations, samples, events,
    quality, and maps.
    """
    from gazetrack.errors import GazetrackError
    from gazetrack.workflows.info import info_files
    from gazetrack.workflows.read import InputOptions

    chosen = InputOptions(
        **export_choices(choices),
        recursive=recursive,
    )
    errors, facts = [], []
    for found in info_files(files, chosen, eye):
        if isinstance(found, GazetrackError):
            say("gazetrack", found)
            errors.append(found)
            continue
        facts.append(found)
        if not as_json:
            _show(found)
    if as_json:
        print_json(facts)
    return exit_codes.of_inputs(errors, len(errors) + len(facts))


def _show(facts: dict[str, Any]) -> None:
    from gazetrack.errors import quote

    name = quote(facts["file"], _MOST_CHARS)
    click.echo(f"{name}: {facts['format']} ({facts['confidence']}: {facts['reason']})")
    for name, value in facts.items():
        if name in ("file", "format", "confidence", "reason") or value in (None, "", [], {}):
            continue
        if isinstance(value, float):
            value = f"{value:.4g}"
        elif isinstance(value, dict):
            value = ", ".join(
                f"{key} {count}"
                for key, count in value.items()
                if count is not None and key != "rule"
            )
        elif isinstance(value, list):
            value = "; ".join(map(str, value))
        click.echo(f"  {name.replace('_', ' ')}: {quote(value, _MOST_CHARS)}")
