"""Files with one JSON object a line."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

from gazetrack.errors import ParseError
from gazetrack.readers.text.utf8 import Utf8Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gazetrack.readers.head import Head


def first_objects(head: Head, most: int = 50) -> list[dict[str, Any]]:
    """Return the objects of the first lines; none when a line is no JSON object.

    Parameters
    ----------
    head : Head
        The first look at the file.
    most : int
        How many lines to look at.
    """
    found = []
    for line in head.lines[:most]:
        if not line.strip():
            continue
        value = _object(line)
        if value is None:
            return []
        found.append(value)
    return found


def objects(head: Head) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line, from 1, and its object; blank lines are passed over.

    Raises
    ------
    ParseError
        A line is no JSON object; a last line that is cut off, as after a power failure, is none,
        either.
    """
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            value = _object(line)
            if value is None:
                what = "a line that is no JSON object"
                hint = (
                    "copy the file again; where it only ends here, --salvage takes its whole lines"
                )
                raise ParseError(what, path=head.path, line=number, hint=hint)
            yield number, value


def _object(line: str | bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # the latter of a thousand nested brackets
        return None
    return value if isinstance(value, dict) else None


def number(value: Any) -> float:
    """Return a JSON number, NaN for anything else: true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # whole numbers of JSON have no limit
        return math.nan


def vector(value: Any, n: int) -> tuple[float, ...]:
    """Return a JSON list of `n` numbers, NaN for anything else."""
    if not isinstance(value, list) or len(value) != n:
        return (math.nan,) * n
    return tuple(map(number, value))
