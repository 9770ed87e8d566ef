"""Checks of single settings, with which each section of a configuration validates itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

# Where a number has a least value alone.
ANY = 10**9


def one_of(name: str, value: str, known: Iterable[str]) -> None:
    """Refuse a value that is none of the known ones.

    Raises
    ------
    ConfigError
        It names the setting, the value, and what would do.
    """
    choices = list(known)
    if value not in choices:
        raise ConfigError(f"{name} is {quote(value)!r}", hint=f"use one of {', '.join(choices)}")


def within(name: str, value: float, low: float, high: float) -> None:
    """Refuse a number below `low` or above `high`; errors as in `one_of`."""
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}", hint=f"use {low} to {high}")
