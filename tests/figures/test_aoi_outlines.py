"""Outlines of areas of interest."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gazetrack.figures.aoi_outlines import draw_outlines, name_area, outlines_of, path_of
from gazetrack.images.reference import ImageRef
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.shapes import Ellipse, Label, Polygon, Rectangle

RIM = ((5.0, 5.0), (60.0, 5.0), (60.0, 60.0), (5.0, 60.0))
HOLE = ((20.0, 20.0), (30.0, 20.0), (30.0, 30.0), (20.0, 30.0))
SHAPES = {
    "box": Rectangle(x_px=10, y_px=20, width_px=30, height_px=15),
    "egg": Ellipse(x_px=40, y_px=50, radius_x_px=20, radius_y_px=8, rotation_deg=30),
    "ring": Polygon(
        points_px=((5.0, 5.0), (60.0, 5.0), (60.0, 60.0), (5.0, 60.0)), holes_px=(HOLE,)
    ),
}


def aois(*shapes, size=(80, 80)):
    parts = tuple(Part(shape=shape) for shape in shapes)
    own = StimulusAois(stimulus="a", size=size, aois=(Aoi(name="it", parts=parts),))
    return AoiSet(stimuli=(own,))


def inside(lines):
    """Which centres of 80 x 80 pixels lie within closed lines."""
    across, down = np.meshgrid(np.arange(80) + 0.5, np.arange(80) + 0.5)
    points = np.column_stack([across.ravel(), down.ravel()])
    counts = sum(path_of([line]).contains_points(points).astype(int) for line in lines)
    return counts % 2 == 1, points


@pytest.mark.parametrize("name", SHAPES)
def test_the_line_is_around_what_counts_as_inside(name):
    lines = outlines_of(aois(SHAPES[name]), "x/a.png")["it"]
    drawn, points = inside(lines)
    wanted = SHAPES[name].inside(points[:, 0], points[:, 1])
    assert wanted.any()
    assert (drawn != wanted).sum() <= 3  # an ellipse has 72 corners here


def test_labels_are_outlined_and_several_parts_have_several_lines(tmp_path):
    pixels = np.zeros((80, 80), np.uint8)
    pixels[30:50, 0:25] = 2
    Image.fromarray(pixels).save(tmp_path / "labels.png")
    label = Label(image=ImageRef(tmp_path / "labels.png"), size=(80, 80), value=2)
    lines = outlines_of(aois(label, SHAPES["box"]), "a")["it"]
    assert len(lines) == 2
    np.testing.assert_allclose(lines[0].min(axis=0), (0, 30))
    np.testing.assert_allclose(lines[0].max(axis=0), (25, 50))


def test_lines_are_scaled_to_the_image_that_is_drawn_on():
    twice = outlines_of(aois(SHAPES["box"]), "a", (160, 240))["it"][0]
    once = outlines_of(aois(SHAPES["box"]), "a")["it"][0]
    np.testing.assert_allclose(twice, once * (2, 3))
    assert outlines_of(aois(SHAPES["box"]), "b") == {}


def test_areas_are_drawn_with_their_names_and_holes_stay_open():
    axis = Figure().subplots()
    draw_outlines(axis, outlines_of(aois(SHAPES["ring"]), "a") | {"nothing": []})
    ground, border = axis.patches
    assert [text.get_text() for text in axis.texts] == ["it"]
    # The ground is filled where lines wind around: the hole's is turned against the other's.
    rings = ground.get_path().to_polygons()
    areas = [np.sum(r[:-1, 0] * r[1:, 1] - r[1:, 0] * r[:-1, 1]) / 2 for r in rings]
    assert areas[0] * areas[1] < 0
    assert border.get_edgecolor()[3] == 1
    name_area(axis, np.array([1.0, 2.0]), "$x")
    assert axis.texts[-1].get_text() == r"\$x"


def test_the_name_of_an_area_at_the_top_is_inside_it():
    axis = Figure().subplots()
    axis.imshow(np.zeros((80, 80)), extent=(0, 80, 80, 0))
    for y in (0.0, -5.0, 2.0, 40.0):
        name_area(axis, np.array([10.0, y]), "it")
    shown = [(text.get_position()[1], text.get_va()) for text in axis.texts]
    assert shown == [(0, "top"), (0, "top"), (2, "top"), (40, "bottom")]
