"""gazetrack pupil."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .convert import show_found
from .dry_run import dry_run
from .engine_options import engine, engine_options, resume_options
from .examples import examples
from .parameters import built
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .printing import print_table
from .progress import progress_bar
from .reports import check_manifest, check_report, finish

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.workflows.outcome import Outcome


@click.command(
    "pupil",
    short_help="Make pupil sizes ready: filters, gaps, smoothing, baseline.",
    epilog=examples(
        """
        # relative to the mean of the 200 ms before each trial
        gazetrack pupil raw.asc --baseline subtractive --baseline-ms -200 0
        gazetrack pupil exports --set fill_ms=500 --trial-by stimulus -o pupils
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also take what lies below it.")
@engine_options
@resume_options
@click.option(
    "--baseline",
    type=click.Choice(["none", "subtractive", "divisive"]),
    default="none",
    show_default=True,
    help="What is done with the mean size in the baseline window of each trial.",
)
@click.option(
    "--baseline-ms",
    nargs=2,
    type=float,
    default=(0.0, 200.0),
    show_default=True,
    metavar="FROM TO",
    help="The baseline window, from the start of each trial; FROM may be before it: -200 0.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other step, such as fill_ms=500, lowpass_hz=0 or deblink=hershman; may be repeated.",
)
@opt.trial_by_option
@participant_options
@click.option(
    "-o",
    "--out",
    type=opt.TABLES_FOLDER,
    metavar="DIR|URL",
    help="Folder for the tables; beside each export by default.",
)
@opt.eye_option
@opt.export_options
@opt.force_option
@opt.report_option
@opt.verbose_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    recursive: bool,
    baseline: str,
    baseline_ms: tuple[float, float],
    settings: tuple[str, ...],
    trial_by: str | None,
    participant: str,
    key: Path,
    out: Path | str | None,
    eye: str,
    force: bool,
    report: Path | None,
    verbose: bool,
    quiet: bool,
    manifest: Path | None,
    is_dry_run: bool,
    **choices: Any,
) -> int:
    """Make pupil sizes ready for analysis, by the guideline of Kret & Sjak-Shie (2019).

    Writes FILE.pupil.parquet, a row per sample and eye with the size as exported and after all
    steps, and FILE.pupil-trials.parquet, a row per trial and eye. Impossible sizes, changes that
    are too fast, edges of blinks, and what is off the trend are taken out and counted, short gaps
    are filled, and the rest is smoothed.
    """
    from gazetrack.measures.pupil import PupilOptions
    from gazetrack.workflows.convert import convert_files
    from gazetrack.workflows.pupil import PupilFilesOptions

    start_ms, end_ms = baseline_ms
    window = (f"baseline_start_ms={start_ms}", f"baseline_end_ms={end_ms}")
    pseudonyms = pseudonyms_of(participant, key, choices)
    chosen = PupilFilesOptions(
        **export_choices(choices),
        recursive=recursive,
        steps=built(PupilOptions, (f"baseline={baseline}", *window, *settings), "--set"),
        trial_by=trial_by,
        pseudonyms=pseudonyms,
        eye=eye,
        out=out,
        force=force,
    )
    check_report(report, (*files, key))
    check_manifest(manifest, report)
    if is_dry_run:
        return dry_run(files, chosen, manifest, choices["cluster"])
    shown = None if quiet else partial(_show, verbose=verbose)
    bar = progress_bar("measuring", quiet=not quiet and sys.stdout.isatty(), lines=not quiet)
    workers = engine(**choices, quiet=quiet)
    return finish(convert_files(files, chosen, workers, bar, manifest=manifest), report, shown)


def _show(outcome: Outcome, verbose: bool) -> None:
    """Print how many samples each step has taken out."""
    show_found(outcome, verbose, _echo_pupil)


def _echo_pupil(outcome: Outcome) -> None:
    counts = outcome.summary["pupil"]["counts"]
    if counts:
        header = ["eye", *next(iter(counts.values()))]
        print_table(header, [[eye, *(f"{n:,}" for n in of.values())] for eye, of in counts.items()])
    click.echo(f"  {outcome.summary['shown']['trials']:,} rows of trials")
