"""gazetrack compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from . import options as opt

if TYPE_CHECKING:
    from pathlib import Path

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


@click.command("compare", short_help="Say how well two tables of fixations agree.")
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
    from gazetrack.events.compare import compare_fixations, joined, left_out, overall, taken_for_one
    from gazetrack.tables.store import read_fixations

    tables = [
        joined([read_fixations(path)[0] for path in opt.tables_among([side], as_json)])
        for side in (a, b)
    ]
    rows, alone = compare_fixations(*tables), left_out(*tables)
    total = overall(rows)
    if as_json:
        listed = [opt.without_nan(row) for row in rows]
        opt.print_json({"rows": listed, "overall": opt.without_nan(total), "left_out": alone})
        return 0
    rows.append({"recording": "all", "trial": "", "stimulus": "", "eyes": ""} | total)
    shown = [
        name
        for name in _COLUMNS
        if name not in ("trial", "stimulus") or any(row[name] for row in rows)
    ]
    opt.print_table(
        [_COLUMNS[name] for name in shown],
        [[opt.cell(row[name]) for name in shown] for row in rows],
    )
    if pair := taken_for_one(*tables):
        ours, theirs = map(opt.cell, pair)
        click.echo(
            f"note: {theirs} of B is compared with {ours} of A, the only recording of each: are they the same?"
        )
    if alone:
        click.echo(f"note: left out, in one of the tables only: {', '.join(map(opt.cell, alone))}")
    return 0
