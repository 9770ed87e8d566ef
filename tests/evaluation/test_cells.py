from __future__ import annotations

import pytest

from gradtrack_model.evaluation.cells import cell


@pytest.mark.parametrize("name", ["=1+1", " +x", "-1", "@SUM", "\tx", "\rx"])
def test_no_name_is_a_formula(name):
    assert cell(name).startswith("'")
    assert not cell(name)[1:].startswith(("\t", "\r"))


def test_plain_names_stay_and_no_control_character_does():
    assert cell("case_7") == "case_7"
    assert "\x1b" not in cell("a\x1b[2J")
