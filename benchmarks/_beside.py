"""Modules that measure goals, each in a process of its own, as many beside each other as may be.

A process that is not done when its time is over is ended with all that it has started; the rows
that it has sent by then count. Rows are told as they come.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from _goals import NEEDS, Needs, Row, Settings, share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

PREFIX = "_goals_"
# A module ends by itself when its time is over, but for the case that it has begun.
MORE_TIME = 1.1
MORE_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module that is to measure.

    Parameters
    ----------
    name : str
        Without its prefix.
    needs : Needs
        How much time it takes.
    earlier : mapping of str to dict
        By goal, a row of an earlier run whose counts are added to those of this run.
    """

    name: str
    needs: Needs
    earlier: Mapping[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, earlier: Mapping[str, dict[str, Any]]) -> Module:
        """Return a module with what it needs; one that nobody has listed needs a minute."""
        return cls(name=name, needs=NEEDS.get(name, Needs(seconds=60.0)), earlier=earlier)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of a module, beyond its rows.

    Parameters
    ----------
    found : list of str
        What failed, a line each.
    error : str
        Why it could not measure; empty where it could.
    """

    found: list[str]
    error: str = ""


def lanes(modules: Sequence[Module], processes: int, seconds: float) -> list[list[Module]]:
    """Deal out modules to lanes that run beside each other, so that all take about as long.

    In a lane, those that take as long as they take come first, and what they leave of the time is
    for those that could go on for ever.

    Parameters
    ----------
    modules : sequence of Module
        Those that need not be alone.
    processes : int
        How many lanes there are at most.
    seconds : float
        How long a lane is.
    """
    all_needs = [one.needs for one in modules]
    expected = [(share(one.needs, all_needs, processes * seconds), one) for one in modules]
    dealt: list[list[Module]] = [[] for _ in range(processes)]
    filled = [0.0] * processes
    for takes, one in sorted(expected, key=lambda pair: -pair[0]):
        emptiest = filled.index(min(filled))
        dealt[emptiest].append(one)
        filled[emptiest] += takes
    return [sorted(lane, key=lambda one: one.needs.weight) for lane in dealt if lane]


class _Run:
    """All modules of one call."""

    def __init__(
        self, settings: Settings, end: float, tell: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self.settings = settings
        self.end = end
        self._tell = tell
        self._lock = threading.Lock()
        self._running: set[BaseProcess] = set()
        self._stopped = False

    def in_turn(self, modules: Sequence[Module], others: Sequence[Needs] = ()) -> list[Ended]:
        """Run modules one after the other, with time left for `others`."""
        ended = []
        for number, one in enumerate(modules):
            waiting = [*(later.needs for later in modules[number:]), *others]
            seconds = share(one.needs, waiting, self.end - time.monotonic())
            ended.append(self._measured(one, seconds))
        return ended

    def stop(self) -> None:
        """End all that runs, and begin nothing more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                _end(process)

    def _measured(self, one: Module, seconds: float) -> Ended:
        """Run a module, tell its rows, and end it when it is late."""
        spawn = multiprocessing.get_context("spawn")
        ours, its = spawn.Pipe(duplex=False)
        begun = time.monotonic()
        late = begun + MORE_TIME * seconds + MORE_SECONDS
        settings = replace(self.settings, found=[])
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            until = begun + seconds
            process = spawn.Process(target=_work, args=(one, settings, until, its, folder))
            with self._lock:
                if self._stopped:
                    return Ended(found=[], error="not begun")
                process.start()
                self._running.add(process)
            its.close()
            ended = self._listened(one.name, ours, late)
            _end(process)
            process.join()
            with self._lock:
                self._running.discard(process)
        took = time.monotonic() - begun
        said = ended.error or "done"
        print(f"{one.name}: {said} after {took:.0f} of {seconds:.0f} s", file=sys.stderr)
        return ended

    def _listened(self, name: str, ours: Connection, late: float) -> Ended:
        """Take what a module sends, until it ends or is late."""
        found: list[str] = []
        while wait([ours], max(late - time.monotonic(), 0.0)):
            try:
                kind, sent = ours.recv()
            except EOFError:
                return Ended(found=found, error="the process died")
            if kind == "row":
                with self._lock:
                    self._tell(name, sent)
            elif kind == "found":
                found += sent
            else:
                return Ended(found=found, error=sent)
        # What was not measured says so in the table.
        print(f"{name}: was cut, as its time is over; rows that it had stay", file=sys.stderr)
        return Ended(found=found)


