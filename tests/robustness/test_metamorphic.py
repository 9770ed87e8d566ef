"""Where an export is split and in which units it is written does not matter."""

import sys

import numpy as np
import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _goals_metamorphic
import _metamorphic


@pytest.fixture(scope="module")
def checks(exports, tmp_path_factory):
    rng = np.random.default_rng(5)
    return list(_metamorphic.checks(exports, rng, tmp_path_factory.mktemp("checks")))


@pytest.mark.slow
def test_the_parts_of_an_export_and_all_units_give_the_same_numbers(checks):
    assert not [check for check in checks if check.detail]


@pytest.mark.slow
def test_many_formats_and_all_units_are_checked(checks):
    split = {check.name.split(" split")[0] for check in checks if " split" in check.name}
    assert len(split) > 25
    n_units = len(_metamorphic.TIMES_MS) * len(_metamorphic.LENGTHS)
    assert len(checks) - len(split) == n_units


def test_the_parts_of_a_few_exports_give_the_same_numbers(few, tmp_path):
    found = list(_metamorphic.checks(few, np.random.default_rng(5), tmp_path))
    assert not [check for check in found if check.detail]
    assert sum(" split" in check.name for check in found) > 1


def test_what_differs_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(_metamorphic.LENGTHS, "cm", (0.03, 0.031))
    found = list(_metamorphic.in_units(np.random.default_rng(5), tmp_path))
    assert {check.name for check in found if check.detail} == {
        f"a table in {unit} and cm" for unit in _metamorphic.TIMES_MS
    }
    assert _goals_metamorphic.counted(found, 5).met is False
    same = [check for check in found if not check.detail]
    assert _goals_metamorphic.counted(same * 9, 5).met
    assert _goals_metamorphic.counted(same[:1], 5).met is None, "too few to tell"
