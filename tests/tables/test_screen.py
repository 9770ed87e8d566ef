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


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan"), float("inf")])
def test_lengths_that_cannot_be_are_refused(length):
    with pytest.raises(ConfigError, match="distance_mm of"):
        Screen(1000, 800, 500.0, 400.0, length)


def test_angles_need_to_know_how_far_the_eye_is():
    with pytest.raises(ConfigError, match="without width and distance"):
        Screen(1000, 800)._known_distance_px()
    assert SCREEN._known_distance_px() == pytest.approx(1200.0)
