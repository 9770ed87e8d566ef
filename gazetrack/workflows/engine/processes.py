"""Several processes of this machine. They end with the one that has started them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from types import FrameType, TracebackType

_ENDED = 128 + signal.SIGTERM
_ending = False  # of a worker: it was told to end, and begins nothing more


class Processes:
    """A pool of processes, and another one where one of them died.

    Parameters
    ----------
    jobs : int
        Number of processes that work at once.
    """

    died: tuple[type[Exception], ...] = (BrokenProcessPool,)

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._others = set(active_children())
        self._pool = self._new_pool()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            for worker in set(active_children()) - self._others:
                worker.terminate()
        self._pool.shutdown(cancel_futures=True)

    def room(self) -> int:
        """Return twice the number of processes, so that none waits for its next item."""
        return 2 * self._jobs

    def submit(
        self, function: Callable[[Any], Any], numbered: Sequence[tuple[str, Any]]
    ) -> list[Future[Any]]:
        """Give items to the processes, which are started as they are needed."""
        return [self._submit(function, item) for _, item in numbered]

    def _submit(self, function: Callable[[Any], Any], item: Any) -> Future[Any]:
        do = partial(_do, function)
        # The keyboard's signal goes to all processes; the one that started the others ends them.
        with interrupts_held():
            try:
                return self._pool.submit(do, item)
            except BrokenProcessPool:
                self._pool.shutdown(cancel_futures=True)
                self._pool = self._new_pool()
                return self._pool.submit(do, item)

    def fetch(self, futures: Sequence[Future[Any]]) -> None:
        """Do nothing: results are here as soon as they are there."""

    def result(self, future: Future[Any]) -> Any:
        """Return the result of a future, or raise what its item raised."""
        return future.result()

    def look(self) -> None:
        """Do nothing: a process that dies is noticed at once."""

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._jobs, mp_context=get_context("spawn"), initializer=_begin)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold SIGINT back inside the block, and for ever in processes that are started there."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python's own helper of new processes lets SIGINT through again when it is started.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Tell this process to end when the one that started it is killed, and can tell it no more."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _end(_number: int, _frame: FrameType | None) -> None:
    global _ending  # noqa: PLW0603 - a signal's handler has no other way to leave word
    _ending = True
    # A pool that finds one worker gone tells the others once more, which must not stop them while
    # they tidy up.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(_ENDED)


def _do(function: Callable[[Any], Any], item: Any) -> Any:
    if _ending:
        os._exit(_ENDED)
    try:
        return function(item)
    except SystemExit:
        # All that was half-written is gone. A pool would take this for a result, and keep the
        # process.
        os._exit(_ENDED)
