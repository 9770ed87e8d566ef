"""Options and printing that several commands share."""

from __future__ import annotations

import json
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.tables.eyes import DEFAULT_EYE, EYE_CHOICES

from . import exit_codes
from .errors import Printing, debug_option, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gazetrack.errors import GazetrackError
    from gazetrack.tables.screen import Screen
    from gazetrack.workflows.outcome import Outcome

__all__ = ["debug_option"]


class NamedPath(click.Path):
    """A path that is not empty.

    To Python an empty one is the working directory, which nobody named.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            what = (
                "a name is empty: name a file or folder, "
                "or look whether a variable of the shell is unset"
            )
            self.fail(what, param, ctx)
        return super().convert(value, param, ctx)


FILE = NamedPath(path_type=Path)


class TablesFolder(NamedPath):
    """A folder for tables: a new one that is named like a table was meant to be a file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the folder."""
        folder: Path = super().convert(value, param, ctx)
        if folder.suffix.lower() in (".parquet", ".csv", ".tsv") and not folder.is_dir():
            parent = f"; for {folder.parent}, -o {folder.parent}" if folder.parent != Path() else ""
            what = f"'{folder}' is named like a file, but is the folder that tables are written to"
            self.fail(what + parent, param, ctx)
        return folder


TABLES_FOLDER = TablesFolder(path_type=Path)
_NUMBER = r"\d+(?:\.\d+)?"
_UNIT = r'mm|cm|in|"'
_SIDES = rf"(?P<wide>{_NUMBER})x(?P<high>{_NUMBER})(?P<unit>{_UNIT})"
_DIAGONAL = rf"(?P<diagonal>{_NUMBER})(?:in|\")"
_DISTANCE = rf"(?P<far>{_NUMBER})(?P<far_unit>{_UNIT})"
_SCREEN = re.compile(
    r"(?P<width>\d{1,6})x(?P<height>\d{1,6})(?:px)?"
    rf"(?:,(?:{_SIDES}|{_DIAGONAL})(?:,{_DISTANCE})?)?",
    re.ASCII,
)
_MM_PER = {"mm": 1.0, "cm": 10.0, "in": 25.4, '"': 25.4}

force_option = click.option(
    "--force",
    is_flag=True,
    help="Also replace what gazetrack did not write, and tables of another origin.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Say more: every note of the reader."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
report_option = click.option(
    "--report",
    type=FILE,
    metavar="FILE",
    help="Write one JSON object per input to FILE (JSON lines).",
)
errors_option = click.option(
    "--errors",
    type=FILE,
    metavar="FILE",
    help="Write one JSON object per failed input to FILE (JSON lines).",
)
format_option = click.option(
    "--format",
    "format_name",
    metavar="NAME",
    help="Format of the export; found by content by default.",
)
columns_option = click.option(
    "--columns",
    metavar="OUR=THEIRS,…",
    help=(
        "Columns of a file no reader knows, such as x=GazeX[norm],y=GazeY,t=Time[s]; "
        "also unit=, origin=, y_axis=."
    ),
)
screen_option = click.option(
    "--screen",
    metavar="WxH[,SIZE[,DISTANCE]]",
    help=(
        "Screen in pixels, with size and distance in mm, cm or in: "
        "1920x1080,531x299mm,650mm or 1920x1080,24in,65cm."
    ),
)
fov_option = click.option(
    "--fov",
    type=click.FloatRange(0, 360, min_open=True, max_open=True),
    metavar="DEGREES",
    help=(
        "Width of the view in degrees: of a head-mounted tracker's world camera, or of the screen."
    ),
)
eye_option = click.option(
    "--eye",
    type=click.Choice(EYE_CHOICES),
    default=DEFAULT_EYE,
    show_default=True,
    help=(
        "Whose fixations, where each eye has its own: "
        "of the eye with more, of one, or both in a row each."
    ),
)

salvage_option = click.option(
    "--salvage",
    is_flag=True,
    help="Of a file that is cut off, take the whole rows; it is refused by default.",
)
trust_gzip_option = click.option(
    "--trust-gzip",
    is_flag=True,
    help="Also unpack gzip that grows to more than 200 times its size, or to over 64 GiB.",
)


def parse_pairs(text: str | None, option: str) -> dict[str, str]:
    """Parse ``a=b,c=d``; usage errors name `option`."""
    pairs: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, _, value = (piece.strip() for piece in part.partition("="))
        if not key or not value:
            what = f"{text!r} is not of the form name=value,name=value"
            raise click.BadParameter(what, param_hint=option)
        if key in pairs:
            raise click.BadParameter(f"{key!r} is there twice", param_hint=option)
        pairs[key] = value
    return pairs


def parse_screen(text: str | None) -> Screen | None:
    """Parse ``1920x1080``, ``1920x1080,531x299mm``, ``1920x1080,24in,65cm`` and the like.

    One length in inches is the diagonal, as screens are sold; its pixels are taken as square.
    """
    if text is None:
        return None
    match = _SCREEN.fullmatch(text.replace(" ", ""))
    if match is None:
        what = f"{text!r} is not like 1920x1080,531x299mm,650mm or 1920x1080,24in,65cm"
        raise click.BadParameter(what, param_hint="--screen")
    from gazetrack.tables.screen import Screen

    width, height = int(match["width"]), int(match["height"])
    wide_mm = high_mm = distance_mm = None
    if match["diagonal"] is not None:
        diagonal_mm = float(match["diagonal"]) * _MM_PER["in"]
        mm_per_px = diagonal_mm / max(math.hypot(width, height), 1.0)
        wide_mm = width * mm_per_px
        high_mm = height * mm_per_px
    elif match["wide"] is not None:
        mm_per_unit = _MM_PER[match["unit"]]
        wide_mm = float(match["wide"]) * mm_per_unit
        high_mm = float(match["high"]) * mm_per_unit
    if match["far"] is not None:
        distance_mm = float(match["far"]) * _MM_PER[match["far_unit"]]
    return Screen(width, height, wide_mm, high_mm, distance_mm)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Parse ``224`` or ``HEIGHTxWIDTH`` into (height, width)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{text!r} is not like 224 or 480x640", param_hint="--size")
    return int(parts[0]), int(parts[-1])


def tables_among(paths: Sequence[Path], quiet: bool) -> tuple[Path, ...]:
    """Return fixation tables: those that are named, and of folders one a recording.

    Without any name, the folder is the working directory. What is left out is said on stderr.
    """
    from gazetrack.tables.finding import find_tables
    from gazetrack.tables.finding import tables_among as among

    found = among(paths) if paths else find_tables()
    if not quiet:
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
    return found.paths


def check_report(report: Path | None, inputs: Iterable[Path], other: Path | None = None) -> None:
    """Refuse, before any work, to write a report over an input or anything but an older report.

    Parameters
    ----------
    report : pathlib.Path or None
        The report that was asked for, if one was.
    inputs : iterable of pathlib.Path
        Files that the command reads.
    other : pathlib.Path, optional
        Another report of the same call, which this one must not replace.
    """
    if report is None:
        return
    if other is not None and report.absolute() == other.absolute():
        what = "--report and --errors are the same file: the second would replace the first"
        raise click.UsageError(what)
    from gazetrack.workflows.outcome import check_report as check

    check(report, inputs)


def finish(
    outcomes: Iterable[Outcome],
    report: Path | None,
    show: Callable[[Outcome], None] | None,
    errors: Path | None = None,
) -> int:
    """Show every outcome as it comes, print its error, and write the reports.

    Of many inputs, the failures are counted at the end, where they are seen.

    Parameters
    ----------
    outcomes : iterable of Outcome
        One an input; the work is done while they are taken.
    report, errors : pathlib.Path or None
        Files for reports on all inputs, and on those that failed.
    show : callable or None
        Prints what became of an input that did not fail; None prints errors only.

    Returns
    -------
    int
        The exit code, see `exit_codes.of_inputs`; or that of an output that could not be printed.
    """
    done = []
    printing = Printing("gazetrack")
    for outcome in outcomes:
        done.append(outcome)
        if show is not None and outcome.status != "failed":
            with printing.guarded():
                show(outcome)
        if outcome.error is not None:
            say("gazetrack", outcome.error)
    failed = [outcome for outcome in done if outcome.error is not None]
    if show is not None and len(done) > 1:
        with printing.guarded():
            _echo_counts(done, len(failed))
    from gazetrack.workflows.outcome import write_report

    for path, listed in ((report, done), (errors, failed)):
        if path is not None:
            write_report(path, listed)
    unprinted = printing.end() if show is not None else exit_codes.DONE
    found = [outcome.error for outcome in failed if outcome.error is not None]
    return exit_codes.of_inputs(found, len(done)) or unprinted


def _echo_counts(done: Sequence[Outcome], n_failed: int) -> None:
    """Print how many of several inputs were converted, where it was not all of them."""
    n_skipped = sum(outcome.status == "skipped" for outcome in done)
    n_joined = sum(outcome.status == "joined" for outcome in done)
    if not n_failed and not n_skipped:
        return
    n_converted = len(done) - n_failed - n_skipped - n_joined
    counts = f"{n_converted} converted, {n_skipped} skipped, {n_failed} with errors"
    if n_joined:
        counts += f", {n_joined} read with others"
    click.echo(f"of {len(done)} files: {counts}")


def write_results(
    report: Path | None, results: Iterable[tuple[Path, GazetrackError | None, Iterable[Path]]]
) -> None:
    """Write a report about images where one is asked for.

    Parameters
    ----------
    report : pathlib.Path or None
        The report that was asked for, if one was.
    results : iterable of (path, GazetrackError or None, iterable of path)
        Each input, its error if it failed, and its outputs.
    """
    if report is None:
        return
    from gazetrack.publish import sha256_of
    from gazetrack.workflows.outcome import Outcome, write_report

    outcomes = []
    for file, error, paths in results:
        outputs = [{"path": str(path), "sha256": sha256_of(path)} for path in paths]
        outcome = Outcome(str(file), error=error, format="image", outputs=outputs)
        if error is not None:
            outcome.status = "failed"
        if file.is_file():
            outcome.sha256 = sha256_of(file)
        outcomes.append(outcome)
    write_report(report, outcomes)


def print_json(value: Any) -> None:
    """Print a value as JSON, which any terminal can show."""
    narrow = not str(getattr(sys.stdout, "encoding", "")).lower().startswith("utf")
    click.echo(json.dumps(value, indent=2, ensure_ascii=narrow))


def without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for JSON, which knows no NaN."""
    return {name: None if is_nan(value) else value for name, value in row.items()}


