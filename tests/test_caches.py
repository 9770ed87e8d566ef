from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gazetrack.caches import own_folder, user_caches

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")


def test_caches_are_where_the_system_has_them(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_caches() == tmp_path
    # A relative one is to be ignored, says the specification of these folders.
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert user_caches() == Path.home() / ".cache"


def test_a_variable_names_another_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("OURS", raising=False)
    assert own_folder("models", "OURS") == user_caches() / "gazetrack" / "models"
    monkeypatch.setenv("OURS", str(tmp_path))
    assert own_folder("models", "OURS") == tmp_path
