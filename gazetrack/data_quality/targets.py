"""Where a participant was to look, and when: what accuracy is measured against."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from gazetrack.errors import ConfigError, InputError, ParseError, quote

_POSITION = ("x_px", "y_px")


@dataclass(frozen=True)
class Target:
    """What was to be looked at, where and when.

    Parameters
    ----------
    name : str
        What the target's row of the report is called.
    x_px, y_px : float
        Where the target was, in pixels of the screen.
    onset_ms, duration_ms : float
        When and for how long it was to be looked at; all of the time by default.
    trial, stimulus : str or None
        In which trial, and at which stimulus, it was shown; None stands for any.
    """

    name: str
    x_px: float
    y_px: float
    onset_ms: float = -np.inf
    duration_ms: float = np.inf
    trial: str | None = None
    stimulus: str | None = None

    def __post_init__(self) -> None:
        has_position = np.isfinite(self.x_px) and np.isfinite(self.y_px)
        has_time = not np.isnan(self.onset_ms) and self.duration_ms > 0
        if not (has_position and has_time):
            where = f"at ({self.x_px}, {self.y_px}) px"
            when = f"from {self.onset_ms} ms for {self.duration_ms} ms"
            raise ConfigError(
                f"target {quote(self.name)} {where} {when}",
                hint="give a position and a positive duration",
            )

    @property
    def end_ms(self) -> float:
        """The moment at which it is no longer to be looked at."""
        return self.onset_ms + self.duration_ms if np.isfinite(self.duration_ms) else np.inf


def read_targets(path: str | Path) -> list[Target]:
    """Read targets from a CSV file.

    Parameters
    ----------
    path : path-like
        The table, in UTF-8, with the columns ``x_px`` and ``y_px``, and of ``name``, ``onset_ms``,
        ``duration_ms``, ``trial`` and ``stimulus`` those that say when each was shown.

    Returns
    -------
    list of Target
        In the order of the file; those without a name are called by their number, from 1.

    Raises
    ------
    InputError
        No such file, or no CSV.
    ParseError
        A column is missing or unknown, a cell is no number, or there is no target.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "cannot be read as a table of targets", path=path, hint="a CSV file, UTF-8"
        ) from error
    known = [field.name for field in fields(Target)]
    if not set(_POSITION) <= set(names) <= set(known):
        what = f"has the columns {quote(', '.join(names)) or 'of an empty table'}"
        raise ParseError(
            what, path=path, line=1, hint=f"x_px and y_px are needed, known are {', '.join(known)}"
        )
    if not rows:
        raise ParseError("holds no target", path=path, line=1, hint="give each a line")
    return [_target(row, number, path, line) for number, (line, row) in enumerate(rows, start=1)]


def _target(row: dict[str, Any], number: int, path: str | Path, line: int) -> Target:
    # `csv` files what is beyond the header under None, and fills what is missing with None.
    if None in row or None in row.values():
        raise ParseError(
            "has more or fewer cells than the header", path=path, line=line, hint="check its commas"
        )
    values: dict[str, Any] = {"name": str(number)}
    values |= {key: value for key, value in row.items() if value}
    times = [key for key in values if key.endswith("_ms")]
    try:
        for key in (*_POSITION, *times):
            values[key] = float(row[key])
        return Target(**values)
    except ValueError as error:
        raise ParseError(
            f"is no target: {error}", path=path, line=line, hint="give numbers"
        ) from error
    except ConfigError as error:
        raise ParseError(error.what, path=path, line=line, hint=error.hint) from error
