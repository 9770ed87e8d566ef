"""A cluster of Dask: of this machine, one that runs already, or one that a batch queue starts.

Dask is imported where a cluster is asked for, and nowhere else. It knows who works and hands tasks
out; what is tried again, and how often, is our own rule for every engine (`driver`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
import uuid
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Self

from gazetrack.errors import ClusterError, ConfigError, quote
from gazetrack.workflows.engine import remote
from gazetrack.workflows.engine.processes import interrupts_held
from gazetrack.workflows.engine.queues import Queue, check_place, is_queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

PATIENCE_S = 60.0
_AHEAD = 8  # items given out beyond a few for each thread: messages take their time
_CONNECT_SECONDS = 10
_LOOK_SECONDS = 1.0
_GATHER_SECONDS = 5.0
_STOP_SECONDS = 15.0
_OURS = {
    # One death is told at once: who is to blame, and how often a task is tried, is for us to say.
    "distributed.scheduler.allowed-failures": 0,
    # A worker has one task at a time, so that no other one dies with it.
    "distributed.scheduler.worker-saturation": 1.0,
}


class DaskWorkers:
    """The workers of a Dask cluster.

    Parameters
    ----------
    where : str
        ``local``, the address of a scheduler such as ``tcp://host:8786``, or a TOML file about a
        batch queue, see `gazetrack.workflows.engine.queues`.
    jobs : int or None
        Number of workers of a local cluster; one a core by default.
    patience_s : float
        How long to wait for a worker, in seconds, where nobody works.
    tell : callable, optional
        Called with what the user may want to know, such as the address of the dashboard.
    needs : sequence of path-like
        Files of this machine that every worker has to see, which it is asked before it is given
        anything.
    """

    def __init__(
        self,
        where: str,
        jobs: int | None = None,
        *,
        patience_s: float = PATIENCE_S,
        tell: Callable[[str], None] | None = None,
        needs: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        check_place(where)
        distributed = _dask()
        self.died: tuple[type[Exception], ...] = (distributed.KilledWorker,)
        self._where = where
        self._patience_s = patience_s
        self._closing = contextlib.ExitStack()
        self._terms = remote.Terms(uuid.uuid4().hex[:12], os.getcwd(), remote.versions())  # noqa: PTH109
        self._given: list[Any] = []
        self._fetched: dict[Any, Any] = {}
        self._known: set[str] = set()
        self._needed = [remote.needed(path) for path in needs]
        self._threads = 0
        self._looked = float("-inf")
        self._seen = time.monotonic()
        # A queue may let its jobs wait for hours before the first one starts.
        self._waits = is_queue(where)
        self._queue: Queue | None = None
        try:
            self._client = self._connected(distributed, jobs)
            if tell is not None:
                tell(f"dashboard: {self._client.dashboard_link}")
        except BaseException:
            self._closing.close()
            raise

    def _connected(self, distributed: Any, jobs: int | None) -> Any:
        self._closing.enter_context(_quiet())
        # The keyboard's signal goes to all processes; the one that started the others ends them.
        with _settings(), interrupts_held():
            cluster = self._where
            if cluster == "local":
                cluster = self._closing.enter_context(_local(distributed, jobs))
            elif is_queue(cluster):
                self._queue = self._closing.enter_context(Queue(cluster))
                cluster = self._queue.cluster
            # Made apart from its beginning, so that one that cannot begin is closed all the same.
            client = distributed.Client.__new__(distributed.Client)
            try:
                client.__init__(cluster, timeout=_CONNECT_SECONDS, set_as_default=False)
            except (OSError, TimeoutError, TypeError, ValueError, RuntimeError) as error:
                with contextlib.suppress(Exception):
                    client.close(timeout=0)
                what = f"cannot reach the scheduler at {quote(self._where, 80)}"
                hint = "is it running, and may this machine connect to it?"
                if self._where.startswith(("tls:", "wss:")):
                    hint += " Dask's own settings name the certificates"
                raise ClusterError(what, hint=hint) from error
        return self._closing.enter_context(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is not None:
                self._stop()
        finally:
            self._given.clear()
            self._closing.close()

    def _stop(self) -> None:
        """Take back what was given out, and have what is under way end and tidy up."""

        def stop() -> None:
            with contextlib.suppress(Exception):  # the scheduler may be what is gone
                self._client.cancel(self._given, force=True)
                self._client.run(remote.stop, self._terms.study, on_error="ignore")

        # No call of Dask's has a limit of its own for a worker that hangs.
        stopping = threading.Thread(target=stop, daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)

    def room(self) -> int:
        """Return how many items may be under way: enough that no worker waits for its next one.

        None may be before somebody is known who could work, and has been asked for its version.
        """
        self._look_who_works()
        return _AHEAD + 3 * self._threads if self._threads else 0

    def submit(
        self, function: Callable[[Any], Any], numbered: Sequence[tuple[str, Any]]
    ) -> list[Any]:
        """Give items out, each as a task of its own."""
        # Keys of one group: of a group larger than the cluster, Dask gives a worker its next task
        # when it has done one, so that few tasks share the fate of a worker that dies.
        group = f"gazetrack-{self._terms.study}"
        keys = [(group, name) for name, _ in numbered]
        boxes = [remote.Given(item) for _, item in numbered]
        self._given = [future for future in self._given if not future.done()]
        futures = self._client.map(
            remote.do, boxes, key=keys, pure=False, function=function, terms=self._terms
        )
        self._given += futures
        return list(futures)

    def fetch(self, futures: Sequence[Any]) -> None:
        """Get the results of futures that are done in one go, each of which would take a while.

        Where that fails, `result` says of each why.
        """
        whole = [future for future in futures if future.status == "finished"]
        gathering = asyncio.run_coroutine_threadsafe(
            self._client.gather(whole, asynchronous=True), self._client.loop.asyncio_loop
        )
        with contextlib.suppress(Exception):
            values = gathering.result(timeout=_GATHER_SECONDS)
            self._fetched.update(zip(whole, values, strict=True))

    def result(self, future: Any) -> Any:
        """Return the result of a future, or raise what its task raised.

        Raises
        ------
        ClusterError
            The scheduler is gone, or all workers are.
        """
        if future in self._fetched:
            return self._fetched.pop(future)
        while True:
            try:
                return future.result(timeout=_GATHER_SECONDS)
            except CancelledError as error:
                what = f"lost the scheduler at {quote(self._where, 80)}"
                raise ClusterError(
                    what, hint="start it again, and call the command again"
                ) from error
            except TimeoutError:
                # The result is at a worker that died since: it is computed again, if anybody can.
                if future.status == "error":
                    raise
                self.look()

    def look(self) -> None:
        """Look whether anybody works.

        Raises
        ------
        ClusterError
            Nobody has for so long that nobody will, or a queue took none of the jobs.
        """
        self._look_who_works()
        refusal = "" if self._queue is None else self._queue.refusal()
        if refusal:
            what = f"the queue took no job: {quote(refusal, 120)}"
            hint = "--dry-run prints the script that it was given"
            raise ClusterError(what, path=self._where, hint=hint)
        alone_for = time.monotonic() - self._seen
        if self._threads == 0 and alone_for > self._patience_s and not self._waits:
            what = f"no worker is left at {quote(self._where, 80)}"
            hint = "start workers, and call the command again"
            raise ClusterError(what, hint=hint)

    def _look_who_works(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        try:
            who = self._client.nthreads()
        except (OSError, TimeoutError):
            who = {}
        new = who.keys() - self._known
        if new:
            self._known |= new
            self._check_versions()
            self._check_files(sorted(new))
        self._threads = sum(who.values())
        if self._threads:
            self._waits = False
            self._seen = now

    def _check_versions(self) -> None:
        """Refuse another gazetrack at the scheduler or a worker.

        What one cannot import would end its connection without a word, so that it has to be asked
        before it is given anything.
        """
        found = self._client.get_versions(packages=["gazetrack"])
        here = found["client"]["packages"].get("gazetrack")
        places = {"the scheduler": found["scheduler"]}
        places |= {f"the worker {address}": told for address, told in found["workers"].items()}
        for place, told in places.items():
            version = told["packages"].get("gazetrack")
            if version != here:
                what = f"{place} has {f'gazetrack {version}' if version else 'no gazetrack'}"
                hint = "install the same version everywhere"
                raise ClusterError(f"{what}, and here it is {here}", hint=hint)

    def _check_files(self, workers: Sequence[str]) -> None:
        """Refuse a worker that does not see what it would need."""
        if not self._needed:
            return
        # One that has gone by now gives an error in place of a path, and nothing to do either.
        found = self._client.run(
            remote.unseen,
            self._terms.folder,
            self._needed,
            workers=list(workers),
            on_error="return",
        )
        for address, path in found.items():
            if path and isinstance(path, str):
                hint = "use folders that all machines share, also as TMPDIR for copies of addresses"
                raise ClusterError(f"the worker {address} does not see it", path=path, hint=hint)


def _dask() -> Any:
    try:
        import distributed
    except ImportError as error:
        hint = 'pip install "gazetrack[cluster]"'
        raise ConfigError("a cluster needs Dask", hint=hint) from error
    return distributed


def _settings() -> contextlib.AbstractContextManager[Any]:
    import dask

    setting: contextlib.AbstractContextManager[Any] = dask.config.set(_OURS)
    return setting


def _local(distributed: Any, jobs: int | None) -> Any:
    """Return a cluster of this machine that nobody else can reach: a worker a process and core."""
    return distributed.LocalCluster(
        n_workers=jobs or os.cpu_count() or 1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        # Dask would kill a worker that takes more than its share of the memory; --jobs does not.
        memory_limit=None,
        silence_logs=logging.CRITICAL,
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging inside the block: what a user has to know we say ourselves."""
    # Dask gives some of its loggers levels of their own, which one above them does not change.
    known = list(logging.root.manager.loggerDict)
    names = {"distributed", "distributed.client", "tornado.application"}
    names |= {name for name in known if name.startswith("distributed.")}
    before = {name: logging.getLogger(name).level for name in names}
    for name, level in before.items():
        if level or "." not in name or name == "tornado.application":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
