"""gazetrack demo: the commands a user would type, typed for them."""

from __future__ import annotations

import contextlib
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import click

from . import exit_codes
from . import options as opt
from .examples import examples

# (program, module in this package, arguments); run inside the demo's folder.
TOOLKIT_STEPS = (
    ("gazetrack convert", "convert", "reader-1.asc reader-2.tsv"),
    ("gazetrack render", "render", "--levels 4 --png"),
    ("gazetrack plot", "plot", "--masks masks --limit 6"),
)
MODEL_STEPS = (
    ("gradtrack-train", "train", "--preset tiny --steps 100 --force"),
    ("gradtrack-predict", "predict", "images --weights runs/gradtrack --overlay -o predictions"),
    ("gradtrack-evaluate", "evaluate", "predictions masks --ids val.txt -o evaluation"),
)
# The same of two classes, which readers look for in trials of their own.
_NAMES = 'classes.names=["polyp", "ulcer"]'
CLASS_STEPS = (
    (
        (
            "gazetrack convert",
            "convert",
            'reader-1.asc reader-2.asc --trial-by "message=TASK (.+)"',
        ),
        ("gazetrack render", "render", "--levels 4 --target trial"),
    ),
    (
        ("gradtrack-train", "train", f"--preset tiny --steps 100 --force --set '{_NAMES}'"),
        (
            "gradtrack-predict",
            "predict",
            "images --weights runs/gradtrack --overlay --probabilities -o predictions",
        ),
        ("gradtrack-evaluate", "evaluate", "predictions masks --ids val.txt -o evaluation"),
    ),
)


@click.command(
    "demo",
    short_help="Run everything once on a built-in example.",
    epilog=examples(
        """
        gazetrack demo
        gazetrack demo -o somewhere-else --seed 1
        # two kinds of lesions, told apart
        gazetrack demo --classes -o two
        """
    ),
)
@click.option(
    "-o",
    "--out",
    type=opt.FILE,
    default=Path("demo-out"),
    show_default=True,
    metavar="DIR",
    help="Folder for the demo.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the simulated images and gaze.",
)
@click.option(
    "--classes", is_flag=True, help="Two kinds of lesions, each looked for in trials of its own."
)
@opt.debug_option
def command(out: Path, seed: int, classes: bool) -> int:
    """Run everything once on a built-in example.

    Gaze is simulated, converted and rendered; a network is trained, predicts and is evaluated.
    Every command is printed as you would type it yourself in that folder.
    """
    from gazetrack.simulate.classes import write_class_example
    from gazetrack.simulate.example import write_example

    toolkit_steps, model_steps = CLASS_STEPS if classes else (TOOLKIT_STEPS, MODEL_STEPS)
    if classes:
        write_class_example(out, seed=seed)
    else:
        write_example(out, seed=seed)
    click.echo(f"simulated images, masks and the gaze of two readers in {out}\n")
    with contextlib.chdir(out):
        for step in toolkit_steps:
            _run(*step)
        if find_spec("torch") is None:
            needed = 'the model steps need: pip install "gazetrack[model]"'
            click.echo(f"PyTorch is not installed; {needed}", err=True)
            return exit_codes.USAGE
        for step in model_steps:
            _run(*step)
    plots = "" if classes else f"{out}/plots, "
    pictures = f"{plots}{out}/predictions/overlays"
    click.echo(f"look at {pictures}, {out}/evaluation and {out}/runs/gradtrack/report.html")
    return exit_codes.DONE


def _run(program: str, module: str, arguments: str) -> None:
    click.echo(f"$ {program} {arguments}")
    step = import_module(f".{module}", __package__).command
    code = step.main(shlex.split(arguments), prog_name=program, standalone_mode=False)
    if code:
        raise click.ClickException(f"{program} failed with exit code {code}")
    click.echo()
