"""The goals of size, at sizes that take seconds."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import _goals_size as size


def test_long_exports_give_memory_and_time(tmp_path):
    memory, took = size.of_long_exports(tmp_path, (1.0, 3.0), ["pupil_core"])
    assert (memory.goal, took.goal) == ("G14", "G15")
    assert memory.figure.startswith("at most ")
    assert "rows a MB alike" in took.figure


@pytest.fixture(scope="module")
def absurd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("absurd")
    cases = size.absurd_cases(folder, line=3 << 20, bomb=1 << 20, columns=20_000, files=3)
    return folder, {case.name: case for case in cases}


def test_absurd_inputs_end_as_they_have_to(absurd):
    folder, cases = absurd
    found = []
    names = ["a line without an end", "an absurd screen"]
    row = size.of_absurd_sizes([cases[name] for name in names], folder, found)
    assert (found, row.met) == ([], True)
    assert row.figure.startswith("2 of 2")


def test_a_case_that_ends_otherwise_is_found(absurd):
    folder, cases = absurd
    case = replace(cases["an absurd screen"], code=1, says="what nobody says")
    found = []
    row = size.of_absurd_sizes([case], folder, found)
    assert not row.met
    assert [line.split(":")[0] for line in found] == ["G16 an absurd screen"] * 3


def test_descriptors_are_few_where_they_are_to_be(absurd):
    folder, cases = absurd
    case = replace(
        cases["a thousand files, few descriptors"], descriptors=3
    )  # its outputs, and none to read with
    found = []
    assert not size.of_absurd_sizes([case], folder, found).met
