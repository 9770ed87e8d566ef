"""gazetrack quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.storage.address import shown

from . import options as opt
from .dry_run import show_plan
from .engine_options import engine, engine_options, resume_options
from .errors import say
from .examples import examples
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .printing import cell, is_nan, print_json, print_table, without_nan
from .progress import progress_bar
from .reports import check_manifest, of_inputs

if TYPE_CHECKING:
    import pyarrow as pa

    from gazetrack.errors import GazetrackError
    from gazetrack.workflows.quality import QualityReport

_HEADER = {
    "recording": "recording",
    "trial": "trial",
    "stimulus": "stimulus",
    "target": "target",
    "onset_ms": "from ms",
    "eye": "eye",
    "duration_ms": "ms",
    "rate_hz": "Hz",
    "effective_rate_hz": "effective",
    "loss": "loss %",
    "loss_expected": "of expected %",
    "n_gaps": "gaps",
    "longest_gap_ms": "longest ms",
    "rms_s2s": "RMS-S2S",
    "std": "STD",
    "accuracy": "accuracy",
}


@click.command(
    "quality",
    short_help="Report the data quality of exports or sample tables.",
    epilog=examples(
        """
        gazetrack quality raw.tsv --by trial
        # accuracy on known targets
        gazetrack quality raw.tsv --targets targets.csv --screen 1920x1080,24in,65cm
        gazetrack quality exports --recursive -o quality.parquet --jobs 4
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also look at what lies below it.")
@click.option(
    "--by",
    type=click.Choice(["recording", "trial", "window"]),
    default="recording",
    show_default=True,
    help="A row per recording, trial, or window of time, and eye.",
)
@click.option(
    "--window",
    "window_ms",
    type=float,
    default=200.0,
    show_default=True,
    metavar="MS",
    help="Length of the windows.",
)
@click.option(
    "--targets",
    type=opt.FILE,
    metavar="CSV",
    help=(
        "What was to be looked at: x_px, y_px, "
        "and onset_ms, duration_ms, trial, stimulus, name as needed."
    ),
)
@click.option(
    "-o",
    "--out",
    type=opt.PLACE,
    metavar="FILE|URL",
    help="Write all measures as a table: .parquet, .csv or .tsv.",
)
@participant_options
@engine_options
@resume_options
@opt.export_options
@opt.force_option
@opt.json_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    recursive: bool,
    by: str,
    window_ms: float,
    targets: Path | None,
    out: Path | str | None,
    participant: str,
    key: Path,
    manifest: Path | None,
    is_dry_run: bool,
    force: bool,
    as_json: bool,
    **choices: Any,
) -> int:
    """Report the data quality of exports or sample tables: rates, loss, gaps, precision, accuracy.

    RMS-S2S and STD are medians in a window that moves along the samples (with --by window or
    --targets, those of the row itself), in degrees where the screen's size and distance are known,
    else in pixels. --json and --out have all.
    """
    from gazetrack.data_quality.targets import read_targets
    from gazetrack.tables.schema import QUALITY
    from gazetrack.workflows.elsewhere import check_place, write_at
    from gazetrack.workflows.quality import plan_quality, quality_files
    from gazetrack.workflows.read import InputOptions

    if targets is not None and by != "recording":
        raise click.UsageError("--targets has a row per target: leave out --by")
    looked_at = [] if targets is None else read_targets(targets)
    options = InputOptions(**export_choices(choices), recursive=recursive)
    pseudonyms = pseudonyms_of(participant, key, choices)
    measured: dict[str, Any] = {"by": by, "window_ms": window_ms, "targets": looked_at}
    if is_dry_run:
        plan = plan_quality(files, options, **measured, manifest=manifest)
        return show_plan(plan, "measure", choices["cluster"], as_json=as_json)
    check_place(out, QUALITY, force=force)
    check_manifest(manifest, out if isinstance(out, Path) else None)
    report = quality_files(
        files,
        options,
        **measured,
        tell=_say,
        jobs=engine(**choices),
        progress=progress_bar("measuring"),
        manifest=manifest,
        pseudonyms=pseudonyms,
    )
    table = report.table
    if out is not None and table.num_rows:
        write_at(out, table, {"quality": {"by": by, "window_ms": window_ms}}, force=force)
    _print(report, by, out, as_json=as_json)
    return of_inputs(report.errors, report.n_inputs)


def _print(report: QualityReport, by: str, out: Path | str | None, *, as_json: bool) -> None:
    """Print the report of all recordings, and where it was written."""
    table = report.table
    if as_json:
        print_json([without_nan(row) for row in table.to_pylist()])
    elif table.num_rows:
        _show(table, by, list(report.notes))
        if out is not None:
            click.echo(f"wrote {shown(str(out))} ({table.num_rows:,} rows)")


def _say(error: GazetrackError) -> None:
    say("gazetrack", error)


def _show(table: pa.Table, by: str, notes: list[str]) -> None:
    rows = table.to_pylist()
    # The eye is still in a window or on a target; over longer periods the median of a moving window
    # says as much.
    has_targets = any(row["target"] for row in rows)
    window = "" if by == "window" or has_targets else "window_"
    # Columns that only some reports fill, and the column that says whether this one does.
    told_by = {"trial": "trial", "stimulus": "stimulus", "target": "target", "accuracy": "target"}
    shown = [
        name for name in _HEADER if name not in told_by or any(row[told_by[name]] for row in rows)
    ]
    if len({(row["recording"], row["eye"]) for row in rows}) == len(rows):
        shown.remove("onset_ms")
    header = [_HEADER[name] for name in shown]
    print_table(header, [[_cell(row, name, window) for name in shown] for row in rows])
    in_pixels = any(is_nan(row["std_deg"]) and not is_nan(row["std_px"]) for row in rows)
    if in_pixels:
        what = "pixels where the screen's size and distance are not known"
        notes = [*notes, f"{what}: give --screen, or --fov, for degrees"]
    for note in notes:
        click.echo(f"note: {note}")


def _cell(row: dict[str, Any], name: str, window: str) -> str:
    """Return one measure of a row as text, in degrees where they are known."""
    if name in ("rms_s2s", "std", "accuracy"):
        measure = name if name == "accuracy" else window + name
        unit = "px" if is_nan(row[f"{measure}_deg"]) else "deg"
        value = row[f"{measure}_{unit}"]
        return "-" if is_nan(value) else f"{value:.3g} {unit}"
    if name in ("loss", "loss_expected"):
        percent = round(100 * row[name], 2) + 0  # without the sign of a negative zero
        return "-" if is_nan(row[name]) else f"{percent:.2f}"
    return cell(row[name])
