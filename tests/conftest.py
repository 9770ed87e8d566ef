"""Fixtures of the whole suite."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("GAZETRACK_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def data_dir():
    if not DATA.is_dir():
        absent = f"the research data are not at {DATA}; set GAZETRACK_DATA to their folder"
        if os.environ.get("GAZETRACK_REQUIRE_DATA") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return DATA
