"""gazetrack fixations."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import click

from . import options as opt
from .convert import show

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.events.base import Detector


@click.command("fixations", short_help="Detect fixations in the samples of an export.")
@click.argument("files", nargs=-1, required=True, type=opt.FILE, metavar="FILES…")
@click.option("--detector", type=click.Choice(opt.DETECTORS), default="auto", show_default=True, help="Algorithm.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the detector, such as min_duration_ms=80; may be repeated.",
)
@click.option("-o", "--out", type=opt.FILE, metavar="DIR", help="Folder for the tables; beside each export by default.")
@opt.format_option
@opt.columns_option
@opt.screen_option
@opt.force_option
@opt.report_option
@opt.verbose_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path, ...],
    detector: str,
    settings: tuple[str, ...],
    out: Path | None,
    format_name: str | None,
    columns: str | None,
    screen: str | None,
    force: bool,
    report: Path | None,
    verbose: bool,
    quiet: bool,
) -> int:
    """Detect fixations in the samples of exports, also where the export has its own.

    Writes FILE.fixations.parquet with the detector and all its parameters in the metadata.
    """
    from gazetrack.pipeline import ConvertOptions, convert_files

    pairs = opt.parse_pairs(columns, "--columns")
    params = _detector(detector, opt.parse_pairs(",".join(settings), "--set"))
    chosen = ConvertOptions(format_name, pairs, opt.parse_screen(screen), params, out, force=force)
    opt.check_report(report, files)
    return opt.finish(convert_files(files, chosen), report, None if quiet else lambda outcome: show(outcome, verbose))


def _detector(name: str, settings: dict[str, str]) -> Detector:
    from gazetrack.events.detectors import DETECTORS

    kind = DETECTORS[name]
    known = [field.name for field in fields(kind)]
    for key in settings:
        if key not in known:
            raise click.BadParameter(f"{key!r} is none of {', '.join(known)}", param_hint="--set")
    try:
        return kind(**{key: float(value) for key, value in settings.items()})
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None
