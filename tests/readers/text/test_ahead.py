"""Results of work done ahead come in the order of the items, and so do errors."""

import threading
import time

import pytest

from gazetrack.readers.text.ahead import in_threads


def slow_first(item):
    time.sleep(0.02 if item % 5 == 0 else 0)
    return item * item


def test_results_come_in_the_order_of_the_items():
    with in_threads(slow_first, range(50)) as results:
        assert list(results) == [item * item for item in range(50)]


def test_no_items_no_results():
    with in_threads(slow_first, []) as results:
        assert list(results) == []


def test_an_error_comes_after_the_results_before_it():
    def items():
        yield from range(7)
        raise ValueError("of the items")

    def work(item):
        if item == 5:
            raise KeyError("of the work")
        return slow_first(item)

    seen = []
    with pytest.raises(KeyError, match="of the work"), in_threads(work, items()) as results:
        seen.extend(results)
    assert seen == [item * item for item in range(5)]
    with (
        pytest.raises(ValueError, match="of the items"),
        in_threads(slow_first, items()) as results,
    ):
        list(results)


def test_few_items_are_taken_ahead_and_none_after_the_end():
    taken = []

    def items():
        for item in range(1000):
            taken.append(item)
            yield item

    with in_threads(slow_first, items()) as results:
        next(results)
    assert len(taken) < 10
    assert not [thread for thread in threading.enumerate() if "run" in thread.name]
