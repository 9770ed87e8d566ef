"""Files of labelme as areas of interest."""

from __future__ import annotations

import json

import pytest

from gazetrack.errors import DataError, ParseError
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle


def shape(label, kind, *points):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}}


def write(path, *shapes, image="cat.jpg"):
    whole = {"version": "5.5.0", "flags": {}, "shapes": shapes, "imagePath": image}
    path.write_text(json.dumps(whole | {"imageHeight": 80, "imageWidth": 100, "imageData": None}))
    return path


def test_shapes_are_areas_and_those_of_one_label_one_area(tmp_path):
    found = read_aois(
        write(
            tmp_path / "cat.json",
            shape("face", "rectangle", [30, 40], [10, 20]),
            shape("eye", "circle", [50, 50], [53, 54]),
            shape("paw", "polygon", [0, 0], [10, 0], [10, 10]),
            shape("paw", "polygon", [50, 0], [60, 0], [60, 10]),
        )
    )
    (cat,) = found.stimuli
    assert (cat.names, cat.size) == (("face", "eye", "paw"), (100, 80))
    assert [type(aoi.parts[0].shape) for aoi in cat.aois] == [Rectangle, Ellipse, Polygon]
    assert cat.aois[0].parts[0].shape.bounds == (10, 20, 30, 40)
    assert cat.aois[1].parts[0].shape.radius_x_px == 5
    assert len(cat.aois[2].parts) == 2
    assert found.source["format"] == "labelme"


def test_a_folder_has_one_file_an_image(tmp_path):
    square = shape("a", "rectangle", [0, 0], [9, 9])
    write(tmp_path / "cat.json", square)
    write(tmp_path / "dog.json", square, image="dog.jpg")
    (tmp_path / "cat.jpg").write_bytes(b"no matter")
    found = read_aois(tmp_path)
    assert found.known == ("cat", "dog")
    write(tmp_path / "again.json", square)
    with pytest.raises(DataError, match="stimulus 'cat' is there twice") as caught:
        read_aois(tmp_path)
    assert caught.value.path == tmp_path


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (shape("a", "line", [0, 0], [9, 9]), "shape 1, 'a', is a line"),
        (shape("a", "circle", [0, 0]), "has 1 points"),
        (shape(None, "circle", [0, 0], [1, 1]), "shape 1 has no label"),
    ],
)
def test_what_is_no_area_is_told(tmp_path, one, message):
    with pytest.raises(ParseError, match=message):
        read_aois(write(tmp_path / "a.json", one))
