"""gazetrack doctor."""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain
from typing import TYPE_CHECKING

import click

from . import exit_codes
from . import options as opt
from .examples import examples
from .printing import print_json

if TYPE_CHECKING:
    from gazetrack.workflows.doctor.findings import Finding

_MARKS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}
_WIDTH = max(map(len, _MARKS.values()))


@click.command(
    "doctor",
    short_help="Say what is installed, what is wrong, what to do.",
    epilog=examples(
        """
        gazetrack doctor
        # what is wrong alone; the exit code is 1 where anything is
        gazetrack doctor --quiet
        # to put into a report of an error
        gazetrack doctor --json > doctor.json
        """
    ),
)
@opt.json_option
@click.option("-q", "--quiet", is_flag=True, help="Print problems only.")
@opt.debug_option
def command(as_json: bool, quiet: bool) -> int:
    """Say what is installed, where things are kept, what the machine has; and what is wrong.

    Looked at are versions of Python and packages against those that are supported, extras and what
    they would give, third-party readers, folders of compiled kernels, models and temporary files,
    cores, threads, memory, open files and encodings, also within a container or a job of a queue,
    and GPUs as PyTorch sees them. Nothing is changed, and nothing leaves the machine. The exit code
    is 1 where something is wrong; what that is and what to do is said.
    """
    from gazetrack.workflows.doctor.checkup import checkup
    from gradtrack_model.verbs.devices import check_devices

    found: list[Finding] = []
    for finding in chain(checkup(), check_devices()):
        if not as_json:
            _show(finding, found, quiet)
        found.append(finding)
    problems = [finding for finding in found if finding.state == "problem"]
    if as_json:
        print_json({"healthy": not problems, "findings": [asdict(one) for one in found]})
    elif not quiet:
        click.echo(f"\n{len(problems)} problems" if problems else "\nnothing is wrong")
    return exit_codes.SOME_FAILED if problems else exit_codes.DONE


def _show(finding: Finding, before: list[Finding], quiet: bool) -> None:
    """Print a finding, and its section where that begins."""
    if quiet and finding.state != "problem":
        return
    if not quiet and (not before or before[-1].section != finding.section):
        click.echo(finding.section)
    mark = _MARKS[finding.state]
    click.echo(f"  {mark:{_WIDTH}}  {finding.name}: {finding.what}")
    if finding.do:
        click.echo(f"  {'':{_WIDTH}}  → {finding.do}")
