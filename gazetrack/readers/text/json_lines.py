"""Files with one JSON object a line."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from gazetrack.errors import ParseError
from gazetrack.readers.text.utf8 import Utf8Lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from gazetrack.readers.base import Head


def first_objects(head: Head, most: int = 50) -> list[dict[str, Any]]:
    """Return the objects of the first lines; none when a line is no JSON object."""
    found = []
    for line in head.lines[:most]:
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        found.append(value)
    return found


def objects(head: Head) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line, from 1, and its object.

    Raises
    ------
    ParseError
        A line that is no JSON object; a last line that is cut off, as after a power failure, is
        one, too.
    """
    with Utf8Lines(head) as raw, io.BufferedReader(raw) as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if not isinstance(value, dict):
                hint = (
                    "copy the file again; where it only ends here, --salvage takes its whole lines"
                )
                raise ParseError(
                    "a line that is no JSON object", path=head.path, line=number, hint=hint
                )
            yield number, value


def number(value: Any) -> float:
    """Return a JSON number, NaN for anything else."""
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else float("nan")
    )


def vector(value: Any, n: int) -> tuple[float, ...]:
    """Return a JSON list of `n` numbers, NaN for anything else."""
    return (
        tuple(map(number, value))
        if isinstance(value, list) and len(value) == n
        else (float("nan"),) * n
    )


def column(values: list[float]) -> npt.NDArray[np.float64]:
    """Return values as an array."""
    return np.array(values, np.float64)
