"""gazetrack measures: one command for whatever a study asks of its fixation tables.

Each kind of measures has a module of its own, with its options and the function that does the
work: `measures_aois`, `measures_scanpaths`, `measures_saliency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import measures_aois, measures_saliency, measures_scanpaths
from . import options as opt
from .engine_options import engine_options
from .examples import examples
from .measures_output import GIVEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

F = TypeVar("F", bound="Callable[..., Any]")

# What is asked for, by the options that ask for it. A kind takes the call where one of them is
# given; a second kind in one call is refused.
_KINDS: dict[tuple[str, ...], ModuleType] = {
    ("aois", "masks", "aoi_hits"): measures_aois,
    ("scanpaths",): measures_scanpaths,
    ("saliency",): measures_saliency,
}
# Options of the first kind that all kinds take.
_SHARED = {"images", "placement"}


def _options(command: F) -> F:
    """Add the options of every kind of measures to a command."""
    for kind in reversed(_KINDS.values()):
        for option in reversed(kind.OPTIONS):
            command = option(command)
    return command


@click.command(
    "measures",
    short_help="Measure areas of interest, scanpaths, saliency maps.",
    epilog=examples(
        """
        # dwell, visits and transitions of areas of interest, of all tables here
        gazetrack measures --aois aois.json -o looks.parquet
        # the same of one mask per image
        gazetrack measures tables --masks masks --aoi-name polyp -o looks.csv
        # how alike are scanpaths?
        gazetrack measures --scanpaths multimatch,dtw -o paths.parquet
        # how well do saliency maps tell where people looked?
        gazetrack measures --saliency maps --images images -o scores.parquet
        """
    ),
)
@click.argument("tables", nargs=-1, type=opt.PLACE, metavar="[TABLES|FOLDERS]…")
@_options
@click.option(
    "-o",
    "--out",
    type=opt.PLACE,
    metavar="FILE|URL",
    help="Write the measures as a table: .parquet, .csv or .tsv; further tables lie beside it.",
)
@engine_options
@opt.force_option
@opt.json_option
@opt.report_option
@opt.quiet_option
@opt.debug_option
def command(tables: tuple[Path | str, ...], **choices: Any) -> int:
    """Measure what people looked at, in fixation tables.

    Takes every *.fixations.parquet of the folder when no table is named.

    --aois FILE, --masks DIR or --aoi-hits EXPORT: how long, how often and when each area of
    interest was looked at, a row per trial and area, and the transitions between areas.

    --scanpaths METHODS: how alike the scanpaths on each stimulus are, a row per pair and measure,
    and a square of each measure.

    --saliency MAPS: how well maps tell where people looked, and a centre bias beside them.
    """
    asked = [kind for names, kind in _KINDS.items() if any(choices[name] for name in names)]
    if not asked:
        what = "give --aois FILE, --masks DIR, --scanpaths METHODS or --saliency MAPS"
        raise click.UsageError(f"nothing to measure: {what}")
    if len(asked) > 1:
        raise click.UsageError("several kinds of measures: call the command once for each")
    (kind,) = asked
    code: int = kind.run(tables, **_without_others(kind, choices))
    return code


def _without_others(kind: ModuleType, choices: dict[str, Any]) -> dict[str, Any]:
    """Return what one kind of measures takes; refuse what was typed and it does not take."""
    context = click.get_current_context()
    own = _names_of(kind) | _SHARED
    foreign = {name for other in _KINDS.values() for name in _names_of(other)} - own
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in foreign and source in GIVEN:
            what = f"{parameter.opts[0]} is about another kind of measures"
            raise click.UsageError(f"{what}: leave it out, or call the command once for each")
    return {name: value for name, value in choices.items() if name not in foreign}


def _names_of(kind: ModuleType) -> set[str]:
    """Return the names of a kind's own options, as click calls the function with them."""

    def nothing() -> None:
        """Take the options."""

    for option in kind.OPTIONS:
        option(nothing)
    return {found.name for found in nothing.__click_params__}  # type: ignore[attr-defined]
