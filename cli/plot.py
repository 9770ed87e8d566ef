"""gazetrack plot."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from gazetrack.figures.kinds import DEFAULT_FIGURE, FIGURES, OF_RECORDINGS, PICTURE_SUFFIXES
from gazetrack.maps.parameters import map_params

from . import completing
from . import options as opt
from .examples import examples
from .map_options import map_options
from .progress import progress_bar

_KINDS = "; ".join(f"{name}: {text}" for name, text in FIGURES.items())


@click.command(
    "plot",
    short_help="Draw scanpaths, maps, and other figures of gaze.",
    epilog=examples(
        """
        # scanpaths and maps of the first ten images → plots/*.png
        gazetrack plot --limit 10
        gazetrack plot tables --what heatmap --images images -o heat.pdf
        gazetrack plot raw.asc --what time-series --seconds 5
        """
    ),
)
@click.argument("tables", nargs=-1, type=opt.FILE, metavar="[TABLES|FOLDERS|EXPORTS]…")
@click.option(
    "--what",
    type=click.Choice(list(FIGURES)),
    default=DEFAULT_FIGURE,
    show_default=True,
    help=f"Which figure. {_KINDS}.",
)
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
    shell_complete=completing.placements,
    help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Draw so many figures at most.",
)
@click.option(
    "--aois",
    type=opt.FILE,
    metavar="FILE",
    help="Areas of interest, as of gazetrack measures: needed by aois, scarf and transitions.",
)
@click.option(
    "--events",
    type=opt.FILE,
    metavar="FILE",
    help="Table of events to shade or draw, in place of those of the export.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=20.0,
    show_default=True,
    help="Of each trial, draw so many seconds over time.",
)
@click.option(
    "--file-type",
    type=click.Choice([suffix.lstrip(".") for suffix in PICTURE_SUFFIXES]),
    default="png",
    show_default=True,
    help="What the pictures of a folder are.",
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("plots"),
    show_default=True,
    metavar="DIR|FILE",
    help="Folder for the pictures, or the file of a single one: .png, .svg or .pdf.",
)
@opt.quiet_option
@opt.debug_option
def command(
    tables: tuple[Path, ...],
    images: Path | None,
    out: Path,
    what: str,
    limit: int,
    file_type: str,
    quiet: bool,
    **choices: Any,
) -> None:
    """Draw figures: by default each image with its scanpath, and its maps beside it.

    A scanpath is in temporal order; the size of a disc is how long the eye stayed. Time series and
    main sequences are drawn of exports, or of tables of samples; all others of fixation tables.
    """
    from gazetrack.workflows.plot import plot

    if what not in OF_RECORDINGS:
        tables = opt.tables_among(tables, quiet)
    elif not tables:
        raise click.UsageError(f"--what {what} draws exports: name one, such as raw.asc")
    if images is None and Path("images").is_dir():
        images = Path("images")
    own = ("masks", "placement", "aois", "events", "seconds")
    options = {name: choices.pop(name) for name in own}
    with warnings.catch_warnings():
        if quiet:  # names in scripts that the font of the figures lacks
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
        written = plot(
            tables,
            images,
            out,
            what=what,
            limit=limit,
            file_type=file_type,
            progress=progress_bar("drawing", quiet),
            params=map_params(**choices),
            **options,
        )
    if not quiet:
        pictures = "1 picture" if len(written) == 1 else f"{len(written)} pictures"
        click.echo(f"wrote {pictures} to {out}")
