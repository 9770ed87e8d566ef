"""gazetrack compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options as opt
from .examples import examples
from .printing import cell, print_json, print_table, without_nan

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.workflows.compare import Agreement

_COLUMNS = {
    "recording": "recording",
    "trial": "trial",
    "stimulus": "stimulus",
    "eyes": "eyes",
    "reference": "A",
    "other": "B",
    "matched": "matched",
    "f1": "F1",
    "f1_iou": "F1 (IoU 0.5)",
    "kappa": "kappa",
    "onset_error_ms": "onset ms",
    "offset_error_ms": "offset ms",
}


@click.command(
    "compare",
    short_help="Say how well two tables of fixations agree.",
    epilog=examples(
        """
        # the export's own fixations, and those that were detected in its samples
        gazetrack compare raw.fixations.parquet raw.auto.fixations.parquet
        # two folders, recording by recording
        gazetrack compare tables detected --json
        """
    ),
)
@click.argument("a", type=opt.FILE, metavar="A")
@click.argument("b", type=opt.FILE, metavar="B")
@opt.json_option
@opt.debug_option
def command(a: Path, b: Path, as_json: bool) -> int:
    """Say how well two tables of fixations of the same recordings agree: A is the reference.

    Fixations are matched one to one by largest overlap, for the second F1 only those that overlap
    by half of their union; onset and offset errors are mean absolute ones of the matched; kappa is
    that of all moments from the first onset to the last offset. Recordings, trials and stimuli are
    compared one by one. A and B may be folders of tables.
    """
    from gazetrack.workflows.compare import compare

    found = compare(a, b)
    if as_json:
        listed = [without_nan(row) for row in found.rows]
        total = without_nan(found.overall)
        print_json({"rows": listed, "overall": total, "left_out": found.left_out})
        return 0
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    _show(found)
    return 0


def _show(found: Agreement) -> None:
    last = {"recording": "all", "trial": "", "stimulus": "", "eyes": ""} | found.overall
    rows = [*found.rows, last]
    # Columns of names that no table has are left out.
    shown = [
        name
        for name in _COLUMNS
        if name not in ("trial", "stimulus") or any(row[name] for row in rows)
    ]
    print_table(
        [_COLUMNS[name] for name in shown],
        [[cell(row[name]) for name in shown] for row in rows],
    )
    if found.taken_for_one is not None:
        ours, theirs = map(cell, found.taken_for_one)
        click.echo(
            f"note: {theirs} of B is compared with {ours} of A, the only recording of each: "
            "are they the same?"
        )
    if found.left_out:
        names = ", ".join(map(cell, found.left_out))
        click.echo(f"note: left out, in one of the tables only: {names}")
