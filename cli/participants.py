"""The options that say how participants are named in what is written."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import options as opt
from .errors import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from gazetrack.tables.pseudonyms import Pseudonyms

    Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--participant",
        type=click.Choice(["keep", "hash", "drop"]),
        default="keep",
        show_default=True,
        help="Names of participants: as exported, keyed pseudonyms, or none.",
    ),
    click.option(
        "--key",
        type=opt.FILE,
        default=Path("gazetrack.key"),
        show_default=True,
        metavar="FILE",
        help="Secret of hash, made where there is none. Keep it to yourself.",
    ),
    click.option(
        "--stimulus",
        "stimulus_names",
        type=click.Choice(["keep", "hash"]),
        default="keep",
        show_default=True,
        help="With --participant: names of stimuli, which may tell a person, as keyed pseudonyms.",
    ),
    click.option(
        "--messages",
        type=click.Choice(["keep", "drop"]),
        default="keep",
        show_default=True,
        help="With --participant: texts of messages and names of trials, kept without known names.",
    ),
)


def participant_options(command: Command) -> Command:
    """Add ``--participant``, ``--key``, ``--stimulus`` and ``--messages`` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def pseudonyms_of(participant: str, key: Path, choices: dict[str, Any]) -> Pseudonyms:
    """Return how participants are named, and warn where others may read the key.

    Parameters
    ----------
    participant : {"keep", "hash", "drop"}
        What stands for a participant, as ``--participant`` says it.
    key : pathlib.Path
        The file of the secret, which is made where it is needed and there is none.
    choices : dict
        The values of a command's options by name; those about stimuli and messages are gone
        afterwards.
    """
    from gazetrack.tables.pseudonyms import Pseudonyms, read_key

    stimuli: str = choices.pop("stimulus_names")
    messages: str = choices.pop("messages")
    if participant == "keep" and (stimuli, messages) != ("keep", "keep"):
        raise click.UsageError("--stimulus and --messages go with --participant hash or drop")
    secret = read_key(key) if "hash" in (participant, stimuli) else b""
    if secret:
        _warn_of_shared(key)
    return Pseudonyms(participant, secret, stimuli=stimuli, messages=messages)


def _warn_of_shared(key: Path) -> None:
    """Say that others may read the key: with it they can find out whose a pseudonym is."""
    if os.name != "posix":
        return
    if key.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        what = f"{key}: other users may read the key of the pseudonyms - chmod 600 it"
        say("gazetrack", what, "warning")
