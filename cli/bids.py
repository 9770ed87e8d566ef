"""gazetrack bids."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .engine_options import engine, engine_options
from .examples import examples
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .progress import progress_bar
from .reports import check_report, finish

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.workflows.outcome import Outcome

_SHOWN_NOTES = 3


@click.command(
    "bids",
    short_help="Write exports as a BIDS eye-tracking data set.",
    epilog=examples(
        """
        gazetrack bids exports -o dataset --task look
        # BIDS wants to know the screen: pixels, size, and how far away it was
        gazetrack bids *.tsv -o dataset --screen 1920x1080,531x299mm,650mm
        # which part of a name is the subject, and what is known of them
        gazetrack bids exports -o dataset --rules rules.toml \\
          --participants participants.tsv
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="EXPORTS|FOLDERS|URLS…")
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    required=True,
    metavar="DATASET",
    help="Folder of the data set: a new or an empty one.",
)
@click.option("--recursive", is_flag=True, help="Of a folder, also take what lies below it.")
@click.option(
    "--task",
    default="gaze",
    show_default=True,
    metavar="LABEL",
    help="Task of the recordings whose names do not say it by --rules.",
)
@click.option(
    "--participants",
    type=opt.FILE,
    metavar="TABLE",
    help="Table with a column participant_id, whose other columns are taken over.",
)
@click.option(
    "--rules",
    type=opt.FILE,
    metavar="TOML",
    help="Which part of a name is subject, session, task, run; see docs/bids.md.",
)
@click.option(
    "--derivatives/--no-derivatives",
    default=True,
    show_default=True,
    help="Also write fixations and data quality, below derivatives/gazetrack.",
)
@click.option(
    "--force", is_flag=True, help="Replace a data set, where gazetrack has written all of it."
)
@engine_options
@participant_options
@opt.eye_option
@opt.export_options
@opt.report_option
@opt.verbose_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    out: Path,
    participant: str,
    key: Path,
    report: Path | None,
    verbose: bool,
    quiet: bool,
    jobs: int | None,
    cluster: str | None,
    retries: int,
    **choices: Any,
) -> int:
    """Write exports as a data set of BIDS 1.11 eye tracking.

    Each eye gets its samples and the tracker's events, with what they mean in JSON; beside them
    stands what was shown when, and on which screen. The data set appears when all of it is
    written, and passes the BIDS validator.
    """
    from gazetrack.workflows.bids.write import BidsOptions, write_bids_files

    chosen = BidsOptions(
        out=out,
        **export_choices(choices),
        pseudonyms=pseudonyms_of(participant, key, choices),
        **choices,
    )
    check_report(report, (*files, key))
    workers = engine(jobs, cluster, retries, quiet=quiet)
    bar = progress_bar("writing", quiet=quiet)
    outcomes = write_bids_files(files, chosen, workers, bar)
    shown = None if quiet else partial(_show, verbose=verbose)
    code = finish(outcomes, report, shown, verb="written")
    if not quiet and any(outcome.outputs for outcome in outcomes):
        click.echo(f"wrote the data set {out}; to check it: bids-validator-deno {out} --recursive")
    return code


def _show(outcome: Outcome, verbose: bool) -> None:
    """Print what was written of an export."""
    from gazetrack.errors import quote

    if outcome.status in ("skipped", "joined"):
        if verbose:
            click.echo(f"{outcome.status} {quote(outcome.file, 400)}: {outcome.notes[0]}")
        return
    gaze = [entry for entry in outcome.outputs if entry["path"].endswith("_physio.tsv.gz")]
    click.echo(f"{quote(outcome.file, 400)}: {outcome.format}")
    for entry in gaze:
        click.echo(f"  {entry['path']} ({entry['rows']:,} samples)")
    shown = outcome.notes if verbose else outcome.notes[:_SHOWN_NOTES]
    for note in shown:
        click.echo(f"  note: {note}")
    if len(shown) < len(outcome.notes):
        click.echo(f"  and {len(outcome.notes) - len(shown)} more notes (-v shows them)")
