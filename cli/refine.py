"""gazetrack refine."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gazetrack.maps.parameters import PRESETS, CRFParams, crf_params

from . import options as opt
from .map_options import with_default
from .printing import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazetrack.workflows.outcome import Outcome


F = TypeVar("F", bound="Callable[..., Any]")

# Each field of `CRFParams`: its help. What nobody gave comes from the preset.
_FIELDS = {
    "weight": "Weight of the bilateral term.",
    "position_px": "Reach in position, pixels of the image itself.",
    "colour": "Reach in colour, 0 to 255.",
    "iterations": "Mean-field steps.",
    "smooth_weight": "Weight of a term of position alone, which smooths.",
    "smooth_px": "Reach of that term, pixels of the image itself.",
}


def _crf_options(command: F) -> F:
    """Add the fields of `CRFParams` to a command as options; None where they are not given."""
    defaults = {field.name: field.default for field in fields(CRFParams)}
    for name, text in reversed(_FIELDS.items()):
        flag = "--" + name.replace("_", "-")
        default = defaults[name]
        help_ = with_default(text, default)
        command = click.option(flag, type=type(default), help=help_)(command)
    return command


@click.command("refine", short_help="Refine stored maps by a dense CRF on their images.")
@click.argument("maps", type=opt.FILE, default=Path("maps"))
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of the images; ./images by default."
)
@click.option(
    "--preset", type=click.Choice(list(PRESETS)), help="Parameters chosen for a kind of image."
)
@_crf_options
@click.option("--all-levels", is_flag=True, help="Refine every level, not just the full track's.")
@click.option(
    "--probabilities",
    type=opt.FILE,
    metavar="DIR",
    help=(
        "Also mix in what networks saw that were not trained on the image: "
        "PNG of gradtrack-predict --probabilities."
    ),
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
    from gazetrack.workflows.refine import refine

    params = crf_params(preset, **choices)
    check_report(report, [maps])
    bar = progress_bar("refining", quiet)
    done = refine(
        maps,
        images or Path("images"),
        out,
        params,
        probabilities=probabilities,
        share=share,
        all_levels=all_levels,
        force=force,
        progress=bar,
        errors="report",
    )
    return finish([done], report, None if quiet else _show)


def _show(outcome: Outcome) -> None:
    click.echo(f"{outcome.file}: {outcome.rows_out:,} of {outcome.rows_in:,} tracks refined")
    for output in outcome.outputs:
        click.echo(f"  wrote {output['path']}")
