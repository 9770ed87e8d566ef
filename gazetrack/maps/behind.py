"""Work that goes on while the next piece of it is made: one thread, one call behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

MOST_BYTES = 2**24  # of what waits for its turn while the next one is made


class Behind:
    """Calls functions in order on a thread of its own, one call behind who asks for it.

    Packing a row takes as long as rendering one, and both let go of the interpreter's lock.
    """

    def __enter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def call(self, function: Callable[[], None], n_bytes: int) -> None:
        """Call a function that holds so many bytes, at once where they are many.

        Raises
        ------
        Exception
            What the call before raised.
        """
        self.wait()
        self._last = self._thread.submit(function)
        if n_bytes > MOST_BYTES:
            self.wait()

    def wait(self) -> None:
        """Wait for the last call; what it raised is raised here, once."""
        last, self._last = self._last, None
        if last is not None:
            last.result()
