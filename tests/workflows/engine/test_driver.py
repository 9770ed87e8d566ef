"""Who gets which item, and what becomes of those whose workers die."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from gazetrack.workflows.engine.driver import Work, driven


class Died(Exception):
    """What a future raises whose worker died."""


class Staged:
    """Workers that do as a test tells them, one item after the other, the newest first."""

    died = (Died,)

    def __init__(self, room=3, deaths=None):
        self._room = room
        self._deaths = dict(deaths or {})
        self.given = []
        self.together = []
        self.looks = 0

    def room(self):
        return self._room

    def submit(self, function, numbered):
        futures = []
        self.given.extend(item for _, item in numbered)
        self.together.append([item for _, item in numbered])
        for _, item in numbered:
            future = Future()
            if self._deaths.get(item, 0) > 0:
                self._deaths[item] -= 1
                future.set_exception(Died())
            else:
                future.set_result(function(item))
            futures.insert(0, future)
        return futures[::-1]

    def fetch(self, futures):
        self.fetched = list(futures)

    def result(self, future):
        assert future in self.fetched
        return future.result()

    def look(self):
        self.looks += 1


def work(items, retries=2, **more):
    lost = lambda item, error: (item, error.what)  # noqa: E731
    return Work(function=str.upper, items=items, retries=retries, lost=lost, **more)


def test_results_come_in_order_and_are_told_at_once():
    told, counts = [], []
    workers = Staged()
    at_once = lambda *pair: told.append(pair)  # noqa: E731
    found = list(driven(work("abcd", at_once=at_once), workers, 4, lambda *n: counts.append(n)))
    assert found == list("ABCD")
    assert sorted(told) == [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")]
    assert counts == [(done, 4) for done in range(5)]
    assert max(map(len, workers.together)) == 3


def test_nothing_at_all_is_done_at_once():
    assert list(driven(work(""), Staged(), 0, None)) == []


def test_an_item_that_was_lost_is_given_out_again():
    workers = Staged(deaths={"b": 2})
    assert list(driven(work("abc"), workers, 3, None)) == list("ABC")
    assert workers.given.count("b") == 3


def test_the_last_try_is_alone():
    workers = Staged(deaths={"b": 9})
    found = list(driven(work("abcdefgh"), workers, 8, None))
    assert found[1] == ("b", "its worker died 3 times: killed, or out of memory")
    assert [found[0], *found[2:]] == list("ACDEFGH")
    assert workers.together[-1] == ["b"]
    assert workers.given.count("b") == 3


@pytest.mark.parametrize(("retries", "tries"), [(1, 2), (2, 3), (4, 5)])
def test_an_item_is_tried_as_often_as_was_said(retries, tries):
    workers = Staged(deaths={"a": 99})
    ((_, what), *_) = driven(work("ab", retries=retries), workers, 2, None)
    assert workers.given.count("a") == tries
    assert f"died {tries} times" in what


def test_few_results_wait_for_an_earlier_one():
    """An item that is tried for the last time waits for its turn: the others do not run away."""
    taken = []

    def items():
        for letter in "abcdefghij":
            taken.append(letter)
            yield letter

    workers = Staged(deaths={"a": 2})
    most = 0
    for _ in driven(work(items(), ahead=3), workers, 10, None):
        most = most or len(taken)
    assert most <= 5
    assert workers.given.count("a") == 3


def test_somebody_looks_where_nothing_is_heard(monkeypatch):
    monkeypatch.setattr("gazetrack.workflows.engine.driver._LOOK_SECONDS", 0.01)
    waiting = Future()

    class Late(Staged):
        def submit(self, function, numbered):
            return [waiting for _ in numbered]

        def look(self):
            super().look()
            if self.looks == 3:
                waiting.set_result("late")

    workers = Late()
    assert list(driven(work("a"), workers, 1, None)) == ["late"]
    assert workers.looks == 3