def run_all(
    modules: Sequence[Module],
    settings: Settings,
    *,
    end: float,
    processes: int,
    tell: Callable[[str, dict[str, Any]], None],
) -> list[Ended]:
    """Let modules measure; return what became of each.

    Parameters
    ----------
    modules : sequence of Module
        Those that are to measure.
    settings : Settings
        How; each module gets its own share of the time.
    end : float
        Until when all have to be done, as `time.monotonic` counts.
    processes : int
        How many run beside each other.
    tell : callable
        Gets the name of a module and a row of it, one call at a time.
    """
    run = _Run(settings, end, tell)
    alone = [one for one in modules if one.needs.alone]
    beside = [one for one in modules if not one.needs.alone]
    # For those that are alone, the others are a single lane that is as long as one of theirs.
    rest = [replace(n, seconds=n.seconds / processes, weight=n.weight / processes)
            for n in (one.needs for one in beside)]  # fmt: skip
    try:
        ended = run.in_turn(alone, rest)
        dealt = lanes(beside, processes, end - time.monotonic())
        with ThreadPoolExecutor(max(len(dealt), 1)) as threads:
            # Here, as leaving the pool would wait for all of them.
            running = [threads.submit(run.in_turn, lane) for lane in dealt]
            try:
                ended += [one for lane in running for one in lane.result()]
            except BaseException:
                run.stop()
                raise
    finally:
        run.stop()
    return ended


def _end(process: BaseProcess) -> None:
    """End a process with all that it has started."""
    if process.pid is not None:
        with contextlib.suppress(OSError):  # it has ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()


def _work(one: Module, settings: Settings, until: float, its: Connection, folder: str) -> None:
    """Measure, and send what comes out: what the process of a module does."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None  # as it may be known already
    error = ""
    told = 0
    try:
        module = importlib.import_module(PREFIX + one.name)
        # All that is imported has taken its time, too: seconds, where machines are busy.
        settings = replace(settings, seconds=max(until - time.monotonic(), 0.0))
        for row in module.rows(settings):
            if _is_empty(row):
                continue
            its.send(("row", asdict(_added(module, row, one.earlier.get(row.goal)))))
            its.send(("found", settings.found[told:]))
            told = len(settings.found)
    except Exception as raised:  # noqa: BLE001 - one module that fails must not take the others'
        traceback.print_exc()
        error = f"could not measure: {type(raised).__name__}: {raised}"
    its.send(("found", settings.found[told:]))
    its.send(("end", error))


def _is_empty(row: Row) -> bool:
    """Whether nothing was tried: the goal is not measured then."""
    return row.cases == 0 and not row.failures and not any(row.counts.values())


def _end_with_parent() -> None:
    """End this process and all it has started, when nobody is there any more to listen."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.killpg(0, signal.SIGKILL)


def _added(module: Any, row: Row, earlier: Mapping[str, Any] | None) -> Row:
    """Return the row of all counts, those of an earlier run included."""
    if earlier is None or row.goal not in getattr(module, "OF_COUNTS", {}):
        return row
    counts = Counter(row.counts)
    counts.update(earlier["counts"])
    found: Row = module.OF_COUNTS[row.goal](counts, sorted({*earlier["seeds"], *row.seeds}))
    return found
