"""What is asked of any table: its columns and their units; and what is refused of its times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import ParseError, quote
from gazetrack.readers.generic.columns import TEXTS, TIME_KEYS, ms_per
from gazetrack.readers.text.numbers import line_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gazetrack.readers.head import Head
    from gazetrack.readers.shared.positions import Axes
    from gazetrack.readers.text.header import Header, Kind
    from gazetrack.tables.screen import Screen

NAME = "generic"
# Beyond these a time column taken as ms is surely in another unit: (shortest, longest) step or
# duration.
_POSSIBLE_MS = {"t": (0.1, 1000.0), "duration": (5.0, 20_000.0)}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A table, and what its columns are.

    Parameters
    ----------
    head, header : Head, Header
        The first look at the file, and the header of its table.
    columns : mapping of str to str
        The names of the table's columns by our keys.
    units : mapping of str to str
        The units of columns of times, as far as somebody states them.
    axes : Axes
        How its positions are counted.
    screen : Screen or None
        The screen that the user states, if any.
    named : bool
        Whether the user names the columns.
    """

    head: Head
    header: Header
    columns: Mapping[str, str]
    units: Mapping[str, str]
    axes: Axes
    screen: Screen | None
    named: bool

    def wanted(self) -> dict[str, tuple[int, Kind]]:
        """Return where the columns are, and what kind of cells they have."""
        wanted: dict[str, tuple[int, Kind]] = {}
        for key, name in self.columns.items():
            kind: Kind = "float32"
            if key in TEXTS:
                kind = "text"
            elif key in TIME_KEYS:
                kind = "float64"
            wanted[key] = self.header.index(name, self.head.path), kind
        return wanted

    def factor(self, key: str) -> float:
        """Return the milliseconds in a unit of a column of times."""
        return ms_per(self.units.get(key, "ms")) or 1.0


def refuse_step_back(asked: Asked, row: int) -> None:
    """Refuse a row whose time is before the one above it.

    Several recordings or trials then lie in one that the named columns cannot tell apart.

    Raises
    ------
    ParseError
        Always.
    """
    what = "the time steps back within one trial"
    hint = (
        "name the columns that tell recordings and trials apart, "
        "as in --columns …,participant=NAME,trial=NAME"
    )
    line = line_of(asked.head, asked.header, row)
    raise ParseError(what, path=asked.head.path, line=line, hint=hint)


def refuse_unit(asked: Asked, key: str, usual: float) -> None:
    """Refuse times whose usual step, or durations whose usual length, no tracker has in ms.

    Parameters
    ----------
    asked : Asked
        The table whose times these are.
    key : {"t", "duration"}
        The column, which nobody gave a unit.
    usual : float
        The usual step or length in the column's unit, taken as ms; NaN where there is none.

    Raises
    ------
    ParseError
        It is too short or too long.
    """
    shortest, longest = _POSSIBLE_MS[key]
    if usual < shortest or usual > longest:
        name = quote(asked.columns[key], 40)
        unit = "s" if usual < shortest else "us"
        quantity = "step" if key == "t" else "length"
        what = f"column {name!r} taken as ms has a usual {quantity} of {usual:g} ms"
        hint = f"name its unit: --columns …,{key}={name}[{unit}] (s, ms, us or ns)"
        raise ParseError(what, path=asked.head.path, hint=hint)


def note_lost(n_lost: int, notes: list[str]) -> None:
    """Note how many positions are marks of lost gaze, if any are."""
    if n_lost:
        notes.append(
            f"{n_lost} positions at (-1, -1) or (0, 0), which trackers write for lost gaze: "
            "taken as missing"
        )
