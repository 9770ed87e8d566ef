"""Fixtures of the readers' tests: real exports, and what others counted in them."""

import json

import pytest


@pytest.fixture(scope="session")
def exports(data_dir):
    """The folder of the real exports."""
    return data_dir / "exports"


@pytest.fixture(scope="session")
def truth(exports):
    """What is in each real export, by its path within the folder."""
    return json.loads((exports / "truth.json").read_text(encoding="utf-8"))
