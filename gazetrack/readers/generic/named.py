"""A table read by the columns that somebody names: the user, or who knows the file's layout."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gazetrack.readers.base import POSITION_SETTINGS, Head, ReadOptions
from gazetrack.readers.generic.asked import Asked
from gazetrack.readers.generic.columns import KEYS, TIME_KEYS, axes_of_columns, chosen
from gazetrack.readers.generic.fixations import read_fixations
from gazetrack.readers.generic.samples import read_samples

if TYPE_CHECKING:
    from gazetrack.readers.text.header import Header
    from gazetrack.tables.recording import Recording


def read_named(head: Head, header: Header, options: ReadOptions) -> Recording:
    """Read a table by the columns that `options` name, else by its header.

    Parameters
    ----------
    head : Head
        The first look at the file.
    header : Header
        The header of its table; of a table without one, the names of its columns by their places.
    options : ReadOptions
        The columns, and the screen that the user states.

    Raises
    ------
    ConfigError
        An unknown key or unit, a column that is not there, or no position or time.
    ParseError
        A damaged row or cell, times that cannot be in the unit they are taken for, or that step
        back.
    """
    settings: dict[str, str] = {}
    named: dict[str, str] = {}
    for key, value in options.columns.items():
        group = settings if key in POSITION_SETTINGS else named
        group[key] = value
    columns, units = chosen(named, header, head)
    notes: list[str] = []
    axes = axes_of_columns(columns, units, settings, head, notes)
    unitless = [key for key in TIME_KEYS if key in columns and key not in units]
    notes += [f"{key} taken as ms: no unit was given" for key in unitless]
    if not named:
        inferred = ", ".join(f"{key}={columns[key]}" for key in KEYS if key in columns)
        notes.append(f"columns inferred from the header: {inferred}")
    asked = Asked(
        head=head,
        header=header,
        columns=columns,
        units=units,
        axes=axes,
        screen=options.screen,
        named=bool(named),
    )
    read_rows = read_fixations if "duration" in columns else read_samples
    recording, screen = read_rows(asked, notes)
    if axes.fractions and options.screen is None and screen is not None:
        return recording.on_nominal_screen(screen, "screen")
    return replace(recording, screen=screen)
