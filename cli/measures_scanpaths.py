"""gazetrack measures --scanpaths: scanpaths beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completing
from . import options as opt
from .engine_options import engine
from .measures_output import beside, check_outputs, write_tables
from .parsing import parse_pairs
from .printing import cell, print_json, print_table, without_nan
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from gazetrack.measures.scanpaths import ScanpathOptions
    from gazetrack.workflows.outcome import Outcome

ALL = "all"
_MOST_SHOWN = 20
OPTIONS = (
    click.option(
        "--scanpaths",
        metavar="METHOD,…",
        shell_complete=completing.scanpath_methods,
        help=(
            "Compare scanpaths on each stimulus: multimatch, scanmatch, levenshtein, dtw, frechet, "
            "hausdorff, mannan, eyenalysis, tde, cross_recurrence, or all."
        ),
    ),
    click.option(
        "--reference",
        metavar="NAME",
        help="A recording or participant that all others are compared with; else every pair.",
    ),
    click.option(
        "--letters",
        type=opt.FILE,
        metavar="AOIS",
        help="Areas of interest, in place of a grid, for levenshtein.",
    ),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="A setting of the methods, such as grid=12x8 or radius_px=64: docs/scanpaths.md.",
    ),
)


def run(
    tables: tuple[Path | str, ...],
    *,
    scanpaths: str,
    reference: str | None,
    letters: Path | None,
    settings: tuple[str, ...],
    images: Path | None,
    placement: str | None,
    out: Path | str | None,
    report: Path | None,
    quiet: bool,
    force: bool,
    as_json: bool,
    **who: Any,
) -> int:
    """Compare scanpaths, write and print what was found, and return the exit code."""
    from gazetrack.measures.scanpaths import DEFAULT_METHODS, check_methods
    from gazetrack.tables.comparisons import SCANPATH_MATRIX, SCANPATHS
    from gazetrack.workflows.at_hand import at_hand
    from gazetrack.workflows.gaze_paths import place_on
    from gazetrack.workflows.scanpaths import compare_scanpath_files

    named = [name.strip() for name in scanpaths.split(",") if name.strip()]
    methods = DEFAULT_METHODS if named == [ALL] else check_methods(named)
    options = _options(settings, letters)
    with at_hand(tables, images, Path(), file="scanpaths.parquet") as places:
        found = opt.tables_among(places.tables, quiet)
        check_report(report, found)
        if out is not None:
            schemas = {str(out): SCANPATHS, beside(out, "matrix"): SCANPATH_MATRIX}
            inputs = [*found, *filter(None, [letters, images])]
            check_outputs(out, schemas, inputs, report, force=force)
        done = compare_scanpath_files(
            found,
            place_on(places.images, placement, or_screen=True),
            methods,
            reference=reference,
            options=options,
            jobs=engine(**who, quiet=quiet),
            progress=progress_bar("comparing", quiet),
        )
        outcomes = places.told(done.outcomes)
    about = {"scanpaths": {"methods": methods, "reference": reference, **_facts(options)}}
    written = []
    if out is not None:
        tables_out = _tables(out, done.compared)
        written = write_tables(out, tables_out, outcomes, about, force=force)
    show = None if quiet or as_json else _show
    if as_json:
        rows = done.compared.astype({"value": float}).to_dict("records")
        print_json([without_nan({str(key): row[key] for key in row}) for row in rows])
    code = finish(outcomes, report, show, verb="measured")
    if show is not None:
        _show_all(done.compared)
        for line in written:
            click.echo(line)
    return code


def _options(settings: tuple[str, ...], letters: Path | None) -> ScanpathOptions:
    """Return the settings that were typed, each as its default is."""
    from dataclasses import fields

    from gazetrack.errors import ConfigError, did_you_mean
    from gazetrack.measures.aoi_files.reading import read_aois
    from gazetrack.measures.scanpaths import ScanpathOptions

    known = {one.name: one.type for one in fields(ScanpathOptions) if one.name != "aois"}
    typed: dict[str, Any] = {}
    for name, text in parse_pairs(",".join(settings), "--set").items():
        if name not in known:
            hint = f"{did_you_mean(name, known)}known are {', '.join(known)}"
            raise ConfigError(f"--set {name}", hint=hint)
        try:
            if name == "grid":
                columns, rows = (int(part) for part in text.split("x"))
                typed[name] = columns, rows
            else:
                typed[name] = int(text) if known[name] == "int" else float(text)
        except ValueError:
            hint = "give COLUMNSxROWS" if name == "grid" else "give a number"
            raise ConfigError(f"--set {name}={text!r}", hint=hint) from None
    areas = None if letters is None else read_aois(letters)
    return ScanpathOptions(**typed, aois=areas)


def _facts(options: ScanpathOptions) -> dict[str, Any]:
    facts = dict(vars(options))
    areas = facts.pop("aois")
    return facts | ({} if areas is None else {"aois": dict(areas.source)})


def _tables(out: Path | str, compared: pd.DataFrame) -> dict[str, pa.Table]:
    """Return the long table, and the squares beside it, by where they are written."""
    from gazetrack.tables.comparisons import SCANPATHS
    from gazetrack.tables.schema import conform
    from gazetrack.workflows.scanpaths import matrix_table

    long_table = conform({str(name): compared[name] for name in compared}, SCANPATHS)
    return {str(out): long_table, beside(out, "matrix"): matrix_table(compared)}


def _show(outcome: Outcome) -> None:
    dropped = [f"; not used: {count:,}, {reason}" for reason, count in outcome.dropped.items()]
    rows = f"{outcome.rows_in:,} fixations, {outcome.rows_out:,} in scanpaths"
    click.echo(f"{outcome.file}: {rows}{''.join(dropped)}")


def _show_all(compared: pd.DataFrame) -> None:
    """Print what every measure is in the middle, and the first measure of all pairs."""
    from gazetrack.workflows.scanpaths import scanpath_matrix, whose

    if not len(compared):
        click.echo("note: no two scanpaths on one stimulus")
        return
    by_measure = compared.groupby(["method", "measure"], sort=False, observed=True)
    header = ["measure", "unit", "pairs", "lowest", "median", "highest", "missing"]
    rows = []
    for (method, measure), own in by_measure:
        value = own["value"]
        middle = [cell(float(one)) for one in (value.min(), value.median(), value.max())]
        counts = [str(len(own)), *middle, str(int(value.isna().sum()))]
        rows.append([f"{method} {measure}", str(own["unit"].iloc[0]) or "-", *counts])
    print_table(header, rows)
    method = str(compared["method"].iloc[0])
    square = scanpath_matrix(compared, method, by=whose(compared))
    if len(square) <= _MOST_SHOWN:
        click.echo(f"\n{method} {compared['measure'].iloc[0]}, mean over stimuli")
        names = [cell(str(name)) for name in square.columns]
        body = [
            [name, *(cell(float(value)) for value in values)]
            for name, values in zip(names, square.to_numpy(), strict=True)
        ]
        print_table(["", *names], body)
