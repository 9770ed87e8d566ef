"""G8 to G11: kills, crashes and faults at the calls that change files, of every command."""

from __future__ import annotations

import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from _goals import Row, Settings, named, verdict

from tests.fault_cases import MODEL, TOOLKIT
from tests.faults import Bench, Fault, faults_of
from tests.kills import kill_loop, planted_links, signalled, two_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

KILLS = 200
_KILLED = ("convert", "render", "compact", "bids", "measures", "run")
# Of the time that is left when it is their turn: kills, then crashes; faults take all the rest.
_KILLS_SHARE, _CRASHES_SHARE = 0.4, 0.4


def rows(settings: Settings) -> Iterator[Row]:
    """Measure all in turn, each in its share of the time."""
    # Threads that wait for each other take many times as long where cores are busy.
    torch.set_num_threads(1)
    end = time.monotonic() + settings.seconds

    def until(share: float) -> float:
        now = time.monotonic()
        return now + share * max(end - now, 0.0)

    with tempfile.TemporaryDirectory() as name:
        places = enumerate((*TOOLKIT, *MODEL))
        benches = [Bench(case, Path(name) / f"bench{i}" / "work") for i, case in places]
        yield _synced(benches, settings)
        yield _kills(benches, settings, until(_KILLS_SHARE))
        yield _crashes(benches, settings, until(_CRASHES_SHARE))
        yield _faults(benches, settings, end)


def count(found: Iterable[tuple[str, list[str]]], settings: Settings) -> tuple[int, int]:
    """Return how many were tried, and how many of them failed; those are told.

    Parameters
    ----------
    found : iterable of (str, list of str)
        What was tried, and what was wrong.
    settings : Settings
        Its `found` gets a line for the first things that were wrong.
    """
    n = bad = 0
    for what, wrong in found:
        n += 1
        bad += bool(wrong)
        settings.found.extend(f"{what}: {text}" for text in wrong[:2])
    return n, bad


def alike(
    trials: Sequence[Iterator[tuple[str, list[str]]]], until: float
) -> Iterator[tuple[str, list[str]]]:
    """Yield what several have to try, until the time is over; all get as much of it.

    Who is quick is then done with all of its own, however slow others are.

    Parameters
    ----------
    trials : sequence of iterator
        What each of them tries.
    until : float
        When to begin no other trial, s of `time.monotonic`.
    """
    spent = dict.fromkeys(range(len(trials)), 0.0)
    while spent and time.monotonic() < until:
        own = min(spent, key=lambda number: spent[number])
        begun = time.monotonic()
        found = next(trials[own], None)
        spent[own] += time.monotonic() - begun
        if found is None:
            del spent[own]
        else:
            yield found


def _synced(benches: list[Bench], settings: Settings) -> Row:
    _, bad = count(((bench.case.name, list(bench.unsynced())) for bench in benches), settings)
    published = [call for bench in benches for call in bench.calls if call.name == "replace"]
    how = f"the calls of {len(benches)} commands, traced"
    return Row(goal="G11", figure=f"{bad} of {len(published)}", met=bad == 0, how=how)


def _kills(benches: list[Bench], settings: Settings, until: float) -> Row:
    killed = [bench for bench in benches if bench.case.name in _KILLED]
    numbers = {}
    beside: dict[str, Sequence[tuple[str, Callable[[], list[str]]]]] = {
        "together": [(f"two of {b.case.name}", lambda b=b: two_at_once(b)) for b in killed],
        "stopped": [stop for bench in killed for stop in _stops(bench)],
        "linked": [(f"links: {b.case.name}", lambda b=b: list(planted_links(b))) for b in killed],
    }
    for what, trials in beside.items():
        tried = ((name, trial()) for name, trial in trials if time.monotonic() < until)
        n, bad = count(tried, settings)
        numbers |= {what: n, f"{what} wrong": bad}
    # Where the time was over before, no kill lands: as many as are asked for come after all that.
    landed, damaged = _landed(killed, settings, until)
    return of_kills({"kills": landed, "damaged": damaged, **numbers}, [settings.seed])


