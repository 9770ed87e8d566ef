"""Hostile networks, states and maps: a part of those that `benchmarks/robustness.py` takes."""

from __future__ import annotations

import pickle
import sys

import pytest

pytest.importorskip("torch")

from tests.hostile import Canary, Hostile, cases, judge, whole_files

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="peaks of memory are read as Linux tells them"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_files(tmp_path_factory.mktemp("whole"))


def test_no_code_runs_and_every_error_is_ours(whole, tmp_path):
    canary = tmp_path / "canary"
    found = {
        (case.number, case.kind, case.what): judge(case, tmp_path / str(case.number), canary)
        for case in cases(whole, 40, 1, canary)
    }
    assert {case: wrong for case, wrong in found.items() if wrong} == {}


def test_whole_files_can_be_loaded(whole, tmp_path):
    for kind in ("network", "state"):
        Hostile(0, kind, "whole", getattr(whole, kind)).write(tmp_path / kind)
        Hostile(0, kind, "whole", {}).load(tmp_path / kind)
    Hostile(0, "maps", "whole", {"maps.parquet": whole.maps}).write(tmp_path)
    Hostile(0, "maps", "whole", {}).load(tmp_path)


def test_code_that_runs_is_seen(tmp_path, monkeypatch):
    def unpickled(folder):
        return pickle.loads((folder / "a").read_bytes())  # noqa: S301 - which is the point

    monkeypatch.setattr("tests.hostile._maps", unpickled)
    canary = tmp_path / "canary"
    case = Hostile(0, "maps", "pickle", {"a": pickle.dumps(Canary(canary))})
    assert judge(case, tmp_path / "case", canary) == ["code has run"]
