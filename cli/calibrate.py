"""gradtrack-calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from . import completing, exit_codes
from . import options as opt
from .examples import examples
from .printing import print_json
from .progress import progress_bar

if TYPE_CHECKING:
    from gradtrack_model.evaluation.temperature import Temperature


@click.command(
    "calibrate",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-calibrate images masks --weights runs/gradtrack
        gradtrack-predict new-images --probabilities --calibrated
        # of the network that comes with the package, on images of your own
        gradtrack-calibrate polyps masks --weights kvasir-lite --tta \\
          --ids val.txt -o kvasir-lite.temperature.json
        """
    ),
)
@click.argument("images", type=opt.FILE)
@click.argument("masks", type=opt.FILE)
@click.option(
    "--weights",
    type=opt.FILE,
    multiple=True,
    default=(Path("runs/gradtrack"),),
    show_default="runs/gradtrack",
    metavar="RUN|FILE|NAME",
    shell_complete=completing.networks,
    help="Run folder, .safetensors file, or a released network; of several, their mean.",
)
@click.option(
    "--ids",
    type=opt.FILE,
    metavar="FILE",
    show_default="the run's validation images",
    help="Image ids, one a line: fit it on these.",
)
@click.option("--tta", is_flag=True, help="Fit it for the mean over the four flips of an image.")
@opt.image_size
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    metavar="FILE",
    show_default="beside the weights",
    help="The JSON file to write.",
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Images at once."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute.",
)
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(
    images: Path,
    masks: Path,
    weights: tuple[Path, ...],
    ids: Path | None,
    tta: bool,
    image_size: int | None,
    out: Path | None,
    batch_size: int,
    device: str,
    quiet: bool,
    as_json: bool,
) -> int:
    """Fit a network's temperature on validation IMAGES and their MASKS.

    It makes probabilities what they say: all logits are divided by one number, and no mask
    changes. Several classes have one number together. Images that were trained on, or are kept for
    testing, are refused as far as the run says which these are; and so is the temperature, later,
    on the images that it was fitted on.
    """
    from gradtrack_model.verbs.calibrate import calibrate

    found, path = calibrate(
        list(weights),
        images,
        masks,
        ids=ids,
        out=out,
        tta=tta,
        image_size=image_size,
        batch_size=batch_size,
        device=device,
        progress=progress_bar("predicting", quiet),
    )
    if as_json:
        facts = {"path": str(path), "temperature": found.value, "images": len(found.images)}
        print_json(facts | found.measured)
    elif not quiet:
        _show(found, path)
    return exit_codes.DONE


def _show(found: Temperature, path: Path) -> None:
    click.echo(f"temperature {found.value:.3f}, of {len(found.images)} images")
    measured = found.measured
    for key, what in (
        ("nll", "negative log-likelihood"),
        ("ece", "expected calibration error"),
        ("class_ece", "the same of each class"),
    ):
        if f"{key}_before" in measured:
            before, after = measured[f"{key}_before"], measured[f"{key}_after"]
            click.echo(f"  {what:<26}  {before:.4f} → {after:.4f}")
    if measured:
        click.echo("  [after: each half of the images with what was fitted on the other half]")
    click.echo(f"  wrote {path}")
