"""G5 and G7 to G13: faults at the calls that change files, kills, hostile files, training."""

from __future__ import annotations

import contextlib
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _goals import Row, Settings

from tests.fault_cases import MODEL, TOOLKIT
from tests.faults import Bench, Fault, faults_of
from tests.hostile import cases, judge, whole_files
from tests.kills import kill_loop, planted_links, signalled, two_at_once
from tests.surroundings import SURROUNDINGS, surrounded
from tests.training_faults import DAMAGES, Training, damages, try_damage, two_states

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HOSTILE = 500
KILLS = 200
TRIALS = 50
_KILLED = ("convert", "render", "compact", "bids", "measures", "run")


def rows(settings: Settings) -> Iterator[Row]:
    """Measure all in turn; of the longest, those of one command in every share of the time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield _surroundings(folder / "surroundings", settings)
        yield _hostile(folder / "hostile", settings)
        benches = [
            Bench(case, folder / f"bench{number}" / "work")
            for number, case in enumerate((*TOOLKIT, *MODEL))
        ]
        yield _kills(benches, settings)
        yield _crashes(benches, settings)
        yield _faults(benches, settings)
        yield _synced(benches, settings)
        (folder / "training").mkdir()
        training = Training(folder / "training")
        yield _resumed(training, settings)
        yield _damaged(training, settings)


def _count(found: Iterable[tuple[str, list[str]]], settings: Settings) -> tuple[int, int]:
    """Return how many were tried, and how many of them failed; those are told."""
    n = bad = 0
    for what, wrong in found:
        n += 1
        bad += bool(wrong)
        settings.found.extend(f"{what}: {text}" for text in wrong[:2])
    return n, bad


def _surroundings(folder: Path, settings: Settings) -> Row:
    folder.mkdir()
    found = ((name, surrounded(name, folder)) for name in SURROUNDINGS)
    n, bad = _count(found, settings)
    return Row(
        goal="G5",
        figure=f"{n - bad} of {n}",
        met=bad == 0 and n >= 40,
        how="each case of tests/surroundings.py, in a process of its own",
    )


def _hostile(folder: Path, settings: Settings) -> Row:
    canary = folder / "canary"
    folder.mkdir()

    def judged() -> Iterator[tuple[str, list[str]]]:
        for case in cases(whole_files(folder / "whole"), HOSTILE, settings.seed, canary):
            place = folder / "case"
            yield f"{case.kind} {case.number}: {case.what}", judge(case, place, canary)
            shutil.rmtree(place)

    (folder / "whole").mkdir()
    n, bad = _count(judged(), settings)
    ran = int(canary.exists())
    how = f"networks, states and maps of tests/hostile.py, seed {settings.seed}"
    return Row(goal="G7", figure=f"{ran}; {n - bad} of {n}", met=bad + ran == 0, how=how)


def _kills(benches: list[Bench], settings: Settings) -> Row:
    rng = np.random.default_rng(settings.seed)
    killed = [bench for bench in benches if bench.case.name in _KILLED]
    until = time.monotonic() + settings.seconds
    landed = bad = 0
    while landed < KILLS and time.monotonic() < until:
        for bench in killed:
            for has_landed, wrong in kill_loop(bench, 10, rng):
                landed += has_landed
                bad += bool(wrong)
                settings.found.extend(f"killed {bench.case.name}: {text}" for text in wrong[:2])
    at_once, together = _count(
        ((f"two of {bench.case.name}", two_at_once(bench)) for bench in killed), settings
    )
    stopped, unclean = _count(_stops(killed), settings)
    linked, followed = _count(
        ((f"links: {bench.case.name}", list(planted_links(bench))) for bench in killed), settings
    )
    return Row(
        goal="G8",
        figure=f"{bad} of {landed}",
        met=landed >= KILLS and bad + together + unclean + followed == 0,
        how=f"SIGKILL at any time to {', '.join(_KILLED)}; two at once: {together} of {at_once} "
        f"wrong; SIGTERM, SIGINT, a second signal: {unclean} of {stopped}; planted links "
        f"followed: {followed} of {linked}",
    )


def _stops(benches: list[Bench]) -> Iterator[tuple[str, list[str]]]:
    for bench in benches:
        for number in (signal.SIGTERM, signal.SIGINT):
            for nth in (1, len(bench.calls) // 2):
                for twice in (False, True):
                    wrong = signalled(bench, nth, number, twice=twice)
                    yield f"{number.name} at call {nth} of {bench.case.name}, {twice}", wrong


def _crashes(benches: list[Bench], settings: Settings) -> Row:
    def tried() -> Iterator[tuple[str, list[str]]]:
        for bench in _in_time(benches, settings):
            for n, when, found in bench.crashes():
                again = n % 5 == 0 and when == "before"
                yield f"{bench.case.name}, call {n}, {when}", bench.try_crash(found, again=again)

    n, bad = _count(tried(), settings)
    how = f"{len(benches)} commands, each call that changes a file: tests/faults.py"
    return Row(goal="G9", figure=f"{bad} of {n:,}", met=bad == 0, how=how)


def _faults(benches: list[Bench], settings: Settings) -> Row:
    rng = np.random.default_rng(settings.seed)
    share = settings.seconds / len(benches)
    asked = 0

    def tried() -> Iterator[tuple[str, list[str]]]:
        nonlocal asked
        for bench in benches:
            faults: list[Fault] = list(faults_of(bench.calls))
            asked += len(faults)
            until = time.monotonic() + share
            for place in rng.permutation(len(faults)):
                if time.monotonic() > until:
                    break
                yield f"{bench.case.name}, {faults[place]}", bench.try_fault(faults[place])[0]

    n, bad = _count(tried(), settings)
    how = f"{n:,} of {asked:,} faults of {len(benches)} commands, by lot where time ends"
    return Row(goal="G10", figure=f"{bad} of {n:,}", met=bad == 0, how=how)


def _in_time(benches: list[Bench], settings: Settings) -> Iterator[Bench]:
    until = time.monotonic() + settings.seconds
    for bench in benches:
        if time.monotonic() > until:
            settings.found.append(f"no time for the crashes of {bench.case.name}")
        else:
            yield bench


def _synced(benches: list[Bench], settings: Settings) -> Row:
    _, bad = _count(((bench.case.name, list(bench.unsynced())) for bench in benches), settings)
    published = [call for bench in benches for call in bench.calls if call.name == "replace"]
    how = f"the calls of {len(benches)} commands, traced"
    return Row(goal="G11", figure=f"{bad} of {len(published)}", met=bad == 0, how=how)


def _resumed(training: Training, settings: Settings) -> Row:
    rng = np.random.default_rng(settings.seed)

    def trials() -> Iterator[tuple[str, list[str]]]:
        for number in range(TRIALS):
            yield f"kill and resume {number}", training.try_kills(rng)

    def saves() -> Iterator[tuple[str, list[str]]]:
        for call, when, found in training.crashes():
            yield f"{when} {call}", training.try_crash(found)

    n, bad = _count(trials(), settings)
    steps, worse = _count(saves(), settings)
    how = "killed up to three times each; and after each call of a save"
    figure = f"{n - bad} of {n}, {steps - worse} of {steps}"
    return Row(goal="G12", figure=figure, met=bad + worse == 0, how=how)


def _damaged(training: Training, settings: Settings) -> Row:
    whole: Any = two_states(training)
    found = (
        (f"{name} {ending}", try_damage(training, whole, name, ending))
        for name, ending in damages()
    )
    n, bad = _count(found, settings)
    with contextlib.suppress(OSError):
        shutil.rmtree(training.run)
    how = f"{len(DAMAGES)} kinds with both files of a state, by tests/training_faults.py"
    return Row(goal="G13", figure=f"{n - bad} of {n}", met=bad == 0, how=how)
