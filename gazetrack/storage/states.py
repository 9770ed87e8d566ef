"""Whether an object of a store is still the same, by what the store itself says of it.

To read its bytes again would take as long as the work that a study wants to leave out. Stores of
objects have a digest of each (an entity tag, RFC 9110, section 8.8.3); servers of files have a time
of change. Where there is neither, nothing is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gazetrack.storage.address import joined, parent_of, shown_path
from gazetrack.storage.objects import facts_below, facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_TAGS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
TAGGED = "tag:"


def state_of_object(url: str) -> dict[str, Any] | None:
    """Return what tells whether an object is the same: its size, and its store's mark of it.

    Returns
    -------
    dict or None
        ``bytes`` and ``mark``; the mark begins with ``tag:`` where it is a digest, with ``time:``
        where it is a time of change, and is empty where the store tells neither. None where there
        is no such object.

    Raises
    ------
    InputError
        The store refuses, or cannot be reached.
    """
    facts = facts_of(url)
    return None if facts is None else _state(facts)


class States:
    """The states of many objects, with one question to the store for each of their folders."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def of(self, url: str) -> dict[str, Any] | None:
        """Return the state of an object, as `state_of_object` does, at the time of the question."""
        return self._in(parent_of(url)).get(shown_path(url).name)

    def names(self, folder: str) -> list[str]:
        """Return the names of the objects in a folder, which is an address."""
        return list(self._in(folder))

    def _in(self, folder: str) -> dict[str, dict[str, Any]]:
        if folder not in self._known:
            self._known[folder] = _states_in(folder, recursive=False)
        return self._known[folder]

    def below(self, folder: str, name: str) -> dict[str, Any] | None:
        """Return the state of what is called so in a folder or, with ``/``, in one below it."""
        if "/" not in name:
            return self.of(joined(folder, name))
        key = f"{folder} below"
        if key not in self._known:
            self._known[key] = _states_in(folder, recursive=True)
        return self._known[key].get(name)


def _states_in(folder: str, *, recursive: bool) -> dict[str, dict[str, Any]]:
    found = facts_below(folder, recursive=recursive)
    return {name: _state(facts) for name, facts in found.items()}


def _state(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"bytes": int(facts.get("size") or 0), "mark": _mark(facts)}


def _mark(facts: Mapping[str, Any]) -> str:
    for name in _TAGS:
        if facts.get(name):
            return f"{TAGGED}{str(facts[name]).strip(chr(34))}"
    for name in _TIMES:
        value = facts.get(name)
        if value:
            # The same store gives the same time as one or the other, to the microsecond.
            seconds = value.timestamp() if isinstance(value, datetime) else value
            is_number = isinstance(seconds, int | float)
            return f"time:{seconds:.6f}" if is_number else f"time:{seconds}"
    return ""
