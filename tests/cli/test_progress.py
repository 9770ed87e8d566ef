"""How far the work is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys

import pytest

from gazetrack_cli import progress
from gazetrack_cli.progress import duration, progress_bar, told_to


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
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


@pytest.fixture
def terminal(monkeypatch, capsys):
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


def test_a_bar_says_how_long_the_others_take(clock, capsys, terminal):
    walk(progress_bar("converting"), clock, 10, 4.0)
    assert "converting 15/min, 28 s left" in capsys.readouterr().err


def test_what_went_on_later_is_not_taken_for_quick(clock, capsys, terminal):
    step = progress_bar("training")
    with progress.ended_bars():
        step(500, 1000)
        for done in range(501, 511):
            clock[0] += 1.0
            step(done, 1000)
    assert "training 1/s, 8 min 10 s left" in capsys.readouterr().err


def test_a_bar_has_colours_unless_nobody_wants_any(clock, capsys, terminal, monkeypatch):
    walk(progress_bar("converting"), clock, 2, 4.0)
    assert "\x1b[32m" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    walk(progress_bar("converting"), clock, 2, 4.0)
    shown = capsys.readouterr().err
    assert "2/2" in shown
    assert "\x1b[32m" not in shown


def test_a_terminal_that_cannot_draw_gets_lines(clock, capsys, terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    walk(progress_bar("converting"), clock, 4, 6.0)
    assert capsys.readouterr().err == "converting: 2 of 4, 10/min, 12 s left\n"


def test_nothing_to_do_draws_nothing(capsys, terminal):
    progress_bar("converting")(0, 0)
    assert capsys.readouterr().err == ""


def test_an_error_stands_on_a_line_of_its_own_below_the_bar(capsys, terminal):
    def fails():
        progress_bar("converting")(1, 3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), progress.ended_bars():
        fails()
    shown = capsys.readouterr().err
    assert "1/3" in shown
    # The cursor is there again, and the line has ended.
    assert shown.endswith("\n\x1b[?25h")
    progress_bar("rendering")(1, 1)
    assert "converting" not in capsys.readouterr().err


def test_several_bars_stand_below_each_other(clock, capsys, terminal):
    first = progress_bar("run 1")
    second = progress_bar("run 2")
    first(1, 2)
    second(1, 2)
    clock[0] += 1
    first(2, 2)
    second(2, 2)
    shown = capsys.readouterr().err
    assert shown.index("run 1") < shown.index("run 2")
    assert shown.endswith("\x1b[?25h")


def test_a_second_round_has_a_bar_of_its_own(clock, capsys, terminal):
    bar = progress_bar("merging")
    walk(bar, clock, 2, 0.2)
    assert "2/2" in capsys.readouterr().err
    walk(bar, clock, 3, 0.2)
    assert "3/3" in capsys.readouterr().err


def test_who_shows_progress_elsewhere_is_told_of_all(capsys, terminal):
    told = []
    with told_to(lambda done, total: told.append((done, total))):
        progress_bar("converting", quiet=True)(1, 2)
    assert told == [(1, 2)]
    assert capsys.readouterr().err == ""


def test_what_is_printed_for_a_file_is_not_drawn_beside_the_bar(capsys, terminal):
    with progress.ended_bars():
        progress_bar("converting")(1, 2)
        print("a result")  # noqa: T201
    printed = capsys.readouterr()
    assert printed.out == "a result\n"
    assert "a result" not in printed.err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (7322, "2 h 2 min"), (180_000, "2 d 2 h")],
)
def test_a_time_is_said_in_two_units(seconds, text):
    assert duration(seconds) == text
