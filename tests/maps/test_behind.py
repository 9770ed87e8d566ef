"""Calls in order, one behind; what they raise is raised to who asks for the next."""

from __future__ import annotations

import threading
import time

import pytest

from gazetrack.maps.behind import MOST_BYTES, Behind


def test_a_call_goes_on_while_its_caller_does_and_the_next_one_waits_for_it():
    may_end, done = threading.Event(), []

    def slow():
        assert may_end.wait(300)
        done.append("slow")

    with Behind() as behind:
        behind.call(slow, 1)
        assert done == []
        may_end.set()
        behind.call(lambda: done.append("next"), 1)
        behind.wait()
        assert done == ["slow", "next"]


def test_what_is_large_does_not_wait_beside_the_next_one():
    done = []

    def slow():
        time.sleep(0.05)
        done.append("large")

    with Behind() as behind:
        behind.call(slow, MOST_BYTES + 1)
        assert done == ["large"]


def test_an_error_is_raised_once_and_ends_nothing_else():
    def fail():
        raise OSError("disk full")

    with Behind() as behind:
        behind.call(fail, 1)
        with pytest.raises(OSError, match="disk full"):
            behind.call(fail, 1)
        behind.wait()


def test_the_block_ends_with_the_last_call():
    done = []
    with Behind() as behind:
        behind.call(lambda: done.append(1), 1)
    assert done == [1]


def test_the_block_does_not_end_before_its_last_call():
    may_end, done = threading.Event(), []

    def slow():
        may_end.wait(60)
        done.append("slow")

    with Behind() as behind:
        behind.call(slow, 1)
        later = threading.Timer(0.05, may_end.set)
        later.start()
    assert done == ["slow"]
    later.join()
