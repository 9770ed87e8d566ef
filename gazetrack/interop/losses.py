"""What another program has no place for: said as a warning, and kept beside the data."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_CALLER = 3  # of `say`, of the converting function: the line of the user


class ConversionWarning(UserWarning):
    """Something of a recording has no place in the other program, or had to be changed for it."""


def say(losses: Sequence[str]) -> None:
    """Warn of each loss at the user's line; without any, nothing is said.

    Parameters
    ----------
    losses : sequence of str
        What is lost, in words for the user.
    """
    for loss in losses:
        warnings.warn(loss, ConversionWarning, stacklevel=_CALLER)
