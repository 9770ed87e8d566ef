"""gradtrack-evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import exit_codes
from . import options as opt
from .errors import say
from .examples import examples
from .printing import print_json
from .progress import progress_bar
from .reports import check_report, write_results

if TYPE_CHECKING:
    from gradtrack_model.evaluation.evaluate import Evaluation

_SHOWN_IDS = 5


@click.command(
    "evaluate",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-evaluate predictions masks
        # the test images alone, and the paired difference from another run
        gradtrack-evaluate predictions masks --ids test.txt \\
          --against another/evaluation.csv -o evaluation
        """
    ),
)
@click.argument("predictions", type=opt.FILE)
@click.argument("masks", type=opt.FILE)
@click.option(
    "--ids",
    type=opt.FILE,
    metavar="FILE",
    help="Image ids, one a line: only these count, and all must be there.",
)
@click.option(
    "--against",
    type=opt.FILE,
    metavar="CSV",
    help="evaluation.csv of another run: the paired difference in Dice.",
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
    predictions: Path,
    masks: Path,
    ids: Path | None,
    against: Path | None,
    out: Path,
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Compare PREDICTIONS with MASKS, matched by file stem.

    Measured are Dice, IoU, precision, recall, HD95 and ASD of every image. Every mask, or every
    image of --ids, must have its prediction; otherwise the exit code is 1 and the summary says
    how many were compared. Gray above 127 is foreground. With both masks empty an image counts
    1, with one empty 0.
    """
    from gradtrack_model.data.image_files import find_images
    from gradtrack_model.evaluation.evaluate import evaluate_folder

    images = [*find_images(predictions).values(), *find_images(masks).values()]
    inputs = [image.file for image in images] + ([ids] if ids else [])
    check_report(report, inputs)
    bar = progress_bar("evaluating", quiet)
    result = evaluate_folder(predictions, masks, out, ids, against, progress=bar)
    write_results(report, [(predictions / f"{s.image_id}.png", s.error, ()) for s in result.scores])
    _show_problems(result)
    if as_json:
        print_json(result.summary())
    elif not quiet:
        _show(result, out)
    return exit_codes.DONE if result.complete else exit_codes.SOME_FAILED


def _show_problems(result: Evaluation) -> None:
    for score in result.scores:
        if score.error is not None:
            say("gradtrack-evaluate", score.error)
    for what, ids in (("prediction", result.without_prediction), ("mask", result.without_mask)):
        if ids:
            shown = ", ".join(map(repr, ids[:_SHOWN_IDS]))
            if len(ids) > _SHOWN_IDS:
                shown += f" and {len(ids) - _SHOWN_IDS} more"
            click.echo(f"note: no {what} of {len(ids)} images: {shown}", err=True)


def _show_certainty(summary: dict[str, Any]) -> None:
    """Print what uncertainties and probabilities are good for, where there are any."""
    referral = summary.get("referral")
    if referral is not None:
        shown = [line for line in referral["curve"] if line["referred"] in (0, 0.1, 0.2, 0.5)]
        curve = ", ".join(f"{line['referred']:.0%}: {line['dice']:.4f}" for line in shown)
        click.echo(f"  dice when the most uncertain are referred: {curve}")
    calibration = summary.get("calibration")
    if calibration is not None:
        what = f"of {calibration['images']} images"
        click.echo(f"  expected calibration error  {calibration['ece']:.4f} ({what})")


def _show(result: Evaluation, out: Path) -> None:
    from gradtrack_model.evaluation.evaluate import MEASURES

    summary = result.summary()
    click.echo(f"{summary['n']} of {summary['n_wanted']} images")
    for name in MEASURES.values():
        found = summary[name]
        if found is None:
            continue
        digits = 1 if name.endswith("_px") else 4
        mean = f"{found['mean']:.{digits}f}"
        low, high = (f"{end:.{digits}f}" for end in found["interval"])
        spread = [f"{key} {found[key]:.{digits}f}" for key in ("std", "median", "min", "max")]
        click.echo(f"  {name:<9} {mean} [{low}, {high}]  {'  '.join(spread)}")
    paired = summary.get("against")
    if paired is not None:
        low, high = paired["interval"]
        difference = f"{paired['difference']:+.4f} [{low:+.4f}, {high:+.4f}], p = {paired['p']:.2g}"
        click.echo(f"  dice from {paired['file']}: {difference} (Wilcoxon, {paired['n']} images)")
    _show_certainty(summary)
    click.echo("  [95 % bootstrap interval of the mean over images]")
    click.echo(f"  an image counts {summary['empty_masks']}")
    click.echo(f"  wrote {out}/evaluation.csv and {out}/summary.json")
