"""How far the work is, told on stderr: the one place where bars are drawn.

On a terminal it is a bar; elsewhere, and on a terminal that cannot move its cursor, a line every
ten seconds. A study takes the place of both: it shows all of its steps in one display.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Tell = Callable[[int, int], None]

LINE_SECONDS = 10.0  # between lines of progress
_REDRAW_SECONDS = 0.1
_CANNOT_DRAW = ("dumb", "unknown")

_taken: ContextVar[Tell | None] = ContextVar("taken", default=None)


def progress_bar(label: str, quiet: bool = False, lines: bool | None = None) -> Tell:
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
    taken = _taken.get()
    if taken is not None:
        return taken
    drawn = _Bar(label)
    printed = _Lines(label)
    prints = not quiet if lines is None else lines

    def step(done: int, total: int) -> None:
        if draws():
            if not quiet:
                drawn.step(done, total)
        elif prints:
            printed.step(done, total)

    return step


def lines_of(label: str) -> Tell:
    """Return a callback (done, total) that prints a line on stderr every ten seconds.

    Parameters
    ----------
    label : str
        What is done, such as ``converting``.
    """
    return _Lines(label).step


def draws() -> bool:
    """Whether stderr is a terminal that a bar can be drawn on."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in _CANNOT_DRAW


@contextlib.contextmanager
def told_to(tell: Tell) -> Iterator[None]:
    """Have every progress within the block told to a function, in place of being shown."""
    token = _taken.set(tell)
    try:
        yield
    finally:
        _taken.reset(token)


@contextlib.contextmanager
def ended_bars() -> Iterator[None]:
    """Leave no bar open behind the block, whatever ends it: what is printed next has its line."""
    try:
        yield
    finally:
        _display.close()


class _Display:
    """The bars that are drawn at the moment, one below the other."""

    def __init__(self) -> None:
        self._drawn: Any = None

    def add(self, label: str, total: int) -> int:
        """Draw one more bar, and return what it is called here."""
        if self._drawn is None:
            self._drawn = self._opened()
        number: int = self._drawn.add_task(label, total=total)
        return number

    def move(self, number: int, done: int, total: int, label: str, *, redraw: bool) -> None:
        """Say how far a bar is; when the last one is full, the display is closed."""
        if self._drawn is None:  # it was closed, as by an error
            return
        self._drawn.update(number, completed=done, total=total, description=label)
        if redraw:
            self._drawn.refresh()
        if self._drawn.finished:
            self.close()

    def close(self) -> None:
        """Leave the bars as they are, and the cursor below them."""
        drawn, self._drawn = self._drawn, None
        if drawn is not None:
            drawn.stop()

    def _opened(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(file=sys.stderr)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
        )
        # It is drawn when there is something to say: no thread of its own that would outlive an
        # error. What goes to stdout is not the bar's business, and may be a file.
        drawn = Progress(*columns, console=console, auto_refresh=False, redirect_stdout=False)
        drawn.start()
        return drawn


_display = _Display()


class _Bar:
    """Progress on a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = self._drawn = time.monotonic()
        self._before = 0
        self._ended = False
        self._number: int | None = None

    def step(self, done: int, total: int) -> None:
        if total == 0:
            return
        if self._ended and done < total:  # another round, such as of the next table
            self._number = None
        self._ended = done == total
        now = time.monotonic()
        is_first = self._number is None
        if self._number is None:
            self._begun = now
            self._before = done  # a run that goes on begins where the last one ended
            self._number = _display.add(self._label, total)
        redraw = is_first or done == total or now - self._drawn >= _REDRAW_SECONDS
        if redraw:
            self._drawn = now
        label = self._label
        seconds = now - self._begun
        just_done = done - self._before
        if just_done and seconds > 1:
            label = f"{label} {_rate(just_done / seconds)}"
            if done < total:
                label += f", {duration((total - done) * seconds / just_done)} left"
        _display.move(self._number, done, total, label, redraw=redraw)


class _Lines:
    """Progress in a file or a pipe: nothing of what is quick, and few lines of what is slow."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._begun = self._told = time.monotonic()
        self._before: int | None = None

    def step(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._before is None:
            self._begun = self._told = now
            self._before = done
        if done in (self._before, total) or now - self._told < LINE_SECONDS:
            return
        self._told = now
        rate = (done - self._before) / (now - self._begun)
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
