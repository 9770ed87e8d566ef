"""Many inputs: counted as they are done, and shared out to several processes.

The processes end with the one that has started them.
"""

from __future__ import annotations

import contextlib
import signal
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    Item = TypeVar("Item")
    Result = TypeVar("Result")

_ENDED = 128 + signal.SIGTERM
_ending = False  # of a worker: it was told to end, and begins nothing more


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


def over_processes(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[Result]:
    """Call a function with every item, in several processes.

    Parameters
    ----------
    function : callable
        A function of a module, which other processes find by its name.
    items : sequence
        What it is called with, one at a time.
    jobs : int
        Number of processes that work at once.

    Yields
    ------
    object
        The results, in the order of the items. When the caller stops early, because of an error or
        a signal, every process removes what it has half-written, and ends.
    """
    others = set(active_children())
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin)
    try:
        # The keyboard's signal goes to all processes; the one that started the others ends them.
        with _interrupts_held():
            results = pool.map(partial(_do, function), items)
        yield from results
    except BaseException:
        for worker in set(active_children()) - others:
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold SIGINT back inside the block, and for ever in processes that are started there."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    global _ending  # noqa: PLW0603 - a signal's handler has no other way to leave word
    _ending = True
    # A pool that finds one worker gone tells the others once more, which must not stop them while
    # they tidy up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(_ENDED)


def _do(function: Callable[[Item], Result], item: Item) -> Result:
    if _ending:
        raise SystemExit(_ENDED)
    return function(item)
