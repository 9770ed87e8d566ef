"""Two files of one recording: its gaze would count twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gazetrack.errors import DataError, quote

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def refuse_twins(files: Iterable[tuple[str | Path, Iterable[tuple[str, ...]]]]) -> None:
    """Refuse files that hold the same showing of the same recording.

    Parameters
    ----------
    files : iterable of (path-like, iterable of tuple of str)
        Each file, and the names of its showings: the recording's first, the others as they come.

    Raises
    ------
    DataError
        Two files have one in common; both are named.
    """
    first_of: dict[tuple[str, ...], str | Path] = {}
    for file, showings in files:
        for names in showings:
            first = first_of.setdefault(names, file)
            if first != file:
                called = quote(" ".join(filter(None, names)), 80)
                both = f"{quote(first, 80)} and {quote(file, 80)}"
                what = f"{both} both hold {called!r}"
                hint = "name one of the two, or give each recording a name of its own"
                raise DataError(what, hint=hint)
