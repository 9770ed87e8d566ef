"""gazetrack events."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gazetrack.events.detectors import DEFAULT, DETECTORS

from . import options as opt
from .convert import show_found
from .dry_run import dry_run
from .engine_options import engine, engine_options, resume_options
from .examples import examples
from .parameters import built, parse_detector, parse_preparation
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .printing import cell, print_table
from .progress import progress_bar
from .reports import check_manifest, check_report, finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gazetrack.events.microsaccades import Microsaccades
    from gazetrack.workflows.outcome import Outcome

_HEADER = ("kind", "tracker", "detected", "matched", "F1", "F1 (IoU 0.5)", "onset ms", "offset ms")
_AGREEMENT = ("matched", "f1", "f1_iou", "onset_error_ms", "offset_error_ms")


@click.command(
    "events",
    short_help="Tell saccades, blinks and fixations, tracker's and detected.",
    epilog=examples(
        """
        gazetrack events raw.asc
        # also microsaccades, found where gaze moves at five times its median speed
        gazetrack events raw.asc --microsaccades --microsaccade threshold_factor=5
        # detected ones alone, in a folder of their own
        gazetrack events exports --source detected -o events
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also take what lies below it.")
@engine_options
@resume_options
@click.option(
    "--source",
    type=click.Choice(["both", "tracker", "detected"]),
    default="both",
    show_default=True,
    help="The export's own events, those detected in its samples, or both, compared.",
)
@click.option(
    "--detector",
    type=click.Choice(list(DETECTORS)),
    default=DEFAULT,
    show_default=True,
    help="Algorithm that tells fixations and saccades.",
)
@opt.detector_settings_option
@opt.prepare_option
@click.option(
    "--blinks",
    "blinks",
    multiple=True,
    metavar="KEY=VALUE",
    help="How blinks are found, such as method=gaze or max_duration_ms=800; may be repeated.",
)
@click.option("--microsaccades", is_flag=True, help="Also look for microsaccades.")
@click.option(
    "--microsaccade",
    "micro",
    multiple=True,
    metavar="KEY=VALUE",
    help="How microsaccades are found, such as threshold_factor=5; may be repeated.",
)
@click.option(
    "-o",
    "--out",
    type=opt.TABLES_FOLDER,
    metavar="DIR|URL",
    help="Folder for the tables; beside each export by default.",
)
@opt.eye_option
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
    source: str,
    detector: str,
    settings: tuple[str, ...],
    preparations: tuple[str, ...],
    blinks: tuple[str, ...],
    microsaccades: bool,
    micro: tuple[str, ...],
    out: Path | str | None,
    eye: str,
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
    """Tell what the eyes do: fixations, saccades, blinks, and what else a detector tells apart.

    Writes FILE.events.parquet, a row an event: the tracker's own events and, beside them, those
    detected in the samples, with amplitude, direction and velocities. Of each kind it prints how
    well the two agree, and of the saccades whether they keep to the main sequence. The table takes
    the place of that of gazetrack convert --events, whose rows it holds; --source detected, which
    holds none of them, writes FILE.DETECTOR.events.parquet.
    """
    from gazetrack.events.blinks import Blinks
    from gazetrack.workflows.convert import convert_files
    from gazetrack.workflows.events import EventsOptions

    pseudonyms = pseudonyms_of(participant, key, choices)
    chosen = EventsOptions(
        **export_choices(choices),
        recursive=recursive,
        source=source,
        detector=parse_detector(detector, settings) if settings or detector != DEFAULT else None,
        preparation=parse_preparation(preparations),
        blinks=built(Blinks, blinks, "--blinks"),
        microsaccades=_microsaccades(micro) if microsaccades or micro else None,
        eye=eye,
        trial_by=trial_by,
        pseudonyms=pseudonyms,
        out=out,
        force=force,
    )
    check_report(report, (*files, key))
    check_manifest(manifest, report)
    if is_dry_run:
        return dry_run(files, chosen, manifest, choices["cluster"])
    shown = None if quiet else partial(_show, verbose=verbose)
    bar = progress_bar("detecting", quiet=not quiet and sys.stdout.isatty(), lines=not quiet)
    workers = engine(**choices, quiet=quiet)
    return finish(convert_files(files, chosen, workers, bar, manifest=manifest), report, shown)


def _microsaccades(settings: Sequence[str]) -> Microsaccades:
    from gazetrack.events.microsaccades import Microsaccades

    return built(Microsaccades, settings, "--microsaccade")


def _show(outcome: Outcome, verbose: bool) -> None:
    """Print how many events there are of each kind, and how well the two sources agree."""
    show_found(outcome, verbose, _echo_events)


def _echo_events(outcome: Outcome) -> None:
    found = outcome.summary["shown"]
    rows = []
    for kind, numbers in found["counts"].items():
        agreed = found["agreement"].get(kind, {})
        measured = [cell(agreed[name]) if agreed else "-" for name in _AGREEMENT]
        rows.append([kind, *(f"{number:,}" for number in numbers.values()), *measured])
    if rows:
        print_table(_HEADER, rows)
    for source, text in found["main_sequence"].items():
        click.echo(f"  main sequence, {source}: {text}")
