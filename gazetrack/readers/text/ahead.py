"""Work on the blocks of a file in threads, ahead of the one that wants the results."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_N_WORKERS = 2
_MOST_AHEAD = 8


@contextmanager
def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Iterator[Result]]:
    """Give an iterator over the results of all items, in their order.

    Whichever thread is free takes the next item and works on it: what it has just read is still in
    its cache. A few results are made ahead. Errors of `items` and `work` are raised in their place
    among the results.

    Parameters
    ----------
    work : callable
        What to do with an item; several threads call it at once.
    items : iterable
        The items; one of the threads at a time takes the next one.
    """
    team = _Team(work, items)
    # Each thread gets a copy of the context: what errors may quote is set there.
    threads = [
        threading.Thread(target=copy_context().run, args=(team.run,), daemon=True)
        for _ in range(_N_WORKERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield team.results()
    finally:
        team.stop()
        for thread in threads:
            thread.join()


class _Team(Generic[Item, Result]):
    """What the threads share."""

    def __init__(self, work: Callable[[Item], Result], items: Iterable[Item]) -> None:
        self._work = work
        self._items = iter(items)
        self._taking = threading.Lock()
        self._over = threading.Event()
        self._room = threading.Semaphore(_MOST_AHEAD)
        # In the order of the items: a result has its place before it is made. None is the end.
        self._results: queue.SimpleQueue[Future[Result] | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Work on one item after the other, until there are no more or nobody wants them."""
        while True:
            self._room.acquire()
            result: Future[Result] = Future()
            try:
                with self._taking:
                    if self._over.is_set():
                        return
                    item = self._next_item(result)
                result.set_result(self._work(item))
            except BaseException as error:  # noqa: BLE001 - raised by `results`
                # At the end of the items nobody waits for this one, and the next turn is the last.
                result.set_exception(error)

    def _next_item(self, result: Future[Result]) -> Item:
        """Take the next item and give its result a place among the others."""
        try:
            item = next(self._items)
        except BaseException as error:
            # There are no more of them, or no more that can be had: the error takes the place.
            self._over.set()
            self._results.put(None if isinstance(error, StopIteration) else result)
            raise
        self._results.put(result)
        return item

    def results(self) -> Iterator[Result]:
        """Yield the results in the order of the items, each as soon as it is made."""
        while (result := self._results.get()) is not None:
            yield result.result()
            self._room.release()

    def stop(self) -> None:
        """Let the threads end: those that wait for room get it, and take nothing more."""
        self._over.set()
        self._room.release(_N_WORKERS)
