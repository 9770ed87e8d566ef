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

from .errors import Printing, debug_option, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gazetrack.errors import GazetrackError
    from gazetrack.tables.screen import Screen
    from gazetrack.workflows.outcome import Outcome

__all__ = ["debug_option"]


class NamedPath(click.Path):
    """A path that is not empty: to Python an empty one is the working directory, which nobody named."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        if value == "":
            self.fail(
                "a name is empty: name a file or folder, or look whether a variable of the shell is unset",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


FILE = NamedPath(path_type=Path)


class TablesFolder(NamedPath):
    """A folder for tables: a new one that is named like a table was meant to be a file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of the folder."""
        folder: Path = super().convert(value, param, ctx)
        if folder.suffix.lower() in (".parquet", ".csv", ".tsv") and not folder.is_dir():
            parent = f"; for {folder.parent}, -o {folder.parent}" if folder.parent != Path() else ""
            self.fail(
                f"'{folder}' is named like a file, but is the folder that tables are written to{parent}",
                param,
                ctx,
            )
        return folder


TABLES_FOLDER = TablesFolder(path_type=Path)
_NUMBER, _UNIT = r"\d+(?:\.\d+)?", r'mm|cm|in|"'
_SCREEN = re.compile(
    r"(?P<width>\d{1,6})x(?P<height>\d{1,6})(?:px)?"
    rf"(?:,(?:(?P<wide>{_NUMBER})x(?P<high>{_NUMBER})(?P<unit>{_UNIT})|(?P<diagonal>{_NUMBER})(?:in|\"))"
    rf"(?:,(?P<far>{_NUMBER})(?P<far_unit>{_UNIT}))?)?",
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
    help="Columns of a file no reader knows, such as x=GazeX[norm],y=GazeY,t=Time[s]; also unit=, origin=, y_axis=.",
)
screen_option = click.option(
    "--screen",
    metavar="WxH[,SIZE[,DISTANCE]]",
    help="Screen in pixels, with size and distance in mm, cm or in: 1920x1080,531x299mm,650mm or 1920x1080,24in,65cm.",
)
fov_option = click.option(
    "--fov",
    type=click.FloatRange(0, 360, min_open=True, max_open=True),
    metavar="DEGREES",
    help="Width of the view in degrees: of a head-mounted tracker's world camera, or of the screen.",
)
eye_option = click.option(
    "--eye",
    type=click.Choice(EYE_CHOICES),
    default=DEFAULT_EYE,
    show_default=True,
    help="Whose fixations, where each eye has its own: of the eye with more, of one, or both in a row each.",
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
    """Parse ``a=b,c=d``."""
    pairs = [part.partition("=") for part in (text or "").split(",") if part.strip()]
    if any(not mark or not key.strip() or not value.strip() for key, mark, value in pairs):
        raise click.BadParameter(
            f"{text!r} is not of the form name=value,name=value", param_hint=option
        )
    keys = [key.strip() for key, _, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise click.BadParameter(f"{key!r} is there twice", param_hint=option)
    return {key: value.strip() for key, (_, _, value) in zip(keys, pairs, strict=True)}


def parse_screen(text: str | None) -> Screen | None:
    """Parse ``1920x1080``, ``1920x1080,531x299mm``, ``1920x1080,53.1x29.9cm,65cm`` or ``1920x1080,24in,65cm``.

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
    wide = high = None
    if match["diagonal"] is not None:
        mm_per_px = float(match["diagonal"]) * _MM_PER["in"] / max(math.hypot(width, height), 1.0)
        wide, high = width * mm_per_px, height * mm_per_px
    elif match["wide"] is not None:
        wide, high = (float(match[side]) * _MM_PER[match["unit"]] for side in ("wide", "high"))
    far = None if match["far"] is None else float(match["far"]) * _MM_PER[match["far_unit"]]
    return Screen(width, height, wide, high, far)


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Parse ``224`` or ``HEIGHTxWIDTH`` into (height, width)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise click.BadParameter(f"{text!r} is not like 224 or 480x640", param_hint="--size")
    return int(parts[0]), int(parts[-1])


