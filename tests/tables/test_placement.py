"""Placements: from screen pixels to image pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import ConfigError
from gazetrack.tables.placement import Placement, check_rule, filling, place
from gazetrack.tables.screen import Screen
from tests import strategies

SCREEN = Screen(1000, 800, 500.0, 400.0, 600.0)
sizes = st.integers(1, 4000)


@given(sizes, sizes, st.sampled_from(["centre", "center", "fit", "stretch"]))
def test_the_middle_of_the_screen_is_the_middle_of_the_image(width, height, rule):
    x, y = place(rule, SCREEN, width, height).to_image(np.array([500.0]), np.array([400.0]))
    assert (x[0], y[0]) == pytest.approx((width / 2, height / 2))


@given(sizes, sizes)
def test_fit_touches_two_edges_and_keeps_the_aspect(width, height):
    p = place("fit", SCREEN, width, height)
    assert p.width_px / p.height_px == pytest.approx(width / height)
    assert p.width_px == pytest.approx(1000) or p.height_px == pytest.approx(800)
    assert p.width_px <= 1000.001
    assert p.height_px <= 800.001


def test_a_box_needs_no_screen():
    p = place("100,50,200,100", None, 400, 100)
    x, y = p.to_image(np.array([100.0, 300.0]), np.array([50.0, 150.0]))
    assert x.tolist() == [0, 400]
    assert y.tolist() == [0, 100]


@pytest.mark.parametrize(
    ("rule", "screen"),
    [("middle", SCREEN), ("1,2,3", SCREEN), ("1,2,3,x", SCREEN), ("fit", None), ("0,0,0,5", None)],
)
def test_bad_rules_are_refused(rule, screen):
    with pytest.raises(ConfigError):
        place(rule, screen, 10, 10)


def test_placements_have_positive_sizes():
    with pytest.raises(ConfigError):
        Placement(0, 0, 10, float("nan"), 5, 5)


@given(strategies.placements())
def test_the_corners_of_what_is_shown_are_the_corners_of_the_image(p):
    x, y = p.to_image(
        np.array([p.x_px, p.x_px + p.width_px]), np.array([p.y_px, p.y_px + p.height_px])
    )
    np.testing.assert_allclose(x, [0, p.image_width_px], atol=1e-6 * p.image_width_px)
    np.testing.assert_allclose(y, [0, p.image_height_px], atol=1e-6 * p.image_height_px)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))
def test_missing_gaze_stays_missing(position):
    x, y = Placement(10, 20, 30, 40, 300, 400).to_image(
        np.array([position[0], np.nan]), np.array([np.nan, position[1]])
    )
    assert np.isnan(y[0])
    assert np.isnan(x[1])


def test_a_surface_fills_its_screen():
    placed = filling(SCREEN, {"b", "a"})
    assert list(placed) == ["a", "b"]
    x, y = placed["a"].to_image(np.array([0.0, 1000.0]), np.array([0.0, 800.0]))
    assert (x.tolist(), y.tolist()) == ([0, 1000], [0, 800])


def test_a_rule_is_refused_before_anything_is_placed():
    check_rule("fit")
    check_rule("1,2,3,4")
    with pytest.raises(ConfigError):
        check_rule("middle")
