"""G12 and G13: training that is killed and resumed, or finds its newest state damaged."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from _goals import Row, Settings, named, verdict
from _goals_faults import count

from tests.training_faults import DAMAGES, Training, damages, try_damage, two_states

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TRIALS = 50


def rows(settings: Settings) -> Iterator[Row]:
    """Damage states, then cut a save short at each of its steps, then kill whenever."""
    # Beside other processes, threads that wait for each other take ten times as long. The bits that
    # are compared are those of one thread, too.
    torch.set_num_threads(1)
    until = time.monotonic() + settings.seconds
    with tempfile.TemporaryDirectory() as folder:
        training = Training(Path(folder))
        yield _damaged(training, settings, until)
        yield _resumed(training, settings, until)


def _damaged(training: Training, settings: Settings, until: float) -> Row:
    whole: Any = two_states(training)
    kinds = list(damages())
    found = (
        (f"{name} {ending}", try_damage(training, whole, name, ending))
        for name, ending in kinds
        if time.monotonic() < until
    )
    n, bad = count(found, settings)
    return Row(
        goal="G13",
        figure=f"{n - bad} of {n}",
        met=verdict(bad, n, len(kinds)),
        how=f"{len(DAMAGES)} kinds with both files of a state, by tests/training_faults.py",
        cases=n,
        asked=len(kinds),
        failures=bad,
    )


def _resumed(training: Training, settings: Settings, until: float) -> Row:
    rng = np.random.default_rng(settings.seed)
    steps = list(training.crashes())
    saves = (
        (f"{when} {call}", training.try_crash(found))
        for call, when, found in steps
        if time.monotonic() < until
    )
    cut, worse = count(saves, settings)
    trials = (
        (f"kill and resume {number}", training.try_kills(rng))
        for number in range(TRIALS)
        if time.monotonic() < until
    )
    killed, bad = count(trials, settings)
    # Where the time was over before, nothing is killed: trials come after all steps.
    counts = {"killed": killed, "killed wrong": bad, "steps": cut, "steps wrong": worse}
    return of_resumed(counts, [settings.seed])


def of_resumed(counts: Mapping[str, int], seeds: Sequence[int]) -> Row:
    """Return the row of training that is killed and resumed.

    Parameters
    ----------
    counts : mapping of str to int
        How many trainings were ``killed`` whenever, and at how many ``steps`` of a save; how many
        of both were ``wrong`` afterwards.
    seeds : sequence of int
        From which it follows when a kill came.
    """
    wrong = counts["killed wrong"] + counts["steps wrong"]
    right = f"{counts['killed'] - counts['killed wrong']} of {counts['killed']}"
    right += f", {counts['steps'] - counts['steps wrong']} of {counts['steps']}"
    return Row(
        goal="G12",
        figure=right,
        met=verdict(wrong, counts["killed"], TRIALS),
        how=f"killed up to three times each, {named(seeds)}; and after each call of a save",
        cases=counts["killed"],
        asked=TRIALS,
        failures=wrong,
        counts=counts,
        seeds=seeds,
    )


OF_COUNTS = {"G12": of_resumed}
