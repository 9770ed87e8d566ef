"""gazetrack report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazetrack.events.detectors import DEFAULT, DETECTORS

from . import completing
from . import options as opt
from .engine_options import engine, engine_options
from .examples import examples
from .parameters import parse_detector, parse_preparation
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .progress import progress_bar
from .reports import finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from gazetrack.workflows.report import Report

    F = TypeVar("F", bound=Callable[..., Any])

_LIMITS = (
    ("--max-loss", "max_loss_percent", "PERCENT", "Flag where more samples are without gaze."),
    ("--max-gap", "max_gap_ms", "MS", "Flag where gaze is missing for longer at a time."),
    ("--max-rms", "max_rms_deg", "DEGREES", "Flag where RMS-S2S within fixations is larger."),
    ("--max-std", "max_std_deg", "DEGREES", "Flag where STD within fixations is larger."),
    ("--min-rate", "min_rate_hz", "HZ", "Flag where fewer samples a second have gaze."),
)


def _threshold_options(command: F) -> F:
    """Add the options of what quality is judged by."""
    fewest = click.option(
        "--min-fixations",
        type=click.IntRange(0),
        metavar="N",
        help="Flag trials with fewer fixations.",
    )
    command = fewest(command)
    for name, parameter, unit, help_ in reversed(_LIMITS):
        kind = click.FloatRange(0)
        command = click.option(name, parameter, type=kind, metavar=unit, help=help_)(command)
    return command


@click.command(
    "report",
    short_help="Write one page about recordings, to look at.",
    epilog=examples(
        """
        gazetrack report exports --images images --max-loss 20
        gazetrack report exports --max-rms 0.5 --screen 1920x1080,24in,65cm
        # of tables, with the maps that were rendered of them, and without names
        gazetrack report tables --maps maps --participant hash -o study.html
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option("--recursive", is_flag=True, help="Of a folder, also take what lies below it.")
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="The page to be written.",
)
@click.option("--title", default="", metavar="TEXT", help="Title of the page.")
@click.option(
    "--images", type=opt.FILE, metavar="DIR", help="Folder of the images, shown behind the gaze."
)
@click.option(
    "--placement",
    metavar="RULE",
    shell_complete=completing.placements,
    help="Where images lay whose exports do not say: centre, fit, stretch or X,Y,WIDTH,HEIGHT.",
)
@click.option(
    "--maps",
    type=opt.FILE,
    metavar="FILE|DIR",
    help="Maps of gazetrack render, shown over the images.",
)
@_threshold_options
@click.option(
    "--detector",
    type=click.Choice(list(DETECTORS)),
    help="Detect fixations anew, also where the export has its own.",
)
@opt.detector_settings_option
@opt.prepare_option
@engine_options
@opt.eye_option
@opt.trial_by_option
@participant_options
@opt.export_options
@opt.force_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    out: Path,
    detector: str | None,
    settings: tuple[str, ...],
    preparations: tuple[str, ...],
    participant: str,
    key: Path,
    force: bool,
    quiet: bool,
    jobs: int | None,
    cluster: str | None,
    retries: int,
    **choices: Any,
) -> int:
    """Write one page about recordings: their source, their quality, and what was looked at.

    The page needs no network and no other file. Of every recording it shows the source and its
    digest, quality against the limits you set, events, each trial's scanpath over its image, and
    what was left out and why. Inputs are exports, and tables of gazetrack; one that cannot be read
    is a row of the page.
    """
    from gazetrack.workflows.report import report_files
    from gazetrack.workflows.reporting.options import ReportOptions
    from gazetrack.workflows.reporting.thresholds import Thresholds

    limits = {name: choices.pop(name) for _, name, _, _ in _LIMITS}
    thresholds = Thresholds(**limits, min_fixations=choices.pop("min_fixations"))
    options = ReportOptions(
        **export_choices(choices),
        thresholds=thresholds,
        detector=parse_detector(detector or DEFAULT, settings) if detector or settings else None,
        preparation=parse_preparation(preparations),
        pseudonyms=pseudonyms_of(participant, key, choices),
        **choices,
    )
    workers = engine(jobs, cluster, retries, quiet=quiet)
    bar = progress_bar("reading", quiet=quiet)
    report = report_files(files, options, out, jobs=workers, progress=bar, force=force)
    if not quiet:
        _show(report)
    return finish(report.outcomes, None, None)


def _show(report: Report) -> None:
    """Print where the page is and what it shows."""
    size = report.path.stat().st_size / 1e6
    n_failed = sum(outcome.status == "failed" for outcome in report.outcomes)
    shown = f"{report.n_recordings:,} recordings, {report.n_trials:,} trials"
    failed = f", {n_failed} not read" if n_failed else ""
    click.echo(f"wrote {report.path} ({shown}{failed}; {size:.1f} MB)")
    if report.n_missing_images:
        click.echo(f"note: {report.n_missing_images} stimuli have no image in the folder of images")
