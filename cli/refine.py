"""gazetrack refine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.maps.parameters import PRESETS

from . import options as opt

if TYPE_CHECKING:
    from gazetrack.workflows.outcome import Outcome


@click.command("refine", short_help="Refine stored maps by a dense CRF on their images.")
@click.argument("maps", type=opt.FILE, default=Path("maps"))
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of the images; ./images by default."
)
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Parameters chosen for a kind of image."
)
@click.option("--weight", type=float, help="Weight of the bilateral term.  [default: 3]")
@click.option(
    "--position-px",
    type=float,
    help="Reach in position, pixels of the image itself.  [default: 80]",
)
@click.option("--colour", type=float, help="Reach in colour, 0 to 255.  [default: 13]")
@click.option("--iterations", type=int, help="Mean-field steps.  [default: 10]")
@click.option(
    "--smooth-weight",
    type=float,
    help="Weight of a term of position alone, which smooths.  [default: 0]",
)
@click.option(
    "--smooth-px", type=float, help="Reach of that term, pixels of the image itself.  [default: 3]"
)
@click.option("--all-levels", is_flag=True, help="Refine every level, not just the full track's.")
@click.option(
    "--probabilities",
    type=opt.FILE,
    metavar="DIR",
    help="Also mix in what networks saw that were not trained on the image: PNG of gradtrack-predict --probabilities.",
)
@click.option(
    "--share", type=float, default=0.45, show_default=True, help="Of the networks in that mix."
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("refined"),
    show_default=True,
    metavar="DIR",
    help="Folder for the new maps.",
)
@opt.force_option
@opt.report_option
@opt.quiet_option
@opt.debug_option
def command(
    maps: Path,
    images: Path | None,
    preset: str | None,
    all_levels: bool,
    probabilities: Path | None,
    share: float,
    out: Path,
    force: bool,
    report: Path | None,
    quiet: bool,
    **choices: Any,
) -> int:
    """Refine stored maps by a dense CRF: the border moves to the edges of the image.

    MAPS is a maps.parquet or its folder, ./maps by default. Only calibrated maps are taken (tube,
    density, disc, hull): of other kinds .5 is no border, and a CRF would make the object vanish.
    """
    from gazetrack.maps.crf import crf_params
    from gazetrack.workflows.refine import refine_maps

    params = crf_params(preset, **choices)
    opt.check_report(report, [maps])
    bar = opt.progress_bar("refining", quiet)
    done = refine_maps(
        maps, images or Path("images"), out, params,
        seen=probabilities, share=share, all_levels=all_levels, force=force, progress=bar,
    )  # fmt: skip
    return opt.finish([done], report, None if quiet else _show)


def _show(outcome: Outcome) -> None:
    click.echo(f"{outcome.file}: {outcome.rows_out:,} of {outcome.rows_in:,} tracks refined")
    for output in outcome.outputs:
        click.echo(f"  wrote {output['path']}")
