"""gazetrack plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import options as opt
from .map_options import map_options
from .printing import progress_bar


@click.command("plot", short_help="Draw images with their scanpaths and maps.")
@click.argument("tables", nargs=-1, type=opt.FILE, metavar="[TABLES|FOLDERS]…")
@click.option(
    "--images",
    type=opt.FILE,
    metavar="DIR",
    help="Folder of the images; ./images where there is one, else an empty screen.",
)
@click.option("--masks", type=opt.FILE, metavar="DIR", help="Folder of masks to outline.")
@map_options
@click.option(
    "--placement",
    metavar="RULE",
    help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
)
@click.option("--limit", default=10, show_default=True, help="Draw so many tracks at most.")
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("plots"),
    show_default=True,
    metavar="DIR",
    help="Folder for the pictures.",
)
@opt.quiet_option
@opt.debug_option
def command(
    tables: tuple[Path, ...],
    images: Path | None,
    masks: Path | None,
    placement: str | None,
    limit: int,
    out: Path,
    quiet: bool,
    **choices: Any,
) -> None:
    """Draw each image with its scanpath, and its maps beside it.

    The scanpath is in temporal order; the size of a disc is how long the eye stayed.
    """
    from gazetrack.maps.parameters import map_params
    from gazetrack.workflows.plot import plot

    tables = opt.tables_among(tables, quiet)
    if images is None and Path("images").is_dir():
        images = Path("images")
    written = plot(
        tables,
        images,
        out,
        params=map_params(**choices),
        masks=masks,
        placement=placement,
        limit=limit,
        progress=progress_bar("drawing", quiet),
    )
    if not quiet:
        click.echo(f"wrote {len(written)} pictures to {out}")
