"""gazetrack quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .errors import say

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from gazetrack.recording import Screen

_HEADER = {
    "recording": "recording",
    "trial": "trial",
    "target": "target",
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


@click.command("quality", short_help="Report the data quality of exports or sample tables.")
@click.argument("files", nargs=-1, required=True, type=opt.FILE, metavar="FILES…")
@click.option(
    "--by",
    type=click.Choice(["recording", "trial", "window"]),
    default="recording",
    show_default=True,
    help="A row per recording, trial, or window of time, and eye.",
)
@click.option(
    "--window", "window_ms", type=float, default=200.0, show_default=True, metavar="MS", help="Length of the windows."
)
@click.option(
    "--targets",
    type=opt.FILE,
    metavar="CSV",
    help="What was to be looked at: x_px, y_px, and onset_ms, duration_ms, trial, stimulus, name as needed.",
)
@click.option("-o", "--out", type=opt.FILE, metavar="FILE", help="Write all measures as a Parquet table.")
@opt.format_option
@opt.columns_option
@opt.screen_option
@opt.force_option
@opt.json_option
@opt.debug_option
def command(
    files: tuple[Path, ...],
    by: str,
    window_ms: float,
    targets: Path | None,
    out: Path | None,
    format_name: str | None,
    columns: str | None,
    screen: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Report the data quality of exports or sample tables: rates, loss, gaps, precision, accuracy.

    RMS-S2S and STD are medians in a window that moves along the samples (with --by window or --targets, those of the
    row itself), in degrees where the screen's size and distance are known, else in pixels. --json and --out have all.
    """
    from gazetrack.errors import GazetrackError
    from gazetrack.quality import joined, read_targets
    from gazetrack.store import refuse_foreign, write_table

    pairs, stated = opt.parse_pairs(columns, "--columns"), opt.parse_screen(screen)
    aims = [] if targets is None else read_targets(targets)
    if out is not None:
        refuse_foreign(out, force=force)
    tables, codes = [], []
    for file in files:
        try:
            tables.append(_of_file(file, format_name, pairs, stated, by=by, window_ms=window_ms, targets=aims))
        except GazetrackError as error:
            say("gazetrack", error)
            codes.append(error.exit_code)
    table = joined(tables)
    if out is not None and tables:
        write_table(out, table, {"quality": {"by": by, "window_ms": window_ms}}, force=force)
    # The eye is still in a window or on a target; over longer periods the median of a moving window says as much.
    _show(table, "" if aims or by == "window" else "window_", as_json, out if tables else None)
    return 0 if not codes else codes[0] if len(files) == 1 else 1


def _of_file(
    file: Path, format_name: str | None, columns: dict[str, str], screen: Screen | None, **chosen: Any
) -> pa.Table:
    from gazetrack.errors import GazetrackError
    from gazetrack.pipeline import read_recording
    from gazetrack.quality import quality

    recording = read_recording(file, format_name, columns).with_screen(screen)
    try:
        return quality(recording, **chosen)
    except GazetrackError as error:
        raise type(error)(error.what, path=file, hint=error.hint) from error


def _show(table: pa.Table, window: str, as_json: bool, out: Path | None) -> None:
    rows = table.to_pylist()
    if as_json:
        opt.print_json([opt.without_nan(row) for row in rows])
    if as_json or not rows:
        return
    shown = [name for name in _HEADER if name != "trial" or any(row["trial"] for row in rows)]
    shown = [name for name in shown if name != "target" or any(row["target"] for row in rows)]
    opt.print_table([_HEADER[name] for name in shown], [[_cell(row, name, window) for name in shown] for row in rows])
    if out is not None:
        click.echo(f"wrote {out} ({len(rows):,} rows)")


def _cell(row: dict[str, Any], name: str, window: str) -> str:
    if name in ("rms_s2s", "std", "accuracy"):
        name = name if name == "accuracy" else window + name
        unit = "deg" if row[f"{name}_deg"] == row[f"{name}_deg"] else "px"
        value = row[f"{name}_{unit}"]
        return f"{value:.3g} {unit}" if value == value else "-"
    return opt.cell(100 * row[name] if name in ("loss", "loss_expected") else row[name])
