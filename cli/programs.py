"""The programs of this package, and where their commands are."""

from __future__ import annotations

from importlib import import_module

import click

# program: (module in this package, name of the command in it)
PROGRAMS = {
    "gazetrack": ("main", "cli"),
    "gradtrack-train": ("train", "command"),
    "gradtrack-predict": ("predict", "command"),
    "gradtrack-evaluate": ("evaluate", "command"),
    "gradtrack-calibrate": ("calibrate", "command"),
    "gradtrack-export": ("export", "command"),
    "gradtrack-compare": ("compare_methods", "command"),
    "gradtrack-view": ("view", "command"),
}


def command_of(program: str) -> click.Command:
    """Return the command that a program runs; only its own module is imported."""
    module, name = PROGRAMS[program]
    command = getattr(import_module(f".{module}", __package__), name)
    assert isinstance(command, click.Command)  # noqa: S101 - a module's contract
    return command


def completes(program: str) -> str:
    """Return the environment variable by which a shell asks a program what could be typed next."""
    return f"_{program.replace('-', '_').upper()}_COMPLETE"
