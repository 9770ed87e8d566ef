"""Screens: sizes, and degrees of visual angle."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError
from gazetrack.tables.screen import Screen

SCREEN = Screen(1000, 800, 500.0, 400.0, 600.0)


def test_pixels_per_degree():
    assert SCREEN.px_per_deg == pytest.approx(20.946, abs=1e-3)
    assert Screen(1000, 800).px_per_deg is None


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (999_999_999, 10)])
def test_absurd_screens_are_refused(size):
    with pytest.raises(ConfigError, match="--screen"):
        Screen(*size)
