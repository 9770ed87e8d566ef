"""What several commands print: JSON, tables, lines of facts, and bars of progress."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

LINE_SECONDS = 10.0  # between lines of progress


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
    """Print a table: the first column to the left, numbers to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        click.echo("  ".join([line[0].ljust(widths[0]), *cells[1:]]).rstrip())


def progress_bar(
    label: str, quiet: bool = False, lines: bool | None = None
) -> Callable[[int, int], None]:
    """Return a callback (done, total) that tells on stderr how far the work is.

    On a terminal it draws a bar, elsewhere it prints a line every ten seconds; both say how many
    are done a second, and how long the others will take.

    Parameters
    ----------
    label : str
        What is done, such as ``converting``.
    quiet : bool
        Whether no bar is drawn, where the terminal shows something else.
    lines : bool, optional
        Whether lines are printed where stderr is no terminal; by default where it is not quiet.
    """
    drawn = _Bar(label)
    printed = _Lines(label)
    prints = not quiet if lines is None else lines

    def step(done: int, total: int) -> None:
        if sys.stderr.isatty():
            if not quiet:
                drawn.step(done, total)
        elif prints:
            printed.step(done, total)

    return step


class _Bar:
    """Progress on a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = time.monotonic()
        self._bar: Any = None

    def step(self, done: int, total: int) -> None:
        if self._bar is None:
            self._begun = time.monotonic()
            self._bar = click.progressbar(
                length=total, label=self._label, file=sys.stderr, show_pos=True
            )
            self._bar.render_progress()
        seconds = time.monotonic() - self._begun
        if done and seconds > 1:
            self._bar.label = f"{self._label} {_rate(done / seconds)}"
        self._bar.update(done - self._bar.pos)
        if done == total:
            self._bar.render_finish()


class _Lines:
    """Progress in a file or a pipe: nothing of what is quick, and few lines of what is slow."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = self._told = time.monotonic()

    def step(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done == 0:
            self._begun = self._told = now
        if done == 0 or done == total or now - self._told < LINE_SECONDS:
            return
        self._told = now
        rate = done / (now - self._begun)
        left = duration((total - done) / rate)
        text = f"{self._label}: {done:,} of {total:,}, {_rate(rate)}, {left} left"
        with contextlib.suppress(OSError):
            click.echo(text, err=True)


def _rate(per_second: float) -> str:
    """Return how many are done in a time that a person can imagine."""
    if per_second >= 1:
        return f"{per_second:.3g}/s"
    return f"{60 * per_second:.3g}/min"


def duration(seconds: float) -> str:
    """Return a time in the two largest units that say it."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    said = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(said[:2]) or "0 s"


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
