"""Lengths, times and angles with their units, as a study file may say them: ``"53 cm"``."""

from __future__ import annotations

import math
import re

# What is measured, and how many of the first unit each of them is.
KINDS: dict[str, dict[str, float]] = {
    "time": {"ms": 1.0, "s": 1000.0, "min": 60_000.0},
    "length": {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4},
    "angle": {"deg": 1.0, "arcmin": 1 / 60},
    "pixels": {"px": 1.0},
    "frequency": {"Hz": 1.0, "kHz": 1000.0},
    "size": {"MB": 1.0, "GB": 1024.0},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d]+)")
_DIGITS = 12  # of a result: 0.3 s are 300 ms, not 299.99999999999994


def kind_of(unit: str) -> str:
    """Return what a unit measures, such as ``time``; empty for no unit of ours."""
    return next((kind for kind, units in KINDS.items() if unit in units), "")


def in_unit(value: object, unit: str) -> object:
    """Return a number in a unit, of a text such as ``"0.3 s"``; anything else stays as it is.

    Parameters
    ----------
    value : object
        What a file says; only a text that begins with a number and has a word behind it is read.
    unit : str
        The unit of the result, one of those in `KINDS`.

    Raises
    ------
    ValueError
        The text has a unit of something else, or none that is known; the message names those that
        are.

    Examples
    --------
    >>> in_unit("0.3 s", "ms")
    300
    >>> in_unit(300, "ms")
    300
    """
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return value
    kind = kind_of(unit)
    units = KINDS[kind]
    number, theirs = match.groups()
    if theirs not in units:
        *others, last = units
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{theirs!r} is no unit of {kind}: use {allowed}")
    # Of powers of ten, only the decimal digits of the factors are exact.
    result = float(f"{float(number) * units[theirs] / units[unit]:.{_DIGITS}g}")
    return int(result) if result.is_integer() else result


def has_endless(value: object) -> bool:
    """Whether a value, or one of several, is a number nothing can be compared with: nan or inf."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    return any(isinstance(number, float) and not math.isfinite(number) for number in numbers)
