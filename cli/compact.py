"""gazetrack compact."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from . import options as opt
from .examples import examples
from .printing import print_json
from .progress import progress_bar

if TYPE_CHECKING:
    from pathlib import Path

_MB = 1024**2


@click.command(
    "compact",
    short_help="Merge the small files of a data set into a few large ones.",
    epilog=examples(
        """
        gazetrack compact dataset
        gazetrack compact dataset --target-mb 256 --json
        """
    ),
)
@click.argument("dataset", type=opt.FILE, metavar="DIR")
@click.option(
    "--target-mb",
    type=click.FloatRange(0, min_open=True),
    default=128.0,
    show_default=True,
    help="Size of the files: none is twice as large; what is larger than half of it stays.",
)
@opt.json_option
@opt.quiet_option
@opt.debug_option
def command(dataset: Path, target_mb: float, as_json: bool, quiet: bool) -> int:
    """Merge the small files of a data set that gazetrack convert --dataset wrote.

    Every row stays, in files of 64 to 256 MB, put in the place of the small ones in one step. Cut
    short, the data set is as it was, and the next call goes on where this one was.
    """
    from gazetrack.workflows.compact import compact

    done = compact(dataset, target_mb=target_mb, progress=progress_bar("merging", quiet or as_json))
    if as_json:
        print_json([asdict(table) for table in done])
    elif not quiet:
        for table in done:
            files = f"{table.files_before:,} files in {table.bytes_before / _MB:,.1f} MB"
            now = f"{table.files_after:,} in {table.bytes_after / _MB:,.1f} MB"
            click.echo(f"{table.kind}: {files} are now {now}; {table.rows:,} rows")
    return 0
