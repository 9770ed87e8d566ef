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
        help="Secret of --participant hash; made where there is none. Keep it to yourself.",
    ),
)


def participant_options(command: Command) -> Command:
    """Add ``--participant`` and ``--key`` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def pseudonyms_of(participant: str, key: Path) -> Pseudonyms:
    """Return how participants are named, and warn where others may read the key.

    Parameters
    ----------
    participant : {"keep", "hash", "drop"}
        What stands for a participant, as ``--participant`` says it.
    key : pathlib.Path
        The file of the secret, which is made where it is needed and there is none.
    """
    from gazetrack.tables.pseudonyms import Pseudonyms, read_key

    pseudonyms = Pseudonyms(participant, read_key(key) if participant == "hash" else b"")
    if pseudonyms.key:
        _warn_of_shared(key)
    return pseudonyms


def _warn_of_shared(key: Path) -> None:
    """Say that others may read the key: with it they can find out whose a pseudonym is."""
    if os.name != "posix":
        return
    if key.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        what = f"{key}: other users may read the key of the pseudonyms - chmod 600 it"
        say("gazetrack", what, "warning")