def _landed(killed: list[Bench], settings: Settings, until: float) -> tuple[int, int]:
    """Kill until it is enough, or the time is over; return how many kills landed, and damaged."""
    rng = np.random.default_rng(settings.seed)
    landed = damaged = 0
    while landed < KILLS and time.monotonic() < until:
        for bench in killed:
            for has_landed, wrong in kill_loop(bench, 10, rng):
                landed += has_landed
                damaged += bool(wrong)
                settings.found.extend(f"killed {bench.case.name}: {text}" for text in wrong[:2])
                if time.monotonic() > until:
                    break
    return landed, damaged


def _stops(bench: Bench) -> Iterator[tuple[str, Callable[[], list[str]]]]:
    for number in (signal.SIGTERM, signal.SIGINT):
        for nth in (1, len(bench.calls) // 2):
            for twice in (False, True):
                what = f"{number.name} at call {nth} of {bench.case.name}, {twice}"
                yield what, lambda n=nth, s=number, t=twice: signalled(bench, n, s, twice=t)


def of_kills(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    """Return the row of kills, and of what is tried beside them.

    Parameters
    ----------
    counts : mapping of str to int
        How many ``kills`` landed and ``damaged`` something; of commands that ran ``together``, were
        ``stopped`` by a signal, and found links ``linked``: how many, and how many ``wrong``.
    seeds : sequence of int
        From which it follows when a kill came.
    """
    kinds = ("together", "stopped", "linked")
    wrong = counts["damaged"] + sum(counts[f"{kind} wrong"] for kind in kinds)
    tried = {kind: f"{counts[f'{kind} wrong']} of {counts[kind]}" for kind in kinds}
    return Row(
        goal="G8",
        figure=f"{counts['damaged']} of {counts['kills']}",
        met=verdict(wrong, counts["kills"], KILLS),
        how=f"SIGKILL at any time to {', '.join(_KILLED)}, {named(seeds)}; two at once: "
        f"{tried['together']} wrong; SIGTERM, SIGINT, a second signal: {tried['stopped']}; planted "
        f"links followed: {tried['linked']}",
        cases=counts["kills"],
        asked=KILLS,
        failures=wrong,
        counts=counts,
        seeds=seeds,
    )


OF_COUNTS = {"G8": of_kills}


def _crashes(benches: list[Bench], settings: Settings, until: float) -> Row:
    asked = sum(_moments(bench) for bench in benches)

    def crashes(bench: Bench) -> Iterator[tuple[str, list[str]]]:
        for n, when, found in bench.crashes():
            again = n % 5 == 0 and when == "before"
            yield f"{bench.case.name}, call {n}, {when}", bench.try_crash(found, again=again)

    n, bad = count(alike([crashes(bench) for bench in benches], until), settings)
    how = f"{len(benches)} commands, each call that changes a file: tests/faults.py"
    return _of_tried("G9", bad, n, asked, how)


def _of_tried(goal: str, bad: int, n: int, asked: int, how: str) -> Row:
    """Return the row of a goal that allows no failure: `bad` of `n`, of `asked` there are."""
    return Row(
        goal=goal,
        figure=f"{bad} of {n:,}",
        met=verdict(bad, n, asked),
        how=how,
        cases=n,
        asked=asked,
        failures=bad,
    )


def _moments(bench: Bench) -> int:
    """Return at how many moments a command may crash: those that `Bench.crashes` yields."""
    return sum(1 for _ in bench.crashes())


def _faults(benches: list[Bench], settings: Settings, end: float) -> Row:
    rng = np.random.default_rng(settings.seed)
    faults: list[list[Fault]] = [list(faults_of(bench.calls)) for bench in benches]
    asked = sum(map(len, faults))

    def tried(bench: Bench, own: list[Fault]) -> Iterator[tuple[str, list[str]]]:
        for place in rng.permutation(len(own)):
            yield f"{bench.case.name}, {own[place]}", bench.try_fault(own[place])[0]

    trials = [tried(bench, own) for bench, own in zip(benches, faults, strict=True)]
    n, bad = count(alike(trials, end), settings)
    how = f"faults of {len(benches)} commands, in equal times and by lot where time ends"
    return _of_tried("G10", bad, n, asked, how)
