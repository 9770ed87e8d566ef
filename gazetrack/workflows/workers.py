"""Many inputs are counted as they are done, and shared out to threads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    Item = TypeVar("Item")
    Result = TypeVar("Result")


def counted(
    items: Iterable[Item], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[Item]:
    """Yield items, and tell how many are done.

    It is told before the first one, too, so that a long one is seen to have begun.
    """
    if progress is None:
        yield from items
        return
    progress(0, total)
    for done, item in enumerate(items, 1):
        yield item
        progress(done, total)


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int
) -> Iterator[Result]:
    """Call a function with every item, in several threads.

    Parameters
    ----------
    function : callable
        It spends its time where the interpreter's lock is released, as kernels and networks do.
    items : iterable
        What it is called with, one at a time; they are taken only as they are needed.
    jobs : int
        Number of threads; one is the caller's own.

    Yields
    ------
    object
        The results, in the order of the items.
    """
    if jobs <= 1:
        yield from map(function, items)
        return
    # The threads are only a few items ahead of the one that is taken, so that memory does not grow
    # with their number.
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[Future[Result]] = deque()
        for item in items:
            ahead.append(pool.submit(function, item))
            if len(ahead) > 2 * jobs:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
