"""What several commands print: JSON, tables, and lines of facts; for bars, see `progress`."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def print_json(value: Any) -> None:
    """Print a value as JSON, which any terminal can show."""
    narrow = not str(getattr(sys.stdout, "encoding", "")).lower().startswith("utf")
    click.echo(json.dumps(value, indent=2, ensure_ascii=narrow))


def without_nan(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for JSON, which knows no NaN."""
    return {name: None if is_nan(value) else value for name, value in row.items()}


def is_nan(value: object) -> bool:
    """Whether a value of a table is a missing number."""
    return isinstance(value, float) and math.isnan(value)


def cell(value: object) -> str:
    """Return a value of a table as text.

    Numbers have four digits or are whole, a missing one is a dash; names have no control
    characters.
    """
    from gazetrack.errors import quote

    if not isinstance(value, float):
        return quote(value)
    if math.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: the first column to the left, numbers to the right.

    Letters of some scripts take two places of a terminal, and accents none.
    """
    from rich.cells import cell_len

    lines = [list(header), *map(list, rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        blanks = [" " * (width - cell_len(text)) for text, width in zip(line, widths, strict=True)]
        cells = [blank + text for blank, text in zip(blanks, line, strict=True)]
        click.echo("  ".join([line[0] + blanks[0], *cells[1:]]).rstrip())


def facts_line(summary: Mapping[str, Any]) -> str:
    """Return what was found in an export, in one line."""
    rate = summary.get("rate_hz") or summary.get("effective_rate_hz")
    # Where the rate changes within the recording, each one is named once.
    rates = list(dict.fromkeys(hz for _, hz in summary.get("rates_hz") or ()))
    if not rates and rate:
        rates = [rate]
    parts = []
    if rates:
        parts.append(", ".join(f"{hz:.0f}" for hz in rates) + " Hz")
    if summary["eyes"]:
        parts.append(str(summary["eyes"]))
    n_samples = summary["samples"]
    parts.append(f"{n_samples:,} samples" if n_samples else "fixations only")
    if summary.get("loss") is not None:
        parts.append(f"{100 * summary['loss']:.1f} % loss")
    parts.append(f"{summary['fixations']:,} fixations")
    return ", ".join(parts)


def with_report(name: str) -> str:
    """Return how a list of written files ends.

    It is a report's name, or what to install for one.
    """
    from gradtrack_model.study.report.html import installed

    if installed():
        return f" and {name}"
    return f'; for a report, {name}: pip install "gazetrack[report]"'
