"""Figures as files."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from gazetrack.errors import ConfigError
from gazetrack.figures.saving import check_picture_suffix, figure_bytes, save_figure
from tests.figure_cases import CASES

MAGIC = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


@pytest.mark.parametrize("suffix", MAGIC)
def test_the_suffix_says_what_is_written_and_equal_figures_are_equal_bytes(suffix, tmp_path):
    first, second = (CASES["main-sequence"]() for _ in range(2))
    save_figure(first, tmp_path / f"a{suffix.upper()}")
    written = (tmp_path / f"a{suffix.upper()}").read_bytes()
    assert written.startswith(MAGIC[suffix])
    assert written == figure_bytes(second, suffix)
    assert written != figure_bytes(CASES["durations"](), suffix)


@pytest.mark.parametrize("suffix", [".jpg", "", ".csv"])
def test_other_suffixes_are_refused_before_anything_is_written(suffix, tmp_path):
    with pytest.raises(ConfigError, match=r"end the name in \.png, \.svg, \.pdf"):
        save_figure(Figure(), tmp_path / f"a{suffix}")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError):
        check_picture_suffix(suffix)


def test_more_dots_make_a_larger_picture():
    small, large = (figure_bytes(CASES["durations"](), dpi=dpi) for dpi in (40, 160))
    assert len(large) > 2 * len(small)
