"""gazetrack render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from . import options as opt
from .dry_run import job_of
from .engine_options import cluster_option, dry_run_option, engine, track_retries_option
from .examples import examples
from .map_options import map_options
from .parsing import parse_labels, parse_size, parse_smoothing
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gazetrack.measures.aois import AoiSet
    from gazetrack.workflows.at_hand import AtHand
    from gazetrack.workflows.outcome import Outcome
    from gazetrack.workflows.render import RenderOptions


@click.command(
    "render",
    short_help="Render fixation tables into gaze track maps.",
    epilog=examples(
        """
        # all tables of this folder, images/ where it is there → maps/maps.parquet
        gazetrack render --levels 4
        gazetrack render tables --images images --kind density --png --jobs 4
        # of volumes: slices gain from looks at their neighbours
        gazetrack render tables --images images --slice-sigma 1
        # gaze in pixels of a screen on which images lay centred
        gazetrack render tables --images images --placement centre --dry-run
        # trials named "find polyp", "find ulcer": maps of each
        gazetrack render tables --images images --target "trial=find (.+)"
        # several things in one trial: a map of each label of areas of interest
        gazetrack render tables --images images --target aoi --aois aois.json
        """
    ),
)
@click.argument("tables", nargs=-1, type=opt.PLACE, metavar="[TABLES|FOLDERS|URLS]…")
@map_options
@click.option(
    "--images",
    type=opt.PLACE,
    metavar="DIR|URL",
    help="Folder of the images; ./images by default where there is one.",
)
@click.option(
    "--placement",
    metavar="RULE",
    shell_complete=completing.placements,
    help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
)
@click.option(
    "--target",
    metavar="RULE|CSV",
    help=(
        "What a trial was looking for, where several things were: trial, stimulus, recording, "
        "participant, COLUMN=REGEX, or a CSV of these columns and target. A map for each. Or aoi, "
        "or aoi=REGEX: the label of the area of interest that gaze fell on."
    ),
)
@click.option(
    "--aois",
    type=opt.FILE,
    metavar="FILE|DIR",
    help="For --target aoi: areas of interest, as for measures --aois; or a folder of masks.",
)
@click.option(
    "--labels",
    metavar="N=NAME,…",
    help="The areas are images of labels: which value is which, as in 1=polyp,2=ulcer.",
)
@click.option("--size", metavar="N|HxW", help="Size of the maps; each image's own by default.")
@click.option(
    "--pool",
    is_flag=True,
    help="One map an image, the mean over its observers, instead of one each.",
)
@click.option(
    "-o",
    "--out",
    type=opt.PLACE,
    default=Path("maps"),
    show_default=True,
    metavar="DIR|URL",
    help="Folder for the maps.",
)
@click.option(
    "--crf", is_flag=True, help="Refine the full track's map by a dense CRF on its image."
)
@click.option("--crf-weight", type=float, help="Weight of the CRF's bilateral term.  [default: 3]")
@click.option(
    "--slice-sigma",
    type=float,
    metavar="SLICES",
    help="Of volumes: let maps gain from looks at slices around, by a Gaussian over slices.",
)
@click.option(
    "--slice-sigma-mm",
    type=float,
    metavar="MM",
    help="The same over millimetres, which the files of the images tell.",
)
@click.option("--png", is_flag=True, help="Also write every level as a PNG, for people.")
@click.option("--overlay", is_flag=True, help="Also draw the maps on their images, for people.")
@click.option(
    "--dtype",
    type=click.Choice(["uint8", "float32"]),
    default="uint8",
    show_default=True,
    help="Of the maps.",
)
@click.option(
    "--max-total-mb",
    default=2048,
    show_default=True,
    help="Refuse to write more than this, unpacked.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Threads to render with.  [default: 1; with --cluster local, processes, one a core]",
)
@cluster_option
@track_retries_option
@dry_run_option
@opt.force_option
@opt.report_option
@opt.quiet_option
@opt.debug_option
def command(
    tables: tuple[Path | str, ...],
    images: Path | str | None,
    placement: str | None,
    target: str | None,
    aois: Path | None,
    labels: str | None,
    size: str | None,
    pool: bool,
    out: Path | str,
    crf: bool,
    crf_weight: float | None,
    slice_sigma: float | None,
    slice_sigma_mm: float | None,
    png: bool,
    overlay: bool,
    max_total_mb: int,
    jobs: int | None,
    cluster: str | None,
    retries: int,
    is_dry_run: bool,
    dtype: str,
    force: bool,
    report: Path | None,
    quiet: bool,
    **choices: Any,
) -> int:
    """Render fixation tables into gaze track maps.

    Takes every *.fixations.parquet of the folder when no table is named. Writes maps.parquet: one
    row an image and observer.
    """
    from gazetrack.maps.parameters import crf_params, map_params
    from gazetrack.maps.store import MAP_FILE
    from gazetrack.workflows.at_hand import at_hand
    from gazetrack.workflows.render import RenderOptions, render_tables

    if images is None and Path("images").is_dir():
        images = Path("images")
    with at_hand(tables, images, out, file=MAP_FILE) as places:
        chosen = RenderOptions(
            params=map_params(**choices),
            images=places.images,
            placement=placement,
            target=target,
            aois=_areas(aois, labels),
            size=parse_size(size),
            out=places.out,
            crf=crf_params(choices["preset"], weight=crf_weight) if crf else None,
            smoothing=parse_smoothing(slice_sigma, slice_sigma_mm),
            pooled=pool,
            png=png,
            overlay=overlay,
            force=force,
            max_total_bytes=max_total_mb * 1024**2,
            jobs=jobs or 1,
            engine=engine(jobs, cluster, retries, quiet=quiet) if cluster else None,
            dtype=dtype,
        )
        found = opt.tables_among(places.tables, quiet)
        check_report(report, found)
        if is_dry_run:
            return _dry_run(places, found, chosen, out, cluster)
        rendered = render_tables(found, chosen, progress_bar("rendering", quiet))
        outcomes = places.told(rendered)
    return finish(outcomes, report, None if quiet else _show)


def _areas(aois: Path | None, labels: str | None) -> AoiSet | None:
    """Return the areas of interest that were named."""
    names = parse_labels(labels)
    if aois is None:
        if names is not None:
            raise click.UsageError("--labels needs --aois DIR")
        return None
    from gazetrack.measures.aoi_files.reading import read_aois

    return read_aois(aois, labels=names)


def _dry_run(
    places: AtHand,
    tables: Sequence[Path],
    options: RenderOptions,
    out: Path | str,
    cluster: str | None,
) -> int:
    """Print what would be rendered, and return the exit code."""
    from gazetrack.storage.address import shown
    from gazetrack.workflows.render_plan import plan_rendering

    plan = plan_rendering(tables, options)
    job = job_of(cluster)  # refused before anything is printed
    code = finish(places.told(plan.outcomes), None, _show_planned)
    megabytes = plan.n_bytes / 1024**2
    what = f"{plan.n_rows:,} tracks on {plan.n_images:,} images, {options.params.levels} levels"
    click.echo(f"would render {what}: {megabytes:,.1f} MB, into {shown(str(out))}")
    click.echo(job, nl=False)
    return code


def _show_planned(outcome: Outcome) -> None:
    rendered = f"{outcome.rows_out:,} of {outcome.rows_in:,} fixations to render"
    dropped = [f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items()]
    click.echo(f"{outcome.file}: {rendered}{''.join(dropped)}")
    for note in outcome.notes:
        click.echo(f"  note: {note}")


def _show(outcome: Outcome) -> None:
    rendered = f"{outcome.rows_out:,} of {outcome.rows_in:,} fixations rendered"
    dropped = [f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items()]
    click.echo(f"{outcome.file}: {rendered}{''.join(dropped)}")
    for note in outcome.notes:
        click.echo(f"  note: {note}")
    for output in outcome.outputs:
        click.echo(f"  wrote {output['path']} ({output['rows']:,} tracks)")
