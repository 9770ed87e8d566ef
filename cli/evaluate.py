"""gradtrack-evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import options as opt
from .errors import say

if TYPE_CHECKING:
    from gradtrack_model.evaluate import Evaluation

_SHOWN_IDS = 5


@click.command("evaluate", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("predictions", type=opt.FILE)
@click.argument("masks", type=opt.FILE)
@click.option(
    "--ids", type=opt.FILE, metavar="FILE", help="Image ids, one a line: only these count, and all must be there."
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("evaluation"),
    show_default=True,
    metavar="DIR",
    help="Folder for evaluation.csv and summary.json.",
)
@opt.report_option
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(
    predictions: Path, masks: Path, ids: Path | None, out: Path, report: Path | None, quiet: bool, as_json: bool
) -> int:
    """Compare PREDICTIONS with MASKS, matched by file stem: Dice and IoU of every image.

    Every mask, or every image of --ids, must have its prediction; otherwise the exit code is 1 and the summary says
    how many were compared. Gray above 127 is foreground. With both masks empty an image counts 1, with one empty 0.
    """
    from gradtrack_model.data import find_images
    from gradtrack_model.evaluate import evaluate_folder

    inputs = [*find_images(predictions).values(), *find_images(masks).values(), *([ids] if ids else [])]
    opt.check_report(report, inputs)
    result = evaluate_folder(predictions, masks, out, ids)
    opt.write_results(report, [(predictions / f"{s.image_id}.png", s.error, ()) for s in result.scores])
    _show_problems(result)
    if as_json:
        opt.print_json(result.summary())
    elif not quiet:
        _show(result, out)
    return 0 if result.complete else 1


def _show_problems(result: Evaluation) -> None:
    for score in result.scores:
        if score.error is not None:
            say("gradtrack-evaluate", score.error)
    for what, ids in (("prediction", result.without_prediction), ("mask", result.without_mask)):
        if ids:
            more = "" if len(ids) <= _SHOWN_IDS else f" and {len(ids) - _SHOWN_IDS} more"
            click.echo(
                f"note: no {what} of {len(ids)} images: {', '.join(map(repr, ids[:_SHOWN_IDS]))}{more}", err=True
            )


def _show(result: Evaluation, out: Path) -> None:
    summary = result.summary()
    click.echo(f"{summary['n']} of {summary['n_wanted']} images")
    for name, title in (("dice", "Dice"), ("iou", "IoU")):
        if summary[name] is not None:
            values = "  ".join(f"{key} {value:.4f}" for key, value in summary[name].items())
            click.echo(f"  {title:<5} {values}")
    click.echo(f"  an image counts {summary['empty_masks']}")
    click.echo(f"  wrote {out}/evaluation.csv and {out}/summary.json")
