"""gazetrack fixations."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gazetrack.events.detectors import DEFAULT, DETECTORS

from . import options as opt
from .convert import show
from .dry_run import dry_run
from .engine_options import engine, engine_options, resume_options
from .examples import examples
from .parameters import parse_detector, parse_preparation
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .progress import progress_bar
from .reports import check_manifest, check_report, finish

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    "fixations",
    short_help="Detect fixations in the samples of an export.",
    epilog=examples(
        """
        gazetrack fixations raw.tsv
        # by velocity, at least 80 ms long, over gaps of up to 75 ms
        gazetrack fixations raw.tsv --detector ivt --set min_duration_ms=80 \\
          --prepare max_gap_ms=75
        # of a folder, by trial, without names of participants
        gazetrack fixations exports --trial-by stimulus --participant hash
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also take what lies below it.")
@engine_options
@resume_options
@click.option(
    "--detector",
    type=click.Choice(list(DETECTORS)),
    default=DEFAULT,
    show_default=True,
    help="Algorithm.",
)
@opt.detector_settings_option
@opt.prepare_option
@click.option(
    "-o",
    "--out",
    type=opt.TABLES_FOLDER,
    metavar="DIR|URL",
    help="Folder for the tables; beside each export by default.",
)
@opt.trial_by_option
@participant_options
@opt.export_options
@opt.force_option
@opt.report_option
@opt.verbose_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    recursive: bool,
    detector: str,
    settings: tuple[str, ...],
    preparations: tuple[str, ...],
    out: Path | str | None,
    trial_by: str | None,
    participant: str,
    key: Path,
    force: bool,
    report: Path | None,
    verbose: bool,
    quiet: bool,
    manifest: Path | None,
    is_dry_run: bool,
    **choices: Any,
) -> int:
    """Detect fixations in the samples of exports, also where the export has its own.

    Writes FILE.DETECTOR.fixations.parquet, such as FILE.auto.fixations.parquet, beside the table of
    gazetrack convert, with the detector and all its parameters in the metadata: gazetrack compare
    compares the two. FILES may be tables of samples as well, which gazetrack convert --samples
    writes.
    """
    from gazetrack.workflows.convert import convert_files
    from gazetrack.workflows.convert_options import ConvertOptions

    params = parse_detector(detector, settings)
    prepared = parse_preparation(preparations)
    chosen = ConvertOptions(
        **export_choices(choices),
        recursive=recursive,
        detector=params,
        preparation=prepared,
        trial_by=trial_by,
        pseudonyms=pseudonyms_of(participant, key, choices),
        out=out,
        force=force,
    )
    check_report(report, (*files, key))
    check_manifest(manifest, report)
    if is_dry_run:
        return dry_run(files, chosen, manifest, choices["cluster"])
    shown = None if quiet else partial(show, verbose=verbose)
    shown_one_by_one = not quiet and sys.stdout.isatty()
    bar = progress_bar("detecting", quiet=shown_one_by_one, lines=not quiet)
    workers = engine(**choices, quiet=quiet)
    outcomes = convert_files(files, chosen, workers, bar, manifest=manifest)
    return finish(outcomes, report, shown)
