from __future__ import annotations

import pytest

from gazetrack.datasets import facts
from tests.dataset_server import Shop, toy


@pytest.fixture
def shop(monkeypatch):
    """A server that sells one data set, which is the only one that is known."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    opened = Shop()
    monkeypatch.setattr(facts, "DATASETS", {"toy": toy(opened)})
    yield opened
    opened.close()
