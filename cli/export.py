"""gradtrack-export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from . import completing
from . import options as opt
from .examples import examples
from .printing import print_json


@click.command(
    "export",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        """
        gradtrack-export runs/gradtrack -o polyps.onnx
        # for torch.export, with track maps; in the layout of Hugging Face
        gradtrack-export runs/gradtrack -o polyps.pt2 --tracks
        gradtrack-export runs/gradtrack -o polyps --half
        # a bundle for MONAI, MONAI Label and MONAI Deploy
        gradtrack-export runs/gradtrack -o polyps-bundle --layout monai
        """
    ),
)
@click.argument(
    "weights", type=opt.FILE, metavar="RUN|FILE|NAME", shell_complete=completing.networks
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    metavar="FILE|DIR",
    help=(
        "FILE.onnx, FILE.pt2 (torch.export), or a folder in the layout of Hugging Face or MONAI."
        "  [default: NAME.onnx]"
    ),
)
@click.option(
    "--layout",
    type=click.Choice(["huggingface", "monai"]),
    show_default="huggingface",
    help="What a folder looks like; monai is a bundle that MONAI runs.",
)
@click.option("--half", is_flag=True, help="Store float16: half the size.")
@click.option("--tracks", is_flag=True, help="Also give the predicted track maps.")
@opt.quiet_option
@opt.json_option
@opt.debug_option
def command(
    weights: Path,
    out: Path | None,
    layout: Literal["huggingface", "monai"] | None,
    half: bool,
    tracks: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Export a network for other programs.

    It gives probabilities from RGB images in [0, 1], of any number and size. What is written is
    compared with the original on images of two sizes first.
    """
    from gradtrack_model.verbs.export import is_file, save_folder
    from gradtrack_model.weights.checkpoint import load_model
    from gradtrack_model.weights.export import export_model

    target = out or Path(f"{weights.resolve().stem}.onnx")
    as_file = is_file(target, layout, tracks=tracks)
    checkpoint = load_model(weights)
    if as_file:
        done = export_model(checkpoint, target, half=half, tracks=tracks)
        facts: dict[str, object] = {**asdict(done), "path": str(done.path)}
    else:
        facts = {"path": str(save_folder(checkpoint, target, layout, half=half))}
    _show(facts, quiet, as_json)
    return 0


def _show(facts: dict[str, object], quiet: bool, as_json: bool) -> None:
    if as_json:
        print_json(facts)
    elif not quiet:
        click.echo(f"wrote {facts['path']}")
        if "difference" in facts:
            what = "largest difference of a probability from the original"
            click.echo(f"  {what}: {facts['difference']:.1e}")
