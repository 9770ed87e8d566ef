"""Many inputs are counted as they are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Item = TypeVar("Item")


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
