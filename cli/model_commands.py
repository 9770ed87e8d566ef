"""Entry points of the commands that need PyTorch; without it they say what to install."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

from . import exit_codes
from .errors import run_command, say

_NEEDED = {"torch": "PyTorch", "safetensors": "safetensors"}


def train_main() -> NoReturn:
    """Run `gradtrack-train`."""
    _run("train")


def predict_main() -> NoReturn:
    """Run `gradtrack-predict`."""
    _run("predict")


def evaluate_main() -> NoReturn:
    """Run `gradtrack-evaluate`."""
    _run("evaluate")


def export_main() -> NoReturn:
    """Run `gradtrack-export`."""
    _run("export")


def compare_main() -> NoReturn:
    """Run `gradtrack-compare`."""
    _run("compare", "compare_methods")


def _run(name: str, module_name: str | None = None) -> NoReturn:
    program = f"gradtrack-{name}"
    for module, title in _NEEDED.items():
        if find_spec(module) is None:
            say(program, f'{title} is not installed - pip install "gazetrack[model]" [CONFIG]')
            sys.exit(exit_codes.USAGE)
    run_command(import_module(f".{module_name or name}", __package__).command, program)
