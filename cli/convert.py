"""gazetrack convert."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from . import options as opt
from .dry_run import dry_run
from .engine_options import engine, engine_options, resume_options
from .examples import examples
from .parsing import export_choices
from .participants import participant_options, pseudonyms_of
from .printing import facts_line, print_json
from .progress import progress_bar
from .reports import check_manifest, check_report, finish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gazetrack.workflows.outcome import Outcome


_SHOWN_NOTES = 5
_MOST_CHARS = 4096  # of a path


@click.command(
    "convert",
    short_help="Convert eye-tracker exports to fixation tables.",
    epilog=examples(
        """
        gazetrack convert raw.tsv
        # all below a folder, by four processes, without names of participants
        gazetrack convert exports --recursive -o tables --jobs 4 --participant hash
        # a CSV that no reader knows, on a screen of 24 inches, 65 cm away
        gazetrack convert raw.csv --columns 't=Time[s],x=X,y=Y' \\
          --screen 1920x1080,24in,65cm
        # cut short? the same line goes on; first, what would be done?
        gazetrack convert exports -o tables --manifest study.jsonl --dry-run
        """
    ),
)
@click.argument("files", nargs=-1, required=True, type=opt.PLACE, metavar="FILES|FOLDERS|URLS…")
@click.option(
    "-o",
    "--out",
    type=opt.TABLES_FOLDER,
    metavar="DIR|URL",
    help="Folder for the tables; beside each export by default.",
)
@click.option(
    "--dataset",
    type=opt.TABLES_FOLDER,
    metavar="DIR|URL",
    help="Add the tables to this data set of Parquet, partitioned by participant and recording.",
)
@click.option("--samples", is_flag=True, help="Also write FILE.samples.parquet.")
@click.option(
    "--events",
    is_flag=True,
    help="Also write FILE.events.parquet: fixations, saccades, blinks, messages as exported.",
)
@click.option("--recursive", is_flag=True, help="Of a folder, also convert what lies below it.")
@engine_options
@resume_options
@opt.eye_option
@opt.trial_by_option
@participant_options
@opt.export_options
@opt.force_option
@opt.report_option
@opt.errors_option
@opt.json_option
@opt.verbose_option
@opt.quiet_option
@opt.debug_option
def command(
    files: tuple[Path | str, ...],
    out: Path | str | None,
    dataset: Path | str | None,
    samples: bool,
    events: bool,
    recursive: bool,
    eye: str,
    trial_by: str | None,
    participant: str,
    key: Path,
    force: bool,
    report: Path | None,
    errors: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    manifest: Path | None,
    is_dry_run: bool,
    **choices: Any,
) -> int:
    """Convert eye-tracker exports to fixation tables.

    Writes FILE.fixations.parquet beside each FILE, readable with pandas.read_parquet; of a folder,
    every export in it is converted. Fixations are the tracker's own where the export has any;
    otherwise they are detected in the samples. The format is found by content, not by name.
    """
    from gazetrack.workflows.convert import convert_files
    from gazetrack.workflows.convert_options import ConvertOptions

    exports = export_choices(choices)  # refused before a key is made
    pseudonyms = pseudonyms_of(participant, key, choices)
    check_report(report, (*files, key))
    check_report(errors, (*files, key), report)
    chosen = ConvertOptions(
        **exports,
        recursive=recursive,
        out=out,
        dataset=dataset,
        samples=samples,
        events=events,
        force=force,
        eye=eye,
        trial_by=trial_by,
        pseudonyms=pseudonyms,
    )
    check_manifest(manifest, report, errors)
    if is_dry_run:
        return dry_run(files, chosen, manifest, choices["cluster"], as_json=as_json)
    # Where the terminal shows what was found in each file, that is the progress.
    shown_one_by_one = not as_json and not quiet and sys.stdout.isatty()
    bar = progress_bar("converting", quiet=shown_one_by_one, lines=not quiet)
    workers = engine(**choices, quiet=quiet)
    outcomes = convert_files(files, chosen, workers, bar, manifest=manifest)
    if as_json:
        return finish(outcomes, report, _print_json, errors)
    shown = None if quiet else partial(show, verbose=verbose)
    return finish(outcomes, report, shown, errors)


def _print_json(outcome: Outcome) -> None:
    print_json(outcome.as_json() | {"found": outcome.summary})


def show(outcome: Outcome, verbose: bool) -> None:
    """Print what was found in an export and where its table went."""
    show_found(outcome, verbose, _echo_fixations)


def show_found(outcome: Outcome, verbose: bool, echo: Callable[[Outcome], None]) -> None:
    """Print what was read of an export, what was made of it, and where its tables went.

    Parameters
    ----------
    outcome : Outcome
        Of an input that did not fail.
    verbose : bool
        Whether to print all notes, and what was skipped.
    echo : callable
        Prints what was made of it.
    """
    if outcome.status == "skipped":
        if verbose:
            click.echo(f"skipped {outcome.notes[0]}")
        return
    from gazetrack.errors import quote

    if outcome.status == "joined":
        click.echo(f"{quote(outcome.file, _MOST_CHARS)}: {outcome.notes[0]}")
        return
    found = outcome.summary
    name = quote(outcome.file, _MOST_CHARS)
    click.echo(f"{name}: {found['format']} ({found['confidence']}: {found['reason']})")
    click.echo(f"  {facts_line(found)}")
    echo(outcome)
    for reason, count in outcome.dropped.items():
        click.echo(f"  not used: {count:,} rows, {reason}")
    for reason, count in outcome.left_out.items():
        click.echo(f"  left out: {count:,} fixations, {reason}")
    shown = outcome.notes if verbose else outcome.notes[:_SHOWN_NOTES]
    for note in shown:
        click.echo(f"  note: {note}")
    if len(shown) < len(outcome.notes):
        click.echo(f"  and {len(outcome.notes) - len(shown)} more notes (-v shows them)")
    # Of a recording that a manifest knows, the tables lie there already.
    done = "unchanged:" if found.get("unchanged") else "wrote"
    for output in outcome.outputs:
        click.echo(f"  {done} {output['path']} ({output['rows']:,} rows)")


def _echo_fixations(outcome: Outcome) -> None:
    """Print where the fixations come from."""
    found = outcome.summary
    detector = found.get("detector")
    if detector is None:
        click.echo(f"  fixations: the export's own{_whose(found['fixation_eye'])}")
    else:
        assumed = detector["px_per_deg_assumed"]
        scale = " (size or distance of the screen unknown: taken as 45 deg wide)" if assumed else ""
        click.echo(f"  fixations: detected by {detector['name']}{scale}")


def _whose(fixation_eye: Mapping[str, str]) -> str:
    """Return whose fixations a table holds, where it is not those of both eyes together."""
    held = fixation_eye["held"]
    if fixation_eye["rows"].endswith("eye"):
        return f", a row of each eye: {held}"
    return f", of the {held} eye" if held in ("left", "right") else ""
