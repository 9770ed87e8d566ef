"""A folder to compare methods on, as its own working directory."""

from __future__ import annotations

import pytest

from tests.synthetic import write_data


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_data(tmp_path / "data"))
    (tmp_path / "data" / "val.txt").write_text("im4\nim5\n")
    return tmp_path / "data"
