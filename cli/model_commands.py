"""Entry points of the commands that need PyTorch; without it they say what to install."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import NoReturn

import click

from . import exit_codes
from .errors import run_command, say
from .examples import examples
from .programs import PROGRAMS, command_of, completes

_NEEDED = {"torch": "PyTorch", "safetensors": "safetensors"}
_PREFIX = "gradtrack-"
_MODULE = "python -m gradtrack_model"


def train_main() -> NoReturn:
    """Run `gradtrack-train`."""
    _run("gradtrack-train")


def predict_main() -> NoReturn:
    """Run `gradtrack-predict`."""
    _run("gradtrack-predict")


def evaluate_main() -> NoReturn:
    """Run `gradtrack-evaluate`."""
    _run("gradtrack-evaluate")


def calibrate_main() -> NoReturn:
    """Run `gradtrack-calibrate`."""
    _run("gradtrack-calibrate")


def export_main() -> NoReturn:
    """Run `gradtrack-export`."""
    _run("gradtrack-export")


def compare_main() -> NoReturn:
    """Run `gradtrack-compare`."""
    _run("gradtrack-compare")


def view_main() -> NoReturn:
    """Run `gradtrack-view`."""
    _run("gradtrack-view")


class _Programs(click.Group):
    """The programs of the trainer as commands of one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name.removeprefix(_PREFIX) for name in PROGRAMS if name.startswith(_PREFIX)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        return command_of(_PREFIX + cmd_name)


@click.command(
    cls=_Programs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        f"""
        {_MODULE} train --data study
        torchrun --nproc-per-node 2 -m gradtrack_model train --data study
        """
    ),
)
def programs() -> None:
    """Train, predict, calibrate, view and the rest, as the programs gradtrack-train and so on."""


def module_main() -> NoReturn:
    """Run `python -m gradtrack_model`."""
    _refuse_without_torch("gradtrack_model")
    run_command(programs, _MODULE)


def _run(program: str) -> NoReturn:
    # What a shell may complete is known without PyTorch, and an error would stand in the prompt.
    if completes(program) not in os.environ:
        _refuse_without_torch(program)
    run_command(command_of(program), program)


def _refuse_without_torch(program: str) -> None:
    for module, title in _NEEDED.items():
        if find_spec(module) is None:
            say(program, f'{title} is not installed - pip install "gazetrack[model]" [CONFIG]')
            sys.exit(exit_codes.USAGE)
