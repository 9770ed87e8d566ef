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
    from collections.abc import Sequence

    from gradtrack_model.evaluation.class_evaluation import ClassEvaluation
    from gradtrack_model.evaluation.evaluate import Evaluation

_SHOWN_IDS = 5


@click.command(
    "evaluate",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-evaluate predictions masks
        gradtrack-evaluate predictions masks --html
        # the test images alone, and the paired difference from another run
        gradtrack-evaluate predictions masks --ids test.txt \\
          --against another/evaluation.csv -o evaluation
        # masks that are pictures, as volumes: the images tell where slices lie
        gradtrack-evaluate predictions masks --images images
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
    "--classes",
    metavar="NAME,…",
    show_default="as the network records",
    help="Masks are label images, 1 for the first of these classes and so on.",
)
@click.option(
    "--against",
    type=opt.FILE,
    metavar="CSV",
    help="evaluation.csv of another run: the paired difference in Dice.",
)
@click.option(
    "--images",
    type=opt.FILE,
    metavar="DIR",
    help="The images: their headers tell spacing and slices of masks that tell none.",
)
@click.option(
    "--tolerance-mm",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    metavar="MM",
    help="Surface Dice: this far apart is agreement, where files tell the size of voxels.",
)
@click.option(
    "--tolerance-px",
    type=click.FloatRange(min=0),
    default=2.0,
    show_default=True,
    metavar="PX",
    help="Surface Dice: the same in pixels, of any image.",
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
@click.option(
    "--html",
    is_flag=True,
    help="Also write report.html there: measures, reliability diagram, referral curve.",
)
@opt.report_option
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(
    predictions: Path,
    masks: Path,
    ids: Path | None,
    classes: str | None,
    against: Path | None,
    images: Path | None,
    tolerance_mm: float,
    tolerance_px: float,
    out: Path,
    html: bool,
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Compare PREDICTIONS with MASKS, matched by file stem.

    Measured are Dice, IoU, precision, recall, HD95, ASD and surface Dice of every image, and of
    every mask file of several slices as a volume, in mm where the file tells the size of its
    voxels. A DICOM series of one file a slice is a volume, too, as masks or as --images. Every
    mask, or every image of --ids, must have its prediction; otherwise the exit code is 1 and the
    summary says how many were compared. Foreground is gray above 127 of a picture, and what is
    above 0 of NIfTI, NRRD and DICOM. With both masks empty an image counts 1, with one empty 0.

    Label images of several classes are compared class by class and image by image: Dice, IoU,
    precision, recall, HD95 and ASD in pixels, the last two also in mm where their files tell the
    size of a pixel. There are no volumes of them.
    """
    from gradtrack_model.evaluation.class_evaluation import classes_of_folder, evaluate_classes
    from gradtrack_model.evaluation.volume_scores import Tolerances
    from gradtrack_model.verbs.evaluate import evaluate

    check_report(report, _inputs([predictions, masks, *([images] if images else [])], ids))
    bar = progress_bar("evaluating", quiet)
    if names := tuple(classes.split(",")) if classes else classes_of_folder(predictions):
        if against is not None or html or images is not None:
            what = "--against, --images and --html are for masks of one class so far"
            raise click.UsageError(what)
        _refuse_tolerances()
        _tell_what_is_not_read(predictions)
        of_classes = evaluate_classes(predictions, masks, out, names, ids=ids, progress=bar)
        return _told(of_classes, predictions, report, None if quiet or as_json else out, as_json)
    result = evaluate(
        predictions,
        masks,
        out=out,
        ids=ids,
        against=against,
        images=images,
        tolerances=Tolerances(mm=tolerance_mm, px=tolerance_px),
        html=html,
        progress=bar,
    )
    write_results(report, [(predictions / f"{s.image_id}.png", s.error, ()) for s in result.scores])
    _show_problems(result)
    if as_json:
        print_json(result.summary())
    elif not quiet:
        _show(result, out, html)
    return exit_codes.DONE if result.complete else exit_codes.SOME_FAILED


def _refuse_tolerances() -> None:
    """Refuse tolerances of a surface Dice that classes do not have."""
    context = click.get_current_context()
    for name in ("tolerance_mm", "tolerance_px"):
        if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
            option = f"--{name.replace('_', '-')}"
            what = f"{option} is for masks of one class so far: classes have no surface Dice"
            raise click.UsageError(what)


def _tell_what_is_not_read(predictions: Path) -> None:
    """Say that what predictions of several classes tell of how sure they are is not measured."""
    from gradtrack_model.evaluation.uncertainty import PROBABILITIES, UNCERTAINTY_FILE

    places = (UNCERTAINTY_FILE, PROBABILITIES)
    if left := [name for name in places if (predictions / name).exists()]:
        what = "the referral curve and the calibration error are for one class so far"
        click.echo(f"note: {' and '.join(left)} not looked at: {what}", err=True)


def _inputs(folders: Sequence[Path], ids: Path | None) -> list[Path]:
    """Return all files that are read, which a report must not replace."""
    from gradtrack_model.data.image_files import find_images

    files = [image.file for folder in folders for image in find_images(folder).values()]
    return files if ids is None else [*files, ids]


def _told(
    result: ClassEvaluation, predictions: Path, report: Path | None, out: Path | None, as_json: bool
) -> int:
    """Tell the results of several classes, in words where there is `out`; return the exit code."""
    write_results(report, [(predictions / f"{s.image_id}.png", s.error, ()) for s in result.scores])
    _show_problems(result)
    summary = result.summary()
    if as_json:
        print_json(summary)
    if out is not None:
        click.echo(f"{summary['n']} of {summary['n_wanted']} images, {len(result.names)} classes")
        for name, facts in summary["classes"].items():
            click.echo(f"{name}: {facts['n']} images count")
            for key, found in facts.items():
                _show_measure(key, found if isinstance(found, dict) else None)
        means = summary["mean_over_classes"]
        shown = ", ".join(f"{key} {mean:.4f}" for key, mean in means.items() if mean is not None)
        click.echo(f"mean over classes: {shown}")
        click.echo("  [95 % bootstrap interval of the mean over images]")
        click.echo(f"  an image counts for a class {summary['empty_classes']}")
        click.echo(f"  wrote {out}/evaluation.csv and {out}/summary.json")
    return exit_codes.DONE if result.complete else exit_codes.SOME_FAILED


def _show_problems(result: Evaluation | ClassEvaluation) -> None:
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


def _show_measure(name: str, found: dict[str, Any] | None) -> None:
    """Print a line of what is known of a measure, if anything is."""
    if found is None or "mean" not in found:
        return
    is_distance = name.startswith(("hd95", "asd"))
    digits = 2 if name.endswith("_mm") and is_distance else 1 if is_distance else 4
    mean = f"{found['mean']:.{digits}f}"
    low, high = (f"{end:.{digits}f}" for end in found["interval"])
    spread = [f"{key} {found[key]:.{digits}f}" for key in ("std", "median", "min", "max")]
    empty = found.get("n_empty", 0)
    note = f"  ({empty} without: a mask is empty)" if empty else ""
    click.echo(f"  {name:<9} {mean} [{low}, {high}]  {'  '.join(spread)}{note}")


def _show_volumes(volumes: dict[str, Any]) -> None:
    """Print the measures of whole volumes, and which of them are not whole."""
    click.echo(f"{volumes['n']} volumes")
    for name, found in volumes.items():
        if isinstance(found, dict) and name not in ("slices_missing", "refused"):
            _show_measure(name, found)
    missing = volumes["slices_missing"]
    if missing:
        shown = ", ".join(f"{name} ({n})" for name, n in list(missing.items())[:_SHOWN_IDS])
        more = f" and {len(missing) - _SHOWN_IDS} more" if len(missing) > _SHOWN_IDS else ""
        click.echo(f"  not as volumes, for slices without a result: {shown}{more}")
    for why in list(volumes.get("refused", {}).values())[:_SHOWN_IDS]:
        click.echo(f"  no volume: {why}")


def _show(result: Evaluation, out: Path, html: bool) -> None:
    from gradtrack_model.evaluation.evaluate import MEASURES

    summary = result.summary()
    click.echo(f"{summary['n']} of {summary['n_wanted']} images")
    for name in (*MEASURES.values(), *result.surfaces_known()):
        _show_measure(name, summary[name])
    if "volumes" in summary:
        _show_volumes(summary["volumes"])
    paired = summary.get("against")
    if paired is not None:
        low, high = paired["interval"]
        difference = f"{paired['difference']:+.4f} [{low:+.4f}, {high:+.4f}], p = {paired['p']:.2g}"
        click.echo(f"  dice from {paired['file']}: {difference} (Wilcoxon, {paired['n']} images)")
    _show_certainty(summary)
    click.echo("  [95 % bootstrap interval of the mean over images]")
    click.echo(f"  an image counts {summary['empty_masks']}")
    volumes = f", {out}/volumes.csv" if result.volumes else ""
    page = f", {out}/report.html" if html else ""
    click.echo(f"  wrote {out}/evaluation.csv{volumes} and {out}/summary.json{page}")
