"""gazetrack warm-up."""

from __future__ import annotations

from dataclasses import asdict

import click

from . import options as opt
from .examples import examples
from .printing import print_json


@click.command(
    "warm-up",
    short_help="Compile what this machine needs, once.",
    epilog=examples(
        """
        gazetrack warm-up
        gazetrack warm-up --json
        """
    ),
)
@opt.json_option
@opt.debug_option
def command(as_json: bool) -> None:
    """Compile the kernels of every step, so that no recording waits for them.

    They are kept for this user and version, on this machine; a second call finds them compiled.
    """
    from gazetrack.workflows.warm_up import kernel_cache, warm_up

    folder = kernel_cache()
    steps = []
    for step in warm_up():
        steps.append(step)
        if not as_json:
            names = ", ".join(step.compiled) or "nothing new"
            click.echo(f"{step.seconds:6.2f} s  {step.name}: {names}")
    if as_json:
        print_json({"folder": folder and str(folder), "steps": [asdict(step) for step in steps]})
        return
    n_compiled = sum(len(step.compiled) for step in steps)
    seconds = sum(step.seconds for step in steps)
    click.echo(f"compiled {n_compiled} kernels in {seconds:.1f} s")
    kept = "not kept: there is no private folder for them" if folder is None else f"in {folder}"
    click.echo(kept)
