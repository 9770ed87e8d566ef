"""Which positions lie in which shapes, and how far a margin reaches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gazetrack.images.reference import ImageRef
from gazetrack.measures.shapes import Ellipse, Label, Polygon, Unseen, turned
from tests.aoi_tables import box, polygon


def at(shape, *points, margin_px=0.0):
    x, y = np.array(points, float).T
    return shape.inside(x, y, margin_px).tolist()


def label(path, value=None):
    with Image.open(path) as image:
        return Label(image=ImageRef(path), size=image.size, value=value)


@pytest.mark.parametrize(
    "shape", [box(10, 10, 20, 30), polygon((10, 10), (20, 10), (20, 30), (10, 30))]
)
def test_edges_to_the_left_and_above_belong_to_a_shape(shape):
    assert at(shape, (10, 10), (15, 10), (10, 20), (15, 20)) == [True] * 4
    assert at(shape, (20, 20), (15, 30), (20, 30), (9.99, 20), (math.nan, 20)) == [False] * 5
    assert shape.bounds == (10, 10, 20, 30)
    assert shape.area_px2 == 200
    assert shape.problem() == ""


@given(st.integers(0, 100), st.integers(0, 100))
def test_triangles_that_share_an_edge_share_out_what_lies_on_it(x, y):
    above = polygon((0, 0), (101, 0), (101, 101))
    below = polygon((0, 0), (101, 101), (0, 101))
    assert at(above, (x, y))[0] + at(below, (x, y))[0] == 1


def test_a_polygon_may_have_a_hole():
    ring = Polygon(
        points_px=((0.0, 0.0), (30.0, 0.0), (30.0, 30.0), (0.0, 30.0)),
        holes_px=(((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)),),
    )
    assert at(ring, (5, 5), (15, 15), (25, 15)) == [True, False, True]
    assert ring.area_px2 == 800


def test_what_is_wrong_with_a_polygon_is_said_with_its_place():
    assert polygon((0, 0), (10, 10), (10, 0), (0, 10)).problem() == "has edges that cross at (5, 5)"
    assert polygon((0, 0), (10, 10), (0, 0)).problem() == "is a polygon of 2 corners"
    assert "no place" in polygon((0, 0), (10, math.nan), (10, 10)).problem()
    assert polygon((0, 0), (1e7, 0), (10, 10)).problem() == ""
    assert "no place" in polygon((0, 0), (1.1e7, 0), (10, 10)).problem()
    assert "no place" in box(0, 0, 1e300, 9).problem()
    assert box(5, 5, 5, 9).problem() == "is 0 px wide and 4 px high"


@pytest.mark.parametrize("margin_px", [0.0, 3.0])
@pytest.mark.parametrize("shape", [box(0, 0, 9, 9), polygon((0, 0), (9, 0), (9, 9))])
def test_what_is_nowhere_lies_in_no_shape(shape, margin_px):
    nowhere = [(math.nan, 5), (5, math.nan), (math.inf, 5), (-math.inf, math.inf)]
    assert at(shape, *nowhere, (8, 5), margin_px=margin_px) == [False] * 4 + [True]


def test_an_ellipse_turned_by_a_right_angle_has_its_radii_swapped():
    lying = Ellipse(x_px=50, y_px=50, radius_x_px=20, radius_y_px=10)
    standing = Ellipse(x_px=50, y_px=50, radius_x_px=20, radius_y_px=10, rotation_deg=90)
    assert at(lying, (69, 50), (50, 59), (50, 61)) == [True, True, False]
    assert at(standing, (50, 69), (59, 50), (61, 50)) == [True, True, False]
    assert standing.bounds == pytest.approx((40, 30, 60, 70))
    assert lying.area_px2 == pytest.approx(200 * math.pi)


def test_an_ellipse_is_turned_clockwise_as_the_image_shows_it():
    falling = Ellipse(x_px=0, y_px=0, radius_x_px=10, radius_y_px=1, rotation_deg=45)
    assert at(falling, (5, 5), (5, -5)) == [True, False]  # y is down


def test_a_turned_rectangle_is_a_polygon_of_the_same_area():
    found = turned(box(0, 0, 40, 20), 90)
    assert isinstance(found, Polygon)
    assert found.bounds == pytest.approx((10, -10, 30, 30))
    assert found.area_px2 == pytest.approx(800)
    assert turned(box(0, 0, 40, 20), 0) == box(0, 0, 40, 20)


@pytest.mark.parametrize(
    "shape", [box(10, 10, 20, 20), polygon((10, 10), (20, 10), (20, 20), (10, 20))]
)
def test_a_margin_is_a_distance_around_corners_too(shape):
    inside = at(shape, (7.1, 15), (22.9, 15), (7.9, 7.9), (7.8, 7.8), (6.9, 15), margin_px=3)
    assert inside == [True, True, True, False, False]


def test_a_margin_makes_the_radii_of_an_ellipse_longer():
    circle = Ellipse(x_px=0, y_px=0, radius_x_px=10, radius_y_px=10)
    assert at(circle, (12.9, 0), (13.1, 0), margin_px=3) == [True, False]


SHAPES = [
    box(10, 12, 31, 40),
    polygon((3, 5), (44, 11), (30, 47), (17, 22)),
    Ellipse(x_px=25, y_px=25, radius_x_px=18, radius_y_px=7, rotation_deg=30),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
@given(points=st.lists(st.tuples(st.floats(-20, 70), st.floats(-20, 70)), min_size=1, max_size=30))
def test_a_larger_margin_never_loses_a_position(shape, points):
    x, y = np.array(points).T
    before = shape.inside(x, y, 0.0)
    for margin_px in (0.5, 2.0, 9.0):
        now = shape.inside(x, y, margin_px)
        assert not (before & ~now).any()
        before = now


@pytest.fixture
def labels(tmp_path):
    values = np.zeros((40, 60), np.uint8)
    values[10:20, 30:50] = 2
    values[20:30, 30:50] = 7
    Image.fromarray(values).save(tmp_path / "labels.png")
    return tmp_path / "labels.png"


def test_the_pixels_of_a_label_are_an_area(labels):
    upper = label(labels, 2)
    assert at(upper, (30, 10), (49.9, 19.9), (50, 15), (40, 20), (-1, 5), (61, 5)) == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert at(label(labels, 7), (40, 20)) == [True]
    assert at(upper, (math.nan, 15), (math.inf, 15)) == [False, False]
    assert upper.area_px2 == 200
    assert upper.bounds == (0, 0, 60, 40)


def test_a_margin_around_a_label_reaches_beyond_its_image(labels, tmp_path):
    upper = label(labels, 2)
    assert at(upper, (27.5, 15.5), (26.5, 15.5), margin_px=3) == [True, False]
    whole = np.full((10, 10), 255, np.uint8)
    Image.fromarray(whole).save(tmp_path / "whole.png")
    assert at(label(tmp_path / "whole.png"), (-1.5, 5), (-4.5, 5), margin_px=3) == [True, False]


def test_an_image_that_was_written_again_is_read_again(labels):
    assert label(labels, 2).area_px2 == 200
    Image.fromarray(np.full((40, 60), 2, np.uint8)).save(labels, compress_level=0)
    assert label(labels, 2).area_px2 == 2400


def test_colours_are_no_labels_and_labels_no_mask(tmp_path, labels):
    Image.new("RGB", (4, 4)).save(tmp_path / "colours.png")
    with pytest.raises(InputError, match="is in colours"):
        label(tmp_path / "colours.png", 1).inside(np.zeros(1), np.zeros(1))
    Image.fromarray(np.eye(4, dtype=np.uint8)).save(tmp_path / "ones.png")
    with pytest.raises(DataError, match="values up to 1") as caught:
        label(tmp_path / "ones.png").inside(np.zeros(1), np.zeros(1))
    assert "--labels" in caught.value.hint


def test_a_shape_that_nobody_tells_says_nothing_of_positions():
    unseen = Unseen()
    assert unseen.problem() == ""
    assert math.isnan(unseen.area_px2)
    assert unseen.inside(np.zeros(0), np.zeros(0)).tolist() == []
    with pytest.raises(ConfigError, match="whose shape is not known"):
        at(unseen, (1, 1))
