"""gazetrack render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options as opt

if TYPE_CHECKING:
    from gazetrack.outcome import Outcome


@click.command("render", short_help="Render fixation tables into gaze track maps.")
@click.argument("tables", nargs=-1, type=opt.FILE, metavar="[TABLES]…")
@click.option("--levels", default=4, show_default=True, help="Levels; level l of L keeps the last l/L of the track.")
@click.option("--kind", type=click.Choice(opt.MAP_KINDS), default="tube", show_default=True, help="Kind of map.")
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of the images; ./images by default where there is one."
)
@click.option(
    "--placement", metavar="RULE", help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT."
)
@click.option("--size", metavar="N|HxW", help="Size of the maps; each image's own by default.")
@click.option(
    "--radius", default=0.05, show_default=True, help="Tube: border's distance from the track, share of sqrt(H x W)."
)
@click.option("--softness", default=0.015, show_default=True, help="Tube: width of the border, share of sqrt(H x W).")
@click.option("--drop-first", default=1, show_default=True, help="Fixations dropped from the start of each track.")
@click.option("--min-duration-ms", default=50.0, show_default=True, help="Shorter fixations are dropped.")
@click.option(
    "--truncation",
    type=click.Choice(["tail", "head", "random", "shuffled", "none"]),
    default="tail",
    show_default=True,
    help="Part of the track that a level keeps.",
)
@click.option(
    "-o", "--out", type=opt.FILE, default=Path("maps"), show_default=True, metavar="DIR", help="Folder for the maps."
)
@click.option("--crf", is_flag=True, help="Refine the full track's map by a dense CRF on its image.")
@click.option("--crf-weight", default=3.0, show_default=True, help="Weight of the CRF's bilateral term.")
@click.option("--png", is_flag=True, help="Also write every level as a PNG, for people.")
@click.option("--max-total-mb", default=2048, show_default=True, help="Refuse to write more than this, unpacked.")
@opt.force_option
@opt.report_option
@opt.quiet_option
@opt.debug_option
def command(
    tables: tuple[Path, ...],
    levels: int,
    kind: str,
    images: Path | None,
    placement: str | None,
    size: str | None,
    radius: float,
    softness: float,
    drop_first: int,
    min_duration_ms: float,
    truncation: str,
    out: Path,
    crf: bool,
    crf_weight: float,
    png: bool,
    max_total_mb: int,
    force: bool,
    report: Path | None,
    quiet: bool,
) -> int:
    """Render fixation tables into gaze track maps.

    Takes every *.fixations.parquet of the folder when no table is named. Writes maps.parquet: one row an image and
    observer.
    """
    from gazetrack.crf import CRFParams
    from gazetrack.maps import MapParams
    from gazetrack.rendering import RenderOptions, find_tables, render_tables

    if images is None and Path("images").is_dir():
        images = Path("images")
    params = MapParams(
        kind=kind, levels=levels, truncation=truncation, drop_first=drop_first,
        min_duration_ms=min_duration_ms, radius=radius, softness=softness,
    )  # fmt: skip
    chosen = RenderOptions(
        params,
        images,
        placement,
        opt.parse_size(size),
        out,
        CRFParams(weight=crf_weight) if crf else None,
        png,
        force,
        max_total_mb * 1024**2,
    )
    tables = tables or tuple(find_tables())
    opt.check_report(report, tables)
    outcomes = render_tables(tables, chosen, opt.progress_bar("rendering", quiet))
    return opt.finish(outcomes, report, None if quiet else _show)


def _show(outcome: Outcome) -> None:
    dropped = "".join(f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items())
    click.echo(f"{outcome.file}: {outcome.rows_out:,} of {outcome.rows_in:,} fixations rendered{dropped}")
    for output in outcome.outputs:
        click.echo(f"  wrote {output['path']} ({output['rows']:,} tracks)")
