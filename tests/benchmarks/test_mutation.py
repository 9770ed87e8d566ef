"""Errors are put into functions, one at a time, and those that tests notice are counted."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
from types import ModuleType

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _mutants import mutants
from mutation import WINGS, Report, Result, chosen, plant

SOURCE = '''
"""A module."""
from functools import cache, cached_property

LIMIT = 3


def above(values, limit: int = 2):
    """Count."""
    count = 0
    for value in values:
        if value > limit and not value == 9:
            count += 1
    return count


class Box:
    @property
    def half(self):
        return self.size / 2

    @cached_property
    def seventh(self):
        return self.size / 7


@cache
def doubled(value):
    return value * 2
'''


def changes():
    return [(mutant.before, mutant.after) for mutant in mutants(SOURCE)]


@pytest.mark.parametrize(
    "change",
    [
        ("0", "1"),
        ("value > limit", "value >= limit"),
        ("value > limit and (not value == 9)", "value > limit or not value == 9"),
        ("not value == 9", "value == 9"),
        ("value == 9", "value != 9"),
        ("9", "10"),
        ("count += 1", "count -= 1"),
        ("count += 1", "count = 1"),
        ("self.size / 2", "self.size * 2"),
    ],
)
def test_an_error_is_one_slip_of_a_function(change):
    assert changes().count(change) == 1


def test_defaults_texts_and_what_is_outside_functions_are_left_alone():
    found = changes()
    assert len(found) == 15
    assert ("3", "4") not in found
    assert not [before for before, _ in found if "module" in before]


def test_an_assertion_of_the_code_is_left_alone():
    source = "def pairs(a, b):\n    return [*zip(a, b, strict=True), True]\n"
    assert [ast.unparse(one.tree) for one in mutants(source)] == [
        "def pairs(a, b):\n    return [*zip(a, b, strict=True), False]"
    ]


def test_whoever_has_imported_a_function_has_its_mutant():
    module = ModuleType("made_up")
    module.__file__ = "made_up.py"
    exec(compile(SOURCE, "made_up.py", "exec"), vars(module))
    above, box = module.above, module.Box()
    box.size = 3
    assert (above([1, 2, 3]), box.half) == (1, 1.5)
    by_change = {(mutant.before, mutant.after): mutant for mutant in mutants(SOURCE)}
    plant(module, by_change["value > limit", "value >= limit"])
    assert above([1, 2, 3]) == 2
    plant(module, by_change["self.size / 2", "self.size * 2"])
    assert (above([1, 2, 3]), box.half) == (1, 6)


def test_what_was_remembered_is_forgotten_when_a_mutant_comes():
    module = ModuleType("made_up")
    module.__file__ = "made_up.py"
    exec(compile(SOURCE, "made_up.py", "exec"), vars(module))
    doubled, box = module.doubled, module.Box()
    box.size = 3
    assert doubled(4) == 8
    by_change = {(mutant.before, mutant.after): mutant for mutant in mutants(SOURCE)}
    plant(module, by_change["value * 2", "value / 2"])
    assert doubled(4) == 2
    plant(module, by_change["self.size / 7", "self.size * 7"])
    assert box.seventh == 21


def test_a_function_that_cannot_be_found_is_no_survivor():
    module = ModuleType("made_up")
    module.__file__ = "made_up.py"
    with pytest.raises(LookupError, match="no function above"):
        plant(module, next(mutants(SOURCE)))


def test_a_name_that_was_given_to_another_function_takes_no_mutant():
    module = ModuleType("made_up")
    module.__file__ = "made_up.py"
    source = "def fast(n):\n    return n + n\n\ndef slow(n):\n    return 2 * n\n\nfast = slow\n"
    exec(compile(source, "made_up.py", "exec"), vars(module))
    with pytest.raises(LookupError, match="made_up has slow as fast"):
        plant(module, next(mutants(source)))
    assert module.fast(3) == 6


def test_a_private_module_is_measured_where_it_is_named():
    names = {path.stem for path in chosen(WINGS["kernels"], ())}
    assert "cells" in names
    assert "_words" not in names
    assert [path.stem for path in chosen(WINGS["kernels"], ["_words"])] == ["_words"]


def test_the_score_is_of_those_that_are_errors():
    result = Result()
    result.fates.update({"killed": 8, "took too long": 1, "survived": 1, "equivalent": 5})
    assert result.score == 90


@pytest.mark.slow
def test_a_kernel_is_measured(tmp_path):
    script = ROOT / "benchmarks" / "mutation.py"
    which = ["kernels", "--modules", "logistic", "--tests", "tests/kernels/test_gaussian.py"]
    command = [sys.executable, script, *which, "--json", tmp_path / "score.json"]
    other = {"gazetrack/maps/crf.py": {"score": 50.0, "every": 2, "killed": 3, "survived": 3}}
    (tmp_path / "score.json").write_text(json.dumps({"modules": other}))
    subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    found = json.loads((tmp_path / "score.json").read_text())
    assert found["wings"]["kernels"]["killed"] > 20
    assert found["wings"]["kernels"]["score"] >= 80
    assert found["wings"]["maps"]["score"] == 50
    assert len(found["modules"]["gazetrack/kernels/logistic.py"]["survivors"]) < 10
    assert found["modules"]["gazetrack/maps/crf.py"] == other["gazetrack/maps/crf.py"]


def test_a_wing_is_the_sum_of_its_modules_and_a_mutant_stands_for_those_left_out(tmp_path):
    path = tmp_path / "score.json"
    half, whole = Result(), Result()
    half.fates.update({"killed": 3, "survived": 1})
    whole.fates.update({"killed": 2, "reached by no test": 2})
    Report(str(path), slice(1, None, 2)).keep("gazetrack/maps/crf.py", half)
    Report(str(path), slice(0, None, 1)).keep("gazetrack/maps/dwell.py", whole)
    found = json.loads(path.read_text())
    assert [of["every"] for of in found["modules"].values()] == [2, 1]
    assert list(found["wings"]) == ["maps"]
    maps = found["wings"]["maps"]
    assert (maps["modules"], maps["killed"], maps["survived"]) == (2, 5, 1)
    assert maps["score"] == round(100 * 8 / 12, 1)


def test_a_mutant_shares_what_it_does_not_change_and_leaves_the_others_whole():
    trees = [mutant.tree for mutant in mutants(SOURCE)]
    assert len({ast.unparse(tree) for tree in trees}) > 8
    for tree in trees:
        compile(tree, "made_up.py", "exec")
    assert ast.unparse(ast.parse(SOURCE)) not in {ast.unparse(tree) for tree in trees}


def test_what_was_judged_to_be_no_error_is_in_the_code_still():
    judged = tomllib.loads((ROOT / "benchmarks" / "mutation_equivalents.toml").read_text("utf-8"))
    changes = {}
    for module in {one["module"] for one in judged["equivalent"]}:
        source = (ROOT / module).read_text("utf-8")
        changes[module] = {
            (source.splitlines()[mutant.line - 1].strip(), mutant.before, mutant.after)
            for mutant in mutants(source)
        }
    for one in judged["equivalent"]:
        assert (one["code"], one["before"], one["after"]) in changes[one["module"]], one
        assert len(one["why"].split()) > 3


def test_the_page_tells_the_scores_that_were_measured():
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    measured = json.loads((ROOT / "benchmarks/results/mutation.json").read_text("utf-8"))
    for name, of in measured["wings"].items():
        (row,) = (line for line in page.splitlines() if line.startswith(f"| `gazetrack/{name}`"))
        killed = of["killed"] + of["took too long"]
        judged = killed + of["survived"] + of["reached by no test"] + of["equivalent"]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[1].startswith(f"{of['modules']} of ")
        assert cells[2:5] == [f"{judged:,}", f"{killed:,}", str(of["equivalent"])]
        assert cells[5] == f"{of['score']} %"
