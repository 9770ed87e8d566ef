"""Screens and placements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import ConfigError
from gazetrack.tables.recording import Placement, Recording, Screen, place
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from tests import strategies

SCREEN = Screen(1000, 800, 500.0, 400.0, 600.0)
sizes = st.integers(1, 4000)


def test_pixels_per_degree():
    assert SCREEN.px_per_deg == pytest.approx(20.946, abs=1e-3)
    assert Screen(1000, 800).px_per_deg is None


@pytest.mark.parametrize("size", [(0, 10), (10, -1), (999_999_999, 10)])
def test_absurd_screens_are_refused(size):
    with pytest.raises(ConfigError, match="--screen"):
        Screen(*size)


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


def test_loss_and_effective_rate():
    t = np.arange(10) * 4.0
    x = np.where(np.arange(10) < 3, np.nan, 1.0)
    samples = conform({"t_ms": t, "x_px": x, "y_px": np.ones(10)}, SAMPLES)
    recording = Recording("r", "f", samples, conform({}, EVENTS))
    assert recording.loss == pytest.approx(0.3)
    assert recording.effective_rate_hz == pytest.approx(250)
    rounded = conform(
        {"t_ms": np.rint(np.arange(300) * 1000 / 300) + 500 * (np.arange(300) > 99)}, SAMPLES
    )
    assert Recording("r", "f", rounded, conform({}, EVENTS)).effective_rate_hz == pytest.approx(
        300, rel=0.01
    )
    assert Recording("r", "f", None, conform({}, EVENTS)).loss is None
    assert recording.with_screen(SCREEN).screen == SCREEN


def test_fractions_become_pixels_of_the_screen_given():
    columns = {
        "recording": ["a"],
        "t_ms": [0.0],
        "x_px": [500.0],
        "y_px": [400.0],
        "left_x_px": [100.0],
    }
    recording = Recording(
        "a", "f", conform(columns, SAMPLES), conform({}, EVENTS), notes=("other",)
    )
    nominal = recording.on_nominal_screen(SCREEN, "screen")
    assert "1000x800 px" in nominal.notes[1]
    assert nominal.with_screen(None) == nominal
    given = nominal.with_screen(Screen(2000, 400))
    assert given.samples["x_px"].to_pylist() == [1000.0]
    assert given.samples["left_x_px"].to_pylist() == [200.0]
    assert given.samples["y_px"].to_pylist() == [200.0]
    assert (given.notes, given.fractions_of) == (("other",), "")
    assert given.with_screen(SCREEN).samples["x_px"].to_pylist() == [1000.0]
    assert recording.with_screen(Screen(2000, 400)).samples is recording.samples
