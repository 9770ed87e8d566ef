import sys
from pathlib import Path

import pytest

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers import xdf
from gazetrack.readers.base import ReadOptions, read_head

GOLDEN = Path(__file__).parents[1] / "golden" / "xdf"


def test_without_pyxdf_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyxdf", None)
    with pytest.raises(ConfigError, match=r'pip install "gazetrack\[xdf\]"'):
        xdf.read(read_head(GOLDEN / "named" / "input.xdf"), ReadOptions())


def test_a_damaged_file(tmp_path):
    data = (GOLDEN / "named" / "input.xdf").read_bytes()
    (tmp_path / "a.xdf").write_bytes(data[:8])
    with pytest.raises(ParseError):
        xdf.read(read_head(tmp_path / "a.xdf"), ReadOptions())