def is_nan(value: object) -> bool:
    """Whether a value of a table is a missing number."""
    return isinstance(value, float) and math.isnan(value)


def cell(value: object) -> str:
    """Return a value of a table as text.

    Numbers have four digits or are whole, a missing one is a dash; names have no control
    characters.
    """
    from gazetrack.errors import quote

    if not isinstance(value, float):
        return quote(value)
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, numbers to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join([line[0].ljust(widths[0]), *cells[1:]]).rstrip())


def progress_bar(label: str, quiet: bool = False) -> Callable[[int, int], None]:
    """Return a callback (done, total) that draws a bar on stderr, only on a terminal."""
    state: dict[str, Any] = {}

    def step(done: int, total: int) -> None:
        if quiet or not sys.stderr.isatty():
            return
        if "bar" not in state:
            state["bar"] = click.progressbar(
                length=total, label=label, file=sys.stderr, show_pos=True
            )
            state["bar"].render_progress()
        bar = state["bar"]
        bar.update(done - bar.pos)
        if done == total:
            bar.render_finish()

    return step


def facts_line(summary: Mapping[str, Any]) -> str:
    """Return what was found in an export, in one line."""
    rate = summary.get("rate_hz") or summary.get("effective_rate_hz")
    # Where the rate changes within the recording, each one is named once.
    rates = list(dict.fromkeys(hz for _, hz in summary.get("rates_hz") or ()))
    if not rates and rate:
        rates = [rate]
    parts = []
    if rates:
        parts.append(", ".join(f"{hz:.0f}" for hz in rates) + " Hz")
    if summary["eyes"]:
        parts.append(str(summary["eyes"]))
    n_samples = summary["samples"]
    parts.append(f"{n_samples:,} samples" if n_samples else "fixations only")
    if summary.get("loss") is not None:
        parts.append(f"{100 * summary['loss']:.1f} % loss")
    parts.append(f"{summary['fixations']:,} fixations")
    return ", ".join(parts)


def with_report(name: str) -> str:
    """Return how a list of written files ends.

    It is a report's name, or what to install for one.
    """
    from gradtrack_model.study.report.html import installed

    if installed():
        return f" and {name}"
    return f'; for a report, {name}: pip install "gazetrack[report]"'
