"""gazetrack formats."""

from __future__ import annotations

from dataclasses import asdict

import click

from . import options as opt
from .examples import examples
from .printing import print_json


@click.command(
    "formats",
    short_help="List the export formats that can be read.",
    epilog=examples(
        """
        gazetrack formats
        gazetrack formats --json
        """
    ),
)
@opt.json_option
@opt.debug_option
def command(as_json: bool) -> None:
    """List the export formats that can be read; third-party readers too."""
    from gazetrack.workflows.info import formats

    known = formats()
    if as_json:
        print_json([asdict(found) for found in known])
        return
    width = max(len(found.name) for found in known)
    for found in known:
        click.echo(
            f"{found.name:{width}}  {found.title}: {found.provides} ({' '.join(found.suffixes)})"
        )
