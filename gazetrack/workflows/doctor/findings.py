"""What was looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Parameters
    ----------
    section : str
        What it is about, such as ``packages``; findings of a section follow one another.
    name : str
        What was looked at, in a word or two.
    what : str
        How it is, as a user reads it.
    state : {"ok", "note", "problem"}
        A note is a choice that somebody may want to make otherwise; a problem keeps something from
        working, or makes it slow, and `do` ends it.
    do : str
        What to do about it, a sentence or a command line; empty where there is nothing to do.
    facts : mapping
        The same for programs: numbers, versions and paths, which JSON can hold.
    """

    section: str
    name: str
    what: str
    state: State = "ok"
    do: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def shown_bytes(count: float) -> str:
    """Return a size as a person reads it, in powers of 1024."""
    if count < 1024:
        return f"{count:.0f} bytes"
    units = ["KiB", "MiB", "GiB", "TiB"]
    size = count / 1024
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.1f} {units[0]}"
