"""gazetrack scrub-check."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from gazetrack.errors import quote

from . import options as opt
from .errors import say
from .examples import examples
from .exit_codes import DONE, SOME_FAILED
from .printing import print_json
from .progress import progress_bar

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.workflows.scrubbing.check import Finding, ScrubReport

_PLACE_CHARS = 240


@click.command(
    "scrub-check",
    short_help="Look for names that must not be in a folder.",
    epilog=examples(
        """
        gazetrack scrub-check tables --tokens names.txt
        # names, addresses and dates of birth, one a line
        gazetrack scrub-check study-for-sharing --tokens names.txt --jobs 4
        gazetrack scrub-check bids --tokens names.txt --json
        """
    ),
)
@click.argument("folder", type=opt.FILE, metavar="DIR")
@click.option(
    "--tokens",
    type=opt.FILE,
    required=True,
    metavar="FILE",
    help="What must not be there, one a line in UTF-8; lies outside DIR.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes to work with.",
)
@opt.json_option
@opt.quiet_option
@opt.debug_option
def command(folder: Path, tokens: Path, jobs: int, as_json: bool, quiet: bool) -> int:
    """Look for names in all files below DIR, whoever wrote them: exit 0 where there are none.

    Each token is looked for in any case, composed or not, in UTF-8, UTF-16 and latin-1, escaped as
    in HTML, JSON and addresses, and as its plain md5, sha1, sha256 or sha512; in names of files, in
    text, in columns and metadata of Parquet, in gzip, bzip2, xz, zstd, zip, XLSX, PNG, DICOM,
    NIfTI, PDF, and base64. What is found is told by its file, its place and the line of the token,
    which itself is never printed. What is drawn in a picture is not read; what cannot be looked
    into is named, and the exit code is 1 as well.
    """
    from gazetrack.workflows.scrubbing.check import scrub_check

    bar = progress_bar("searching", quiet or as_json)
    report = scrub_check(folder, tokens, jobs=jobs, progress=bar)
    for error in report.errors:
        say("gazetrack", error)
    if as_json:
        print_json(_as_json_object(report))
    else:
        _print(report, quiet=quiet)
    return SOME_FAILED if report.findings or report.errors else DONE


def _print(report: ScrubReport, *, quiet: bool) -> None:
    for finding in report.findings:
        click.echo(_line(finding))
    if quiet:
        return
    searched = f"searched {report.n_files:,} files for {report.n_tokens:,} tokens"
    n_tokens = len({finding.line for finding in report.findings})
    n_files = len({finding.file for finding in report.findings})
    found = f"found {n_tokens:,} of them, in {n_files:,} files" if n_tokens else "found none"
    left = f"; {len(report.errors):,} could not be looked into" if report.errors else ""
    click.echo(f"{searched}: {found}{left}")


def _line(finding: Finding) -> str:
    form = f", as {finding.form}" if finding.form else ""
    place = quote(f"{finding.file}: {finding.place}", _PLACE_CHARS)
    return f"{place}: token {finding.line}{form}"


def _as_json_object(report: ScrubReport) -> dict[str, object]:
    return {
        "files": report.n_files,
        "tokens": report.n_tokens,
        "found": [asdict(finding) for finding in report.findings],
        "not_searched": [error.whole() for error in report.errors],
    }
