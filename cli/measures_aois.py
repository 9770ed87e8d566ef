"""gazetrack measures --aois: looks at areas of interest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from . import options as opt
from .engine_options import engine
from .measures_output import GIVEN, beside, check_outputs, write_tables
from .parsing import parse_labels
from .printing import cell, print_json, print_table, without_nan
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    from gazetrack.measures.aois import AoiSet
    from gazetrack.workflows.aoi_files import AoiReport
    from gazetrack.workflows.outcome import Outcome

_MOST_SHOWN = 20
OPTIONS = (
    click.option(
        "--aois",
        type=opt.FILE,
        metavar="FILE|DIR",
        help=(
            "Areas of interest by stimulus: our JSON or CSV (docs/measures.md), GeoJSON, labelme, "
            "CVAT for images, Data Viewer's .ias; or a folder of such files."
        ),
    ),
    click.option(
        "--masks",
        type=opt.FILE,
        metavar="DIR",
        help="Masks called after their stimuli, as the one area of interest of each.",
    ),
    click.option(
        "--aoi-hits",
        type=opt.FILE,
        metavar="EXPORT",
        help=(
            "An export that tells which of its own fixations lay in which areas, of which the "
            "tables are: of Tobii Pro Lab or Studio, Data Viewer, BeGaze, Gazepoint, iMotions."
        ),
    ),
    click.option(
        "--aoi-name",
        default="mask",
        show_default=True,
        metavar="NAME",
        help="What the foreground of the masks is called.",
    ),
    click.option(
        "--labels",
        metavar="N=NAME,…",
        help="The masks are images of labels: which value is which area, as in 1=polyp,2=tool.",
    ),
    click.option(
        "--margin",
        "margin_px",
        type=float,
        default=0.0,
        show_default=True,
        metavar="PX",
        help="How far from an area a fixation still counts for it, in pixels.",
    ),
    click.option(
        "--margin-deg",
        type=float,
        metavar="DEGREES",
        help="The same in degrees of visual angle.",
    ),
    click.option(
        "--max-gap",
        "max_gap_ms",
        type=click.FloatRange(0),
        metavar="MS",
        help="Longest time between two fixations of one visit; any by default.",
    ),
    click.option(
        "--trials",
        type=opt.FILE,
        multiple=True,
        metavar="TABLE",
        help=(
            "When trials began and ended, those without gaze among them: stimulus, onset_ms, "
            "duration_ms, and recording, trial as needed; or a *.samples.parquet."
        ),
    ),
    click.option(
        "--placement",
        metavar="RULE",
        shell_complete=completing.placements,
        help="For gaze in screen pixels: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
    ),
    click.option(
        "--images",
        type=opt.FILE,
        metavar="DIR",
        help="Folder of the images, for their sizes where the areas do not say them.",
    ),
    click.option(
        "--eye",
        type=click.Choice(["auto", "left", "right"]),
        default="auto",
        show_default=True,
        help="Whose fixations count, where a table has those of each eye.",
    ),
)


def run(
    tables: tuple[Path | str, ...],
    *,
    aois: Path | None,
    masks: Path | None,
    aoi_hits: Path | None,
    aoi_name: str,
    labels: str | None,
    out: Path | str | None,
    report: Path | None,
    quiet: bool,
    force: bool,
    as_json: bool,
    max_gap_ms: float | None,
    **choices: Any,
) -> int:
    """Measure areas of interest, write and print what was found, and return the exit code."""
    from gazetrack.measures.aoi_files.hits import read_aoi_hits
    from gazetrack.measures.aoi_files.masks import masks_of
    from gazetrack.measures.aoi_files.reading import read_aois
    from gazetrack.workflows.aoi_files import measure_files
    from gazetrack.workflows.aoi_options import aoi_options
    from gazetrack.workflows.at_hand import at_hand

    if sum(place is not None for place in (aois, masks, aoi_hits)) > 1:
        raise click.UsageError("--aois, --masks and --aoi-hits: give one of them")
    if labels is not None and masks is None:
        raise click.UsageError("--labels needs --masks DIR")
    typed = click.get_current_context().get_parameter_source("aoi_name")
    if masks is None and typed in GIVEN:
        raise click.UsageError("--aoi-name needs --masks DIR: other areas have names of their own")
    who = {name: choices.pop(name) for name in ("jobs", "cluster", "retries")}
    names = parse_labels(labels)
    if aoi_hits is not None:
        areas: AoiSet = read_aoi_hits(aoi_hits)
    else:
        areas = read_aois(aois) if aois is not None else masks_of(masks or Path(), aoi_name, names)
    if max_gap_ms is not None:
        choices["max_gap_ms"] = max_gap_ms
    chosen = aoi_options(**choices)
    with at_hand(tables, None, Path(), file="measures.parquet") as places:
        found = opt.tables_among(places.tables, quiet)
        check_report(report, found)
        read = [aois, masks, aoi_hits, choices["images"], *choices["trials"]]
        _check_outputs(out, [*found, *filter(None, read)], report, force=force)
        measured = measure_files(
            found,
            areas,
            chosen,
            jobs=engine(**who, quiet=quiet),
            progress=progress_bar("measuring", quiet),
        )
        outcomes = places.told(measured.outcomes)
    about = {"measures": {"aois": dict(areas.source), **chosen.facts()}}
    written = []
    if out is not None:
        three = measured.tables
        made = (three.measures, three.transitions, three.entropy)
        named = dict(zip(_places(out), made, strict=True))
        written = write_tables(out, named, outcomes, about, force=force)
    show = None if quiet or as_json else _show
    if as_json:
        print_json([without_nan(row) for row in measured.tables.measures.to_pylist()])
    code = finish(outcomes, report, show, verb="measured")
    if show is not None:
        _show_all(measured, written)
    return code


def _places(out: Path | str) -> tuple[str, str, str]:
    """Return where the measures, the transitions and the entropies are written."""
    return str(out), beside(out, "transitions"), beside(out, "entropy")


def _check_outputs(
    out: Path | str | None, inputs: list[Path], report: Path | None, *, force: bool
) -> None:
    """Refuse, before any work, outputs that would replace an input or what is not ours."""
    from gazetrack.tables.schema import AOI_ENTROPY, AOI_MEASURES, AOI_TRANSITIONS

    if out is not None:
        schemas = (AOI_MEASURES, AOI_TRANSITIONS, AOI_ENTROPY)
        named = dict(zip(_places(out), schemas, strict=True))
        check_outputs(out, named, inputs, report, force=force)


def _show(outcome: Outcome) -> None:
    dropped = [f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items()]
    rows = f"{outcome.rows_in:,} fixations, {outcome.rows_out:,} rows"
    click.echo(f"{outcome.file}: {rows}{''.join(dropped)}")
    for note in outcome.notes:
        click.echo(f"  note: {note}")


def _show_all(report: AoiReport, written: list[str]) -> None:
    """Print the means of every area over its trials, and what was written."""
    frame = report.tables.measures.to_pandas()
    if len(frame):
        header = ["area", "trials", "fixated %", "dwell %", "first after ms", "visits"]
        by_area = frame.groupby("aoi", sort=False, observed=True)
        rows = [
            [
                cell(str(name)),
                str(len(own)),
                cell(100 * float((~own["censored"]).mean())),
                cell(100 * float(own["dwell_share_of_fixation_time"].mean())),
                cell(float(own["time_to_first_fixation_ms"].median())),
                cell(float(own["visits"].mean())),
            ]
            for name, own in by_area
        ]
        print_table(header, rows[:_MOST_SHOWN])
        if len(rows) > _MOST_SHOWN:
            click.echo(f"… and {len(rows) - _MOST_SHOWN} more areas")
    for note in report.notes:
        click.echo(f"note: {note}")
    for line in written:
        click.echo(line)
