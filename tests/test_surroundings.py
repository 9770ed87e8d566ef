"""A part of the cases of file systems and environments; `benchmarks/robustness.py` takes all."""

from __future__ import annotations

import sys

import pytest

from tests.surroundings import SURROUNDINGS, surrounded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="/proc and /dev/full are Linux's"
)


CASES = ("the output is a pipe", "the name of the output is too long", "the export is in /proc")


@pytest.mark.parametrize("name", CASES)
def test_a_surrounding_is_told_or_does_no_harm(name, tmp_path):
    assert surrounded(name, tmp_path) == []


def test_there_are_as_many_as_are_promised():
    assert len(SURROUNDINGS) >= 40
