"""Who gets which item, what is tried again, and in which order the results come.

Workers die: the system kills one that takes too much memory, a node of a cluster is turned off.
Which of the items that were under way is to blame nobody knows. Those that are lost are given out
again, and for the last time one by one, alone, so that only an item that kills its worker itself
is given up.
"""

from __future__ import annotations

import queue
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from gazetrack.errors import WorkerLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK_SECONDS = 1.0  # between looks at whether anybody still works


class Future(Protocol):
    """What a worker promises: those of `concurrent.futures` and of Dask are alike in this."""

    def add_done_callback(self, function: Callable[[Any], Any], /) -> None:
        """Have a function called with this future, on some thread, when it is done."""


class Workers(Protocol):
    """Somebody who works: processes of this machine, or a cluster."""

    @property
    def died(self) -> tuple[type[Exception], ...]:
        """What a future raises whose worker died."""

    def room(self) -> int:
        """Return how many items may be given out at once."""

    def submit(
        self, function: Callable[[Any], Any], numbered: Sequence[tuple[str, Any]]
    ) -> list[Any]:
        """Give items out, each with a name of its own, and return their futures."""

    def fetch(self, futures: Sequence[Any]) -> None:
        """Get the results of futures that are done, where many at once are quicker."""

    def result(self, future: Any) -> Any:
        """Return the result of a future that is done, or raise what its item raised."""

    def look(self) -> None:
        """Raise `ClusterError` where nobody works any more."""


@dataclass(frozen=True, kw_only=True)
class Work(Generic[Item, Result]):
    """What is to be done; see `gazetrack.workflows.engine.run.over`."""

    function: Callable[[Item], Result]
    items: Iterable[Item]
    retries: int
    lost: Callable[[Item, WorkerLost], Result]
    at_once: Callable[[Item, Result], None] | None = None
    ahead: int | None = None


@dataclass
class _Task(Generic[Item]):
    """An item, its place in the order, how many workers died with it, and whether it is alone."""

    number: int
    item: Item
    deaths: int = 0
    is_alone: bool = False


def driven(
    work: Work[Item, Result],
    workers: Workers,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Result]:
    """Have all items done, and yield their results in order.

    Parameters
    ----------
    work : Work
        The function, its items, and what becomes of those that are lost.
    workers : Workers
        Who does it, ready to work.
    total : int
        How many items there are, which is told with the progress.
    progress : callable or None
        Called with the number of items done and of all, before the first and after each.

    Yields
    ------
    object
        What the function gives for each item.
    """
    driver = _Driver(work, workers)
    if progress is not None:
        progress(0, total)
    while True:
        driver.give_out()
        yield from driver.in_order()
        if driver.is_done:
            return
        for done in driver.settled():
            if progress is not None:
                progress(done, total)


class _Driver(Generic[Item, Result]):
    """The state of `driven`."""

    def __init__(self, work: Work[Item, Result], workers: Workers) -> None:
        self._work = work
        self._workers = workers
        self._fresh = enumerate(work.items)
        self._exhausted = False
        self._again: deque[_Task[Item]] = deque()
        self._alone: deque[_Task[Item]] = deque()
        self._under_way: dict[Any, _Task[Item]] = {}
        self._ready: dict[int, Result] = {}
        self._n_taken = 0
        self._next = 0
        self._n_done = 0
        # Futures tell on threads of theirs; here is where they are heard.
        self._told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be given out, waited for or yielded."""
        left = self._under_way or self._again or self._alone or self._ready
        return self._exhausted and not left

    def give_out(self) -> None:
        """Give the workers as much as they have room for."""
        batch: list[_Task[Item]] = []
        room = self._workers.room() - len(self._under_way)
        while len(batch) < room and (task := self._take()) is not None:
            batch.append(task)
        nothing_else = not self._under_way and not batch
        if nothing_else and room > 0 and self._alone:
            batch.append(self._alone.popleft())
        if not batch:
            return
        named = [(f"{task.number}-{task.deaths}-{task.is_alone}", task.item) for task in batch]
        futures = self._workers.submit(self._work.function, named)
        self._under_way.update(zip(futures, batch, strict=True))
        for future in futures:
            future.add_done_callback(self._told.put)

    def _take(self) -> _Task[Item] | None:
        if self._again:
            return self._again.popleft()
        ahead = self._work.ahead
        if ahead is not None and self._n_taken - self._next > ahead:
            return None
        for number, item in self._fresh:
            self._n_taken = number + 1
            return _Task(number, item)
        self._exhausted = True
        return None

    def in_order(self) -> Iterator[Result]:
        """Yield the results whose turn it is."""
        while self._next in self._ready:
            result = self._ready.pop(self._next)
            self._next += 1
            yield result

    def settled(self) -> Iterator[int]:
        """Wait until something is done; for all that is by then, yield the number of all done."""
        try:
            heard = [self._told.get(timeout=_LOOK_SECONDS)]
        except queue.Empty:
            self._workers.look()
            return
        while not self._told.empty():
            heard.append(self._told.get())
        self._workers.fetch(heard)
        for future in heard:
            n_before = self._n_done
            self._settle(future)
            if self._n_done > n_before:
                yield self._n_done

    def _settle(self, future: Any) -> None:
        task = self._under_way.pop(future)
        try:
            result = self._workers.result(future)
        except self._workers.died as error:
            # A scheduler that somebody else set up may have tried it several times by itself.
            task.deaths += 1 + getattr(error, "allowed_failures", 0)
            is_to_blame = task.is_alone and task.deaths > self._work.retries
            if not is_to_blame:
                task.is_alone = task.deaths >= self._work.retries
                (self._alone if task.is_alone else self._again).append(task)
                return
            result = self._work.lost(task.item, _lost(task.deaths, error))
        self._ready[task.number] = result
        self._n_done += 1
        if self._work.at_once is not None:
            self._work.at_once(task.item, result)


def _lost(deaths: int, error: Exception) -> WorkerLost:
    what = f"its worker died {deaths} times: killed, or out of memory"
    hint = "try it alone, on a machine with more memory"
    lost = WorkerLost(what, hint=hint)
    lost.__cause__ = error
    return lost
