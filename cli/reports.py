"""What became of many inputs: shown one by one, counted, and written as JSON lines."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from . import exit_codes
from .errors import Printing, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from gazetrack.errors import GazetrackError
    from gazetrack.workflows.outcome import Outcome

_collected: ContextVar[Collected | None] = ContextVar("collected", default=None)


@dataclass
class Collected:
    """What commands within a block have done, for a study that calls them.

    Parameters
    ----------
    recordings : int or None
        How many recordings or tables there were; None where no command has told.
    skipped : int
        Files among the inputs that are no recordings.
    errors : list of GazetrackError
        Of those that failed, or were done in part.
    outputs : list of str
        Paths of files that were written, as far as commands tell them.
    planned : int
        How many recordings a dry run would do.
    partial : int
        Of those with an error, how many were done in part.
    """

    recordings: int | None = None
    skipped: int = 0
    errors: list[GazetrackError] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    planned: int = 0
    partial: int = 0

    def add(self, recordings: int, errors: Iterable[GazetrackError]) -> None:
        """Count what one command has done."""
        self.recordings = (self.recordings or 0) + recordings
        self.errors += errors

    def add_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Count what one command has done, input by input."""
        counts = Counter(outcome.status for outcome in outcomes)
        self.skipped += counts["skipped"]
        self.partial += counts["partial"]
        errors = [outcome.error for outcome in outcomes if outcome.error is not None]
        self.add(len(outcomes) - counts["skipped"] - counts["joined"], errors)
        self.outputs += [output["path"] for outcome in outcomes for output in outcome.outputs]


@contextmanager
def collecting() -> Iterator[Collected]:
    """Count what the commands do that are called within the block."""
    found = Collected()
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def collected() -> Collected | None:
    """Return what the block counts that this is called in; None outside of any."""
    return _collected.get()


def of_inputs(errors: Sequence[GazetrackError], n_inputs: int) -> int:
    """Return the exit code of a call with several inputs, and count them for a study.

    Parameters
    ----------
    errors : sequence of GazetrackError
        One for each input that failed.
    n_inputs : int
        Number of all inputs of the call.
    """
    counts = collected()
    if counts is not None:
        counts.add(n_inputs, errors)
    return exit_codes.of_inputs(errors, n_inputs)


def check_report(
    report: Path | None, inputs: Iterable[Path | str], other: Path | None = None
) -> None:
    """Refuse, before any work, to write a report over an input or anything but an older report.

    Parameters
    ----------
    report : pathlib.Path or None
        The report that was asked for, if one was.
    inputs : iterable of pathlib.Path or str
        Files that the command reads, and addresses.
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


def check_manifest(manifest: Path | None, *reports: Path | None) -> None:
    """Refuse a report that would be written over the manifest of the same call."""
    if manifest is not None and manifest.absolute() in [
        report.absolute() for report in reports if report is not None
    ]:
        raise click.UsageError("--manifest and a report are the same file: give them two names")


def finish(
    outcomes: Iterable[Outcome],
    report: Path | None,
    show: Callable[[Outcome], None] | None,
    errors: Path | None = None,
    *,
    verb: str = "converted",
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
    verb : str
        What was done with those that did not fail, for their count.

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
            _echo_counts(done, len(failed), verb)
    from gazetrack.workflows.outcome import write_report

    for path, listed in ((report, done), (errors, failed)):
        if path is not None:
            write_report(path, listed)
    unprinted = printing.end() if show is not None else exit_codes.DONE
    found = [outcome.error for outcome in failed if outcome.error is not None]
    counts = collected()
    if counts is not None:
        counts.add_outcomes(done)
    return exit_codes.of_inputs(found, len(done)) or unprinted


def _echo_counts(done: Sequence[Outcome], n_failed: int, verb: str) -> None:
    """Print how many of several inputs were converted or measured, where it was not all of them."""
    n_skipped = sum(outcome.status == "skipped" for outcome in done)
    n_joined = sum(outcome.status == "joined" for outcome in done)
    if not n_failed and not n_skipped:
        return
    n_converted = len(done) - n_failed - n_skipped - n_joined
    counts = f"{n_converted} {verb}, {n_skipped} skipped, {n_failed} with errors"
    if n_joined:
        counts += f", {n_joined} read with others"
    click.echo(f"of {len(done)} files: {counts}")


def write_results(
    report: Path | None,
    results: Iterable[tuple[Path, GazetrackError | None, Iterable[Path]]],
    notes: Sequence[str] = (),
) -> None:
    """Write a report about images where one is asked for.

    Parameters
    ----------
    report : pathlib.Path or None
        The report that was asked for, if one was.
    results : iterable of (path, GazetrackError or None, iterable of path)
        Each input, its error if it failed, and its outputs.
    notes : sequence of str
        What holds for all of the outputs.
    """
    if report is None:
        return
    from gazetrack.publish import sha256_of
    from gazetrack.workflows.outcome import Outcome, write_report

    outcomes = []
    for file, error, paths in results:
        outputs = [{"path": str(path), "sha256": sha256_of(path)} for path in paths]
        outcome = Outcome(str(file), error=error, format="image", outputs=outputs)
        outcome.notes += notes
        if error is not None:
            outcome.status = "failed"
        if file.is_file():
            outcome.sha256 = sha256_of(file)
        outcomes.append(outcome)
    write_report(report, outcomes)
