"""The option --study of every command: a study file says what nobody typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from . import completing
from .errors import STUDY

_FIND = ""


def with_study(command: click.Command, name: str) -> click.Command:
    """Return a command that takes ``--study``, which is added to it where it lacks it.

    Parameters
    ----------
    command : click.Command
        Any command of our group.
    name : str
        What it is called, and its table in a study file.
    """
    if not any(parameter.name == "study" for parameter in command.params):

        def take(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
            if value is not None:
                _take(context, name, value)

        option = click.Option(
            ["--study"],
            is_flag=False,
            flag_value=_FIND,
            is_eager=True,
            expose_value=False,
            metavar="[FILE]",
            shell_complete=completing.files,
            callback=take,
            help=(
                "Take what is not typed from a study file: this one, "
                "or gazetrack.toml here or in a folder above."
            ),
        )
        command.params.insert(_before_debug(command), option)
    return command


def _before_debug(command: click.Command) -> int:
    places = [at for at, each in enumerate(command.params) if each.name == "debug"]
    return places[0] if places else len(command.params)


def _take(context: click.Context, name: str, value: str) -> None:
    """Have a command told by a study what nobody typed."""
    from gazetrack.errors import quote
    from gazetrack.workflows.study.file import find_study

    from .study_jobs import load_study

    if value != _FIND and not value.endswith(".toml"):
        what = f"{quote(value, 80)} is no study file, which is called .toml"
        hint = "to have gazetrack.toml found, write --study last; else --study FILE"
        raise click.BadParameter(f"{what}: {hint}")
    path = find_study(Path()) if value == _FIND else Path(value)
    group = context.find_root().command
    assert isinstance(group, click.Group)  # noqa: S101 - the option is added to its commands alone
    study = load_study(path, group)
    context.meta[STUDY] = f"{quote(path, 80)} [{name}]"
    context.default_map = study.defaults_of_call(name)
