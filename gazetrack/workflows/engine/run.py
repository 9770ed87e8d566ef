"""One function over many recordings, wherever it runs: the one place where that is decided.

A function gets one recording, and works on it alone: calling it again gives the same files, whole.
So a recording whose worker dies is simply given to another, and what comes out does not depend on
who has done it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gazetrack.errors import ConfigError
from gazetrack.workflows.engine.driver import Work, driven
from gazetrack.workflows.engine.queues import check_place
from gazetrack.workflows.workers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gazetrack.errors import WorkerLost
    from gazetrack.workflows.engine.driver import Workers

    Item = TypeVar("Item")
    Result = TypeVar("Result")

RETRIES = 2
PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where a function is called with many recordings, and how often it is tried.

    Parameters
    ----------
    jobs : int or None
        Number of processes that work at once; with 1, the default, this one does the work. Of a
        local cluster it is one a core by default.
    cluster : str or None
        Where Dask works: ``local``, an address such as ``tcp://host:8786``, or a TOML file about a
        batch queue, see `gazetrack.workflows.engine.queues`. None is without Dask.
    retries : int
        How often a recording is given to another worker after its worker died; the last time it
        is alone, so that no other one can be to blame.
    patience_s : float
        How long to wait for a worker, in seconds, where a cluster has none.
    tell : callable or None
        Called with what a user may want to know, such as the address of Dask's dashboard.
    """

    jobs: int | None = None
    cluster: str | None = None
    retries: int = RETRIES
    patience_s: float = PATIENCE_S
    tell: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError(f"jobs={self.jobs}", hint="use 1 or more processes")
        if self.retries < 1:
            hint = (
                "use 1 or more: which of several recordings kills a worker only a second try says"
            )
            raise ConfigError(f"retries={self.retries}", hint=hint)
        if self.cluster is not None:
            check_place(self.cluster)

    @classmethod
    def of(cls, jobs: int | Engine) -> Engine:
        """Return an engine, also of a mere number of processes."""
        return jobs if isinstance(jobs, Engine) else cls(jobs=jobs)

    def works_here(self, n_items: int) -> bool:
        """Whether this process does the work itself, one recording after the other."""
        return self.cluster is None and (self.jobs in (None, 1) or n_items <= 1)

    def workers(self, needs: Sequence[Path] = ()) -> AbstractContextManager[Workers]:
        """Return what does the work, to be entered; of a cluster, every worker sees `needs`."""
        if self.cluster is None:
            from gazetrack.workflows.engine.processes import Processes

            return Processes(self.jobs or 1)
        from gazetrack.workflows.engine.cluster import DaskWorkers

        return DaskWorkers(
            self.cluster, self.jobs, patience_s=self.patience_s, tell=self.tell, needs=needs
        )


def over(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    engine: Engine,
    *,
    total: int,
    lost: Callable[[Item, WorkerLost], Result],
    progress: Callable[[int, int], None] | None = None,
    at_once: Callable[[Item, Result], None] | None = None,
    ahead: int | None = None,
    needs: Sequence[Path] = (),
) -> Iterator[Result]:
    """Call a function with every item, on the engine's workers.

    Parameters
    ----------
    function : callable
        A function of a module, or a `functools.partial` of one, which other processes find by its
        name. What it raises ends everything.
    items : iterable
        What it is called with, one at a time; they are taken as they are needed.
    engine : Engine
        Who works, and how often an item is tried.
    total : int
        How many items there are, which is told with the progress.
    lost : callable
        Gives the result of an item whose workers died each time, from the item and the error.
    progress : callable, optional
        Called with the number of items done and of all, before the first and after each.
    at_once : callable, optional
        Called with each item and its result as soon as it is there, whatever the order.
    ahead : int, optional
        How many results may wait for an earlier one; any number by default.
    needs : sequence of pathlib.Path
        Files that the function opens, or some of many: a worker of a cluster that does not see
        them ends everything before it is given anything.

    Yields
    ------
    object
        The results, in the order of the items. When the caller stops early, because of an error or
        a signal, every worker removes what it has half-written.
    """
    if engine.works_here(total):
        for item in counted(items, total, progress):
            result = function(item)
            if at_once is not None:
                at_once(item, result)
            yield result
        return
    work = Work(
        function=function,
        items=items,
        retries=engine.retries,
        lost=lost,
        at_once=at_once,
        ahead=ahead,
    )
    with engine.workers(needs) as workers:
        yield from driven(work, workers, total, progress)
