"""Cells of CSV files that hold names from data."""

from __future__ import annotations

from gazetrack.errors import quote

_MAX_CELL_CHARS = 32_767  # what a cell of a spreadsheet holds
# With these a spreadsheet begins to compute.
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """Keep spreadsheets from taking a name for a formula, and terminals for a command."""
    shown = quote(text, _MAX_CELL_CHARS)
    formula = text.lstrip().startswith(_FORMULA_START) or text.startswith(("\t", "\r"))
    return f"'{shown}" if formula else shown
