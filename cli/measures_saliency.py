"""gazetrack measures --saliency: saliency maps against fixations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .engine_options import engine
from .measures_output import check_outputs, write_tables
from .printing import cell, print_json, print_table, without_nan
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    import pandas as pd

    from gazetrack.workflows.outcome import Outcome

OPTIONS = (
    click.option(
        "--saliency",
        type=opt.FILE,
        metavar="MAPS",
        help="Score maps by the fixations: a folder of pictures and .npy, or a maps.parquet.",
    ),
    click.option(
        "--by",
        type=click.Choice(["stimulus", "recording"]),
        default="stimulus",
        show_default=True,
        help="Whether all observers of an image count together, or each recording alone.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Of the random pixels that AUC-Borji draws.",
    ),
)


def run(
    tables: tuple[Path | str, ...],
    *,
    saliency: Path,
    by: str,
    seed: int,
    images: Path | None,
    placement: str | None,
    out: Path | str | None,
    report: Path | None,
    quiet: bool,
    force: bool,
    as_json: bool,
    **who: Any,
) -> int:
    """Score saliency maps, write and print what was found, and return the exit code."""
    from gazetrack.measures.saliency import SaliencyOptions
    from gazetrack.tables.comparisons import SALIENCY
    from gazetrack.tables.schema import conform
    from gazetrack.workflows.at_hand import at_hand
    from gazetrack.workflows.saliency import score_saliency_files

    options = SaliencyOptions(seed=seed)
    with at_hand(tables, images, Path(), file="saliency.parquet") as places:
        found = opt.tables_among(places.tables, quiet)
        check_report(report, found)
        if out is not None:
            check_outputs(
                out,
                {str(out): SALIENCY},
                [*found, saliency, *filter(None, [images])],
                report,
                force=force,
            )
        done = score_saliency_files(
            saliency,
            found,
            by=by,
            images=places.images,
            placement=placement,
            options=options,
            jobs=engine(**who, quiet=quiet),
            progress=progress_bar("scoring", quiet),
        )
        outcomes = places.told(done.outcomes)
    scores = done.scores
    written = []
    if out is not None:
        table = conform({str(name): scores[name] for name in scores}, SALIENCY)
        about = {"saliency": {"maps": saliency.name, "by": by, **vars(options)}}
        written = write_tables(out, {str(out): table}, outcomes, about, force=force)
    show = None if quiet or as_json else _show
    if as_json:
        rows = scores.to_dict("records")
        print_json([without_nan({str(key): row[key] for key in row}) for row in rows])
    code = finish(outcomes, report, show, verb="measured")
    if show is not None:
        _show_all(scores)
        for line in written:
            click.echo(line)
    return code


def _show(outcome: Outcome) -> None:
    dropped = [f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items()]
    rows = f"{outcome.rows_in:,} fixations, {outcome.rows_out:,} on images"
    click.echo(f"{outcome.file}: {rows}{''.join(dropped)}")


def _show_all(scores: pd.DataFrame) -> None:
    """Print the means over all images, of the maps and of the centre bias beside them."""
    from gazetrack.measures.saliency import SCORES

    means = scores.groupby("scored", sort=False)[list(SCORES)].mean()
    if not len(means):
        return
    rows = [[name, *(cell(float(value)) for value in means[name])] for name in SCORES]
    print_table(["mean", *map(str, means.index)], rows)
    missing = scores.loc[scores["scored"] == "map", "reason"].value_counts()
    for reason, count in missing.items():
        if reason:
            click.echo(f"note: {count:,} without scores: {reason}")
