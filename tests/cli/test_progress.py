"""How far the work is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys

import pytest

from gazetrack_cli import printing
from gazetrack_cli.printing import duration, progress_bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(printing.time, "monotonic", lambda: now[0])
    return now


def walk(step, clock, total, seconds_each):
    step(0, total)
    for done in range(1, total + 1):
        clock[0] += seconds_each
        step(done, total)


def test_elsewhere_than_on_a_terminal_a_line_comes_every_ten_seconds(clock, capsys):
    walk(progress_bar("converting"), clock, 10, 4.0)
    assert capsys.readouterr().err == (
        "converting: 3 of 10, 15/min, 28 s left\n"
        "converting: 6 of 10, 15/min, 16 s left\n"
        "converting: 9 of 10, 15/min, 4 s left\n"
    )


def test_what_is_quick_is_done_without_a_word(clock, capsys):
    walk(progress_bar("converting"), clock, 100, 0.05)
    assert capsys.readouterr().err == ""


def test_of_thousands_few_are_told(clock, capsys):
    walk(progress_bar("converting"), clock, 10_000, 0.01)
    lines = capsys.readouterr().err.splitlines()
    assert 9 <= len(lines) <= 10
    assert lines[0].startswith("converting: 1,00")
    assert lines[0].endswith("of 10,000, 100/s, 1 min 30 s left")


def test_who_wants_to_hear_nothing_hears_nothing(clock, capsys):
    walk(progress_bar("converting", lines=False), clock, 10, 4.0)
    walk(progress_bar("converting", quiet=True), clock, 10, 4.0)
    assert capsys.readouterr().err == ""


def test_a_bar_says_how_many_are_done_a_second(clock, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    walk(progress_bar("converting"), clock, 10, 0.5)
    shown = capsys.readouterr().err
    assert "converting 2/s" in shown
    assert "10/10" in shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (7322, "2 h 2 min"), (180_000, "2 d 2 h")],
)
def test_a_time_is_said_in_two_units(seconds, text):
    assert duration(seconds) == text
