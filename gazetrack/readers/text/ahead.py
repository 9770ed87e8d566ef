"""Work on the blocks of a file in threads, ahead of the one that wants the results."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKERS = 2
_AHEAD = 32


@contextmanager
def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Iterator[Result]]:
    """Give an iterator over the results of all items, in their order.

    Whichever thread is free takes the next item and works on it: what it has just read is still in
    its cache. A few results are made ahead. Errors of `items` and `work` are raised in their place
    among the results.
    """
    todo, taking, over = iter(items), threading.Lock(), threading.Event()
    room = threading.Semaphore(_AHEAD)
    results: queue.SimpleQueue[Future[Result] | None] = queue.SimpleQueue()

    def run() -> None:
        while True:
            room.acquire()
            result: Future[Result] = Future()
            try:
                with taking:
                    if over.is_set():
                        return
                    try:
                        item = next(todo)
                    except (
                        BaseException
                    ) as error:  # there are no more of them, or no more that can be had
                        over.set()
                        results.put(None if isinstance(error, StopIteration) else result)
                        raise
                    results.put(result)
                result.set_result(work(item))
            except BaseException as error:  # noqa: BLE001 - raised by `ordered`
                result.set_exception(error)

    def ordered() -> Iterator[Result]:
        while (result := results.get()) is not None:
            yield result.result()
            room.release()

    # A copy of the context for each thread: what errors may quote is set there.
    threads = [
        threading.Thread(target=copy_context().run, args=(run,), daemon=True)
        for _ in range(_WORKERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield ordered()
    finally:
        over.set()
        room.release(_WORKERS)
        for thread in threads:
            thread.join()
