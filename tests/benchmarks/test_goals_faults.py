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
    assert module._count(found, settings) == (3, 1)
    assert settings.found == ["bad: litter", "bad: traceback"]
