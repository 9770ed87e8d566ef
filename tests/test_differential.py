"""benchmarks/differential.py finds a difference, and runs without data or peers."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from tests.places import ROOT


@pytest.fixture
def modules(monkeypatch):
    """The script and what its rows are made of."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("differential"), importlib.import_module("_differential")


def row(modules, cases, **more):
    differential, parts = modules
    check = parts.Check(
        ours="a", peer="b", tolerance=0.5, unit="px", cases=lambda _data: iter(cases), **more
    )
    return differential.run(check, None)


def test_the_largest_difference_decides(modules):
    found = row(modules, [("one", 0.1), ("two", 0.5), ("three", 0.2)])
    assert (found["status"], found["difference"], found["at"], found["cases"]) == (
        "ok",
        0.5,
        "two",
        3,
    )
    for wrong in (0.51, math.inf, math.nan):
        found = row(modules, [("one", 0.1), ("two", wrong), ("three", 0.2)])
        assert (found["status"], found["at"]) == ("failed", "two")


def test_what_cannot_be_compared_is_said(modules):
    assert row(modules, [], needs="no_such_module")["why"] == "no_such_module is not installed"
    assert row(modules, [])["status"] == "skipped"
    found = row(modules, [("unknown to the peer", None), ("one", 0.1)])
    assert (found["status"], found["not_read_by_the_peer"]) == ("ok", ["unknown to the peer"])

    def broken(_data):
        yield "one", 0.1
        raise ValueError("peer")

    differential, parts = modules
    check = parts.Check(ours="a", peer="b", tolerance=0.5, unit="px", cases=broken)
    assert differential.run(check, None)["status"] == "failed"


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.5], 0.5),
        ([np.nan, 2.0], [np.nan, 2.0], 0.0),
        ([np.nan, 2.0], [1.0, 2.0], math.inf),
        ([1.0, 2.0], [np.nan, 2.0], math.inf),
        ([1.0], [1.0, 2.0], math.inf),
        ([], [], 0.0),
    ],
)
def test_differences(modules, ours, theirs, expected):
    assert modules[1].largest(ours, theirs) == expected


def test_relative_differences(modules):
    assert modules[1].largest([2.0, 0.0], [1.0, 0.0], relative=True) == 1.0
    assert modules[1].largest([1.0], [0.0], relative=True) > 1e9


def run(tmp_path, *arguments):
    command = [
        sys.executable,
        "benchmarks/differential.py",
        "--json",
        tmp_path / "d.json",
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done, json.loads((tmp_path / "d.json").read_text())


def test_it_runs_without_data(tmp_path):
    done, report = run(tmp_path, "--only", "by hand")
    assert done.returncode == 0, done.stdout
    assert report["counts"]["failed"] == 0
    assert report["counts"]["ok"] >= 5
    assert all(
        row["difference"] <= row["tolerance"] for row in report["rows"] if row["status"] == "ok"
    )


def test_what_was_printed_for_the_release_has_no_failure():
    report = json.loads((ROOT / "benchmarks" / "results" / "differential.json").read_text())
    assert report["counts"]["failed"] == report["counts"]["skipped"] == 0
    assert all(row["difference"] <= row["tolerance"] for row in report["rows"])
