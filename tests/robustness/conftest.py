"""The exports that are damaged, read once for all tests of this folder."""

import sys

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
from _mutant_cases import cases, golden


@pytest.fixture(scope="session")
def exports():
    return cases(None)


@pytest.fixture(scope="session")
def few():
    """Exports of a few formats, which take no time."""
    return golden(["eyelink_asc", "gazepoint", "generic", "imotions", "webgazer"])
