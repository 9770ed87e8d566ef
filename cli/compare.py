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

    Fixations are matched one to one by largest overlap, for the second F1 only those that overlap by half of their
    union; onset and offset errors are mean absolute ones of the matched; kappa is that of every millisecond.
    """
    from gazetrack.comparison import compare_fixations, overall
    from gazetrack.store import read_fixations

    rows = compare_fixations(read_fixations(a)[0], read_fixations(b)[0])
    total = overall(rows)
    if as_json:
        opt.print_json({"rows": [opt.without_nan(row) for row in rows], "overall": opt.without_nan(total)})
        return 0
    listed = [*rows, {"recording": "all", "trial": "", "eyes": ""} | total]
    shown = [name for name in _COLUMNS if name != "trial" or any(row["trial"] for row in rows)]
    opt.print_table([_COLUMNS[name] for name in shown], [[opt.cell(row[name]) for name in shown] for row in listed])
    return 0
