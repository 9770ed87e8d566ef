"""The goals of training that is killed: what the row says of the counts, and that time ends it."""

from __future__ import annotations

import sys
import time

import pytest

from tests.places import ROOT

pytest.importorskip("torch")


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import _goals_training

    yield _goals_training
    for name in ("_goals_training", "_goals_faults"):
        sys.modules.pop(name, None)


class Training:
    """A training whose every trial takes as long as it takes to look at the clock."""

    tried = 0

    def crashes(self):
        return [("replace", "after", {}), ("fsync", "after", {})]

    def try_crash(self, _found):
        return []

    def try_kills(self, _rng):
        self.tried += 1
        return ["another result"] if self.tried == 3 else []


def test_trials_are_counted_and_one_that_goes_wrong_misses_the_goal(module):
    row = module._resumed(Training(), module.Settings(), time.monotonic() + 60)
    assert (row.met, row.figure, row.failures) == (False, "49 of 50, 2 of 2", 1)
    assert row.counts == {"killed": 50, "killed wrong": 1, "steps": 2, "steps wrong": 0}


def test_no_trial_begins_when_the_time_is_over(module):
    row = module._resumed(Training(), module.Settings(), time.monotonic() - 1)
    assert (row.met, row.cases, row.asked, row.figure) == (None, 0, 50, "0 of 0, 0 of 0")


def test_counts_of_two_runs_give_one_row(module):
    counts = {"killed": 60, "killed wrong": 0, "steps": 80, "steps wrong": 0}
    row = module.OF_COUNTS["G12"](counts, [7, 8])
    assert (row.met, row.seeds) == (True, [7, 8])
    assert "seeds 7, 8" in row.how
