"""Fixations from screen to image pixels."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from gazetrack.tables.placement import Placement
from gazetrack.tables.placing import back_on_screen, place_by_rule, place_known, screen_of
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.screen import Screen


def fixations(width=np.nan):
    """Two fixations at (500, 300) px, on an image whose size is known or not."""
    columns = {
        "stimulus": ["a.png", "b.png"],
        "x_px": [500.0, 500.0],
        "y_px": [300.0, 300.0],
        "image_width_px": [width, np.nan],
        "image_height_px": [width, np.nan],
    }
    return conform(columns, FIXATIONS)


def test_without_placements_or_a_rule_the_table_is_the_same():
    table = fixations()
    assert place_known(table, {}) is table
    assert place_by_rule(table, None, {}, None) is table


def test_what_was_placed_goes_back_to_where_it_was_on_the_screen():
    placement = Placement(
        x_px=100, y_px=50, width_px=400, height_px=300, image_width_px=200, image_height_px=150
    )
    placed = place_known(fixations(), {"a.png": placement})
    assert placed["x_px"].to_pylist() == [200.0, 500.0]
    back = back_on_screen(placed, {"placement": {"a.png": asdict(placement)}})
    assert back.to_pandas().equals(fixations().to_pandas())
    # An image whose place nobody states stays where it is.
    assert (
        back_on_screen(placed, {"placement": {"b.png": asdict(placement)}})["x_px"][0].as_py()
        == 200
    )
    assert back_on_screen(placed, {}) is placed


def test_the_rule_moves_only_images_of_known_size():
    screen = Screen(1000, 600)
    placed = place_by_rule(fixations(), screen, {"a": (200, 120)}, "stretch").to_pydict()
    assert placed["x_px"] == [100.0, 500.0]
    assert placed["y_px"] == [60.0, 300.0]
    assert placed["image_width_px"][0] == 200
    assert np.isnan(placed["image_width_px"][1])


def test_what_lies_on_its_image_already_stays():
    table = fixations(width=800.0)
    placed = place_by_rule(table, Screen(1000, 600), {"a": (200, 120)}, "stretch")
    assert placed["x_px"].to_pylist() == [500.0, 500.0]
    assert placed["image_width_px"][0].as_py() == 800.0


def test_the_screen_is_that_of_the_metadata():
    assert screen_of({"screen": {"width_px": 1000, "height_px": 600}}) == Screen(1000, 600)
    assert screen_of({}) is None
