"""gazetrack formats."""

from __future__ import annotations

from dataclasses import asdict

import click

from . import options as opt


@click.command("formats", short_help="List the export formats that can be read.")
@opt.json_option
@opt.debug_option
def command(as_json: bool) -> None:
    """List the export formats that can be read; third-party readers too."""
    from gazetrack.readers import registry

    formats = [registry.get(name).FORMAT for name in registry.names()]
    if as_json:
        opt.print_json([asdict(found) for found in formats])
        return
    width = max(len(found.name) for found in formats)
    for found in formats:
        click.echo(
            f"{found.name:{width}}  {found.title}: {found.provides} ({' '.join(found.suffixes)})"
        )
