"""gazetrack measures: one command for whatever a study asks of its fixation tables.

Each kind of measures has a module of its own (`measures_aois`), with its options and the function
that does the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import measures_aois
from . import options as opt
from .engine_options import engine_options

if TYPE_CHECKING:
    from pathlib import Path

# What is asked for, by the options that ask for it. A kind takes the call where one of them is
# given; a second kind in one call is refused.
_KINDS = {
    ("aois", "masks"): measures_aois.run,
}


@click.command("measures", short_help="Measure looks at areas of interest.")
@click.argument("tables", nargs=-1, type=opt.PLACE, metavar="[TABLES|FOLDERS]…")
@measures_aois.options
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

    --aois FILE, or --masks DIR: how long, how often and when each area of interest was looked at,
    a row per trial and area, and the transitions between areas.
    """
    asked = [run for names, run in _KINDS.items() if any(choices[name] for name in names)]
    if not asked:
        raise click.UsageError("nothing to measure: give --aois FILE or --masks DIR")
    if len(asked) > 1:
        raise click.UsageError("several kinds of measures: call the command once for each")
    return asked[0](tables, **choices)
