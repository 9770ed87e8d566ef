"""The exports that are damaged, read once for all tests of this folder."""

import sys

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _mutant_cases import cases


@pytest.fixture(scope="session")
def exports():
    return cases(None)
