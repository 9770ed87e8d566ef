"""What is said where an optional package is missing."""

from __future__ import annotations

import sys

import pytest

from gazetrack.errors import ConfigError
from gazetrack.interop.installed import needed


def test_a_package_that_is_there_is_given():
    assert needed("json").loads("[1]") == [1]


def test_a_missing_package_is_said_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "pymovements", None)
    with pytest.raises(ConfigError) as caught:
        needed("pymovements")
    assert str(caught.value) == (
        "this needs pymovements, which is not installed - "
        'install it, with: pip install "gazetrack[interop]" [CONFIG]'
    )