def tables_among(paths: Sequence[Path], quiet: bool) -> tuple[Path, ...]:
    """Return fixation tables: those named, and of folders, or the working directory, one a recording.

    What is left out is said on stderr.
    """
    from gazetrack.tables.finding import find_tables
    from gazetrack.tables.finding import tables_among as among

    found = among(paths) if paths else find_tables()
    if not quiet:
        for note in found.notes:
            click.echo(f"note: {note}", err=True)
    return found.paths


def check_report(report: Path | None, inputs: Iterable[Path], other: Path | None = None) -> None:
    """Refuse, before any work, to write a report over an input, another report, or something else than a report."""
    if report is not None:
        if other is not None and report.absolute() == other.absolute():
            raise click.UsageError(
                "--report and --errors are the same file: the second would replace the first"
            )
        from gazetrack.workflows.outcome import check_report as check

        check(report, inputs)


def finish(
    outcomes: Iterable[Outcome],
    report: Path | None,
    show: Callable[[Outcome], None] | None,
    errors: Path | None = None,
) -> int:
    """Show every outcome as it comes, print its error, write the reports, and return the exit code.

    0 when all inputs are done; an error's own code when every failure has the same; otherwise 1. Of
    many inputs, the failures are listed again at the end, where they are seen.
    """
    done, codes = [], set()
    printing = Printing("gazetrack")
    for outcome in outcomes:
        done.append(outcome)
        if show is not None and outcome.status != "failed":
            with printing.guarded():
                show(outcome)
        if outcome.error is not None:
            say("gazetrack", outcome.error)
            codes.add(outcome.error.exit_code)
    failed = [outcome for outcome in done if outcome.error is not None]
    skipped, joined = (
        sum(outcome.status == status for outcome in done) for status in ("skipped", "joined")
    )
    if show is not None and len(done) > 1 and (failed or skipped):
        converted = len(done) - len(failed) - skipped - joined
        counts = f"{converted} converted, {skipped} skipped, {len(failed)} with errors"
        counts += f", {joined} read with others" if joined else ""
        with printing.guarded():
            click.echo(f"of {len(done)} files: {counts}")
    from gazetrack.workflows.outcome import write_report

    for path, listed in ((report, done), (errors, failed)):
        if path is not None:
            write_report(path, listed)
    unprinted = printing.end() if show is not None else 0
    if not codes:
        return unprinted
    return codes.pop() if len(codes) == 1 and len(done) == 1 else 1


def write_results(
    report: Path | None, results: Iterable[tuple[Path, GazetrackError | None, Iterable[Path]]]
) -> None:
    """Write a report about (input, its error or None, its outputs) where one is asked for."""
    if report is None:
        return
    from gazetrack.publish import sha256_of
    from gazetrack.workflows.outcome import Outcome, write_report

    outcomes = []
    for file, error, paths in results:
        outputs = [{"path": str(path), "sha256": sha256_of(path)} for path in paths]
        digest = sha256_of(file) if file.is_file() else ""
        outcomes.append(
            Outcome(str(file), "failed" if error else "ok", error, digest, "image", outputs=outputs)
        )
    write_report(report, outcomes)


def print_json(value: Any) -> None:
    """Print a value as JSON, which any terminal can show."""
    narrow = not str(getattr(sys.stdout, "encoding", "")).lower().startswith("utf")
    click.echo(json.dumps(value, indent=2, ensure_ascii=narrow))


def without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for JSON, which knows no NaN."""
    return {name: None if value != value else value for name, value in row.items()}


def cell(value: object) -> str:
    """Return a value of a table as text: numbers to four digits or whole, names without control characters."""
    from gazetrack.errors import quote

    if isinstance(value, float):
        return "-" if value != value else f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return quote(value)


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
    rates = dict.fromkeys(hz for _, hz in summary.get("rates_hz") or ()) or ([rate] if rate else [])
    parts = [
        f"{', '.join(f'{hz:.0f}' for hz in rates)} Hz" if rates else "",
        str(summary["eyes"]),
        f"{summary['samples']:,} samples" if summary["samples"] else "fixations only",
        f"{100 * summary['loss']:.1f} % loss" if summary.get("loss") is not None else "",
        f"{summary['fixations']:,} fixations",
    ]
    return ", ".join(part for part in parts if part)


def with_report(name: str) -> str:
    """Return how a list of written files ends: with a report's name, or with what to install for one."""
    from gradtrack_model.study.report import installed

    return (
        f" and {name}"
        if installed()
        else f'; for a report, {name}: pip install "gazetrack[report]"'
    )
