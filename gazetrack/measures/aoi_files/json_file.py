"""JSON from anybody: of bounded size, every key once, and fields that are what they should be."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from gazetrack.errors import InputError, ParseError, did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MAX_BYTES = 256 * 1024**2
MAX_SIDE_PX = 10_000_000  # of an image
_KINDS = {
    str: "a text",
    float: "a number",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


def load(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file, in UTF-8.

    Raises
    ------
    InputError
        It cannot be read, or has more than 256 MB.
    ParseError
        It is no JSON, holds a key twice or NaN, or is no object.
    """
    hint = "write it again with the program that made it, or correct it"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"has more than {MAX_BYTES:,} bytes", path=path, hint="split it")
        value = json.loads(
            path.read_text("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_constant=_no_constant,
        )
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path, hint="check it") from error
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        what = f"is no JSON: {quote(getattr(error, 'msg', error), 80)}"
        raise ParseError(what, path=path, line=line, hint=hint) from None
    if not isinstance(value, dict):
        raise ParseError("is JSON, but no object", path=path, line=1, hint=hint)
    return value


class Fields:
    """The fields of an object of a JSON file, taken one by one.

    Parameters
    ----------
    value : object
        What should be an object.
    where : str
        What it is called in messages, such as ``area 'face'``.
    path : pathlib.Path
        The file that it is in, for messages.
    """

    def __init__(self, value: object, where: str, path: Path) -> None:
        self.where = where
        self.path = path
        if not isinstance(value, dict):
            raise self.error("is no object", "write it in braces")
        self._value: Mapping[str, Any] = value

    def error(self, what: str, hint: str) -> ParseError:
        """Return an error about this object."""
        return ParseError(f"{self.where} {what}", path=self.path, hint=hint)

    def has(self, name: str) -> bool:
        """Whether it has a field, which is not null."""
        return self._value.get(name) is not None

    def only(self, known: Iterable[str]) -> None:
        """Refuse fields that nobody knows: one of them is misspelt."""
        names = list(known)
        for name in self._value:
            if name not in names:
                hint = f"{did_you_mean(name, names)}known are {', '.join(names)}"
                raise self.error(f"has an unknown field {quote(name, 40)!r}", hint)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a field that is a text."""
        found: str = self._of(name, str, default)
        return found

    def number(self, name: str, default: float | None = None) -> float:
        """Return a field that is a number."""
        found: float = self._of(name, float, default)
        return found

    def items(self, name: str, default: Sequence[Any] | None = None) -> Sequence[Any]:
        """Return a field that is a list."""
        found: Sequence[Any] = self._of(name, list, default)
        return found

    def mapping(self, name: str, default: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """Return a field that is an object."""
        found: Mapping[str, Any] = self._of(name, dict, default)
        return found

    def points(self, name: str) -> tuple[tuple[float, float], ...]:
        """Return a field that is a list of corners, each a list of x and y."""
        return points_of(self.items(name), self)

    def size(self, width: str, height: str) -> tuple[int, int] | None:
        """Return the fields that are the size of an image, or None where neither is there."""
        if not self.has(width) and not self.has(height):
            return None
        found = (self.number(width), self.number(height))
        if not all(1 <= side <= MAX_SIDE_PX and side == int(side) for side in found):
            raise self.error(f"states an image of {found[0]:g} x {found[1]:g} px", "give its size")
        return int(found[0]), int(found[1])

    def _of(self, name: str, kind: type, default: Any) -> Any:
        value = self._value.get(name)
        if value is None:
            if default is None:
                raise self.error(f"has no {name}", f"give {_KINDS[kind]} of this name")
            return default
        wanted: Any = (int, float) if kind is float else kind
        if not isinstance(value, wanted) or isinstance(value, bool):
            what = f"has {quote(json.dumps(value), 40)} as {name}"
            raise self.error(what, f"give {_KINDS[kind]}")
        return value if kind is not float else _float(value)


def points_of(value: Sequence[Any], fields: Fields) -> tuple[tuple[float, float], ...]:
    """Return a list of corners; errors are those of the object that it stands in.

    Parameters
    ----------
    value : sequence
        A list of lists of two or more numbers, the first two x and y.
    fields : Fields
        The object that it is in, which words the errors.
    """
    found = []
    for point in value:
        is_point = isinstance(point, list) and len(point) >= 2
        if not is_point or not all(_is_number(each) for each in point[:2]):
            raise fields.error(f"has a corner {quote(json.dumps(point), 40)}", "give it as [x, y]")
        found.append((_float(point[0]), _float(point[1])))
    return tuple(found)


def _float(value: float) -> float:
    """Return a number of JSON, whose whole numbers may be larger than any float."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
