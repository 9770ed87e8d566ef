"""Signals while a run goes on: the first one is noted, the second one ends the process."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from gradtrack_model.training.interrupts import stop_signals

NUMBERS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def heard():
    """What other handlers hear of the signals."""
    numbers = []
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number in NUMBERS:
        signal.signal(number, lambda number, _: numbers.append(number))
    yield numbers
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("first", NUMBERS)
@pytest.mark.parametrize("second", NUMBERS)
def test_the_first_is_noted_and_the_second_is_as_if_nobody_listened(heard, first, second):
    with stop_signals() as stop:
        assert stop.signal is None
        send(first)
        assert (stop.signal, heard) == (first, [])
        send(second)
        assert (stop.signal, heard) == (first, [second])


@pytest.mark.parametrize("number", NUMBERS)
def test_nobody_listens_after_the_block_also_after_an_error(heard, number):
    with pytest.raises(ValueError, match="of the run"), stop_signals() as stop:
        raise ValueError("of the run")
    send(number)
    assert (stop.signal, heard) == (None, [number])


def test_threads_do_without(heard):
    found = []

    def run():
        with stop_signals() as stop:
            found.append(stop.signal)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    send(signal.SIGTERM)
    assert (found, heard) == ([None], [signal.SIGTERM])
