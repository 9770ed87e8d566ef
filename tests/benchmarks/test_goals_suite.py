"""The goals that the test suite itself has."""

from __future__ import annotations

import re
import sys

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import _goals_suite as suite
from _goals import Settings

WHOLE = {
    "num_branches": 1000,
    "covered_branches": 1000,
    "missing_lines": 0,
    "num_statements": 4000,
    "percent_covered": 100.0,
}


def test_a_branch_that_is_not_run_misses_the_goal():
    whole = dict.fromkeys(suite.PARTS, WHOLE)
    green = dict.fromkeys(suite.PARTS, "70 passed in 3.00s")
    assert suite.of_coverage(whole, green).met
    red = green | {"tables and publishing": "1 failed, 69 passed in 3.00s"}
    failing = suite.of_coverage(whole, red)
    assert failing.met is False
    assert "tests of tables and publishing fail: 1 failed, 69 passed" in failing.figure
    one_less = WHOLE | {"covered_branches": 999, "percent_covered": 99.98}
    row = suite.of_coverage(whole | {"readers": one_less}, green)
    assert (row.goal, row.met) == ("G18", False)
    left = "1 of 1,000 branches and 0 of 4,000 statements are not run"
    assert f"readers 99.9 % ({left})" in row.figure


def test_a_kernel_that_fails_misses_the_goal():
    checked, uncompiled = suite.KERNELS
    green = {checked: "70 passed in 3.00s", uncompiled: "70 passed in 3.00s"}
    assert suite.of_kernels(green).met
    row = suite.of_kernels(green | {checked: "1 failed, 69 passed in 3.00s"})
    assert (row.goal, row.met) == ("G19", False)
    assert suite.of_kernels(green | {checked: "1 passed, 79 skipped in 3.00s"}).met is False
    assert suite.of_kernels(green | {checked: "no tests ran in 0.1s"}).met is False


def test_a_part_that_there_was_no_time_for_is_neither_met_nor_missed():
    kernels = suite.of_kernels({"bounds checked": "70 passed in 3.00s"})
    assert (kernels.met, kernels.cases, kernels.asked) == (None, 1, 2)
    parts = suite.of_coverage({"readers": WHOLE}, {"readers": "70 passed in 3.00s"})
    assert (parts.met, parts.cases, parts.asked) == (None, 1, 3)


def test_without_time_there_is_no_row():
    assert list(suite.rows(Settings(seconds=0))) == []


def test_what_is_measured_is_what_make_coverage_demands():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {}
    for name in ("COVERED", "COVERED_BY"):
        (found,) = re.findall(rf"^{name} := ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
        named[name] = set(found.replace("\\", " ").split())
    parts = suite.PARTS.values()
    assert {module for modules, _ in parts for module in modules} == named["COVERED"]
    assert {path for _, tests in parts for path in tests} == named["COVERED_BY"]


def test_what_is_left_out_is_there_and_is_said():
    for left_out in suite.WITHOUT:
        path, _, name = left_out.partition("::")
        assert f"def {name}" in (ROOT / path).read_text("utf-8")
    how = suite.of_coverage({"readers": WHOLE}, {"readers": "70 passed in 3.00s"}).how
    assert "test_damaged.py::test_no_damage_is_taken_in_silence, test_doubled.py" in how
