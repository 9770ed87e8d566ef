"""The module of the goals about faults: what it counts, on what it was told."""

from __future__ import annotations

import sys

import pytest

from tests.places import ROOT

pytest.importorskip("torch")


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import _goals_faults

    yield _goals_faults
    sys.modules.pop("_goals_faults", None)


def test_what_failed_is_counted_and_told(module):
    settings = module.Settings()
    found = [("fine", []), ("bad", ["litter", "traceback", "more"]), ("fine too", [])]
    assert module.count(found, settings) == (3, 1)
    assert settings.found == ["bad: litter", "bad: traceback"]


def kills(**counts):
    tried = {"together": 6, "stopped": 48, "linked": 6}
    wrong = {f"{name} wrong": 0 for name in tried}
    return {"kills": 200, "damaged": 0, **tried, **wrong, **counts}


def test_few_kills_are_neither_met_nor_missed_unless_one_damages(module):
    assert module.of_kills(kills(), [7]).met is True
    few = module.of_kills(kills(kills=12), [7, 8])
    assert (few.met, few.cases, few.asked, few.failures) == (None, 12, 200, 0)
    assert "seeds 7, 8" in few.how
    assert module.of_kills(kills(kills=12, damaged=1), [7]).met is False
    assert module.of_kills(kills(**{"linked wrong": 1}), [7]).met is False


def test_all_commands_get_as_much_of_the_time_until_it_is_over(module, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def taking(seconds, name, n):
        for _ in range(n):
            now[0] += seconds
            yield name, []

    found = list(module.alike([taking(10.0, "slow", 9), taking(1.0, "quick", 5)], 26.0))
    assert [name for name, _ in found].count("quick") == 5
    assert [name for name, _ in found].count("slow") == 3
