"""Our own JSON of areas of interest: every shape, and everything that can be wrong."""

from __future__ import annotations

import inspect
import json
import math
import re

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError, ParseError
from gazetrack.images.reference import ImageRef
from gazetrack.measures.aoi_files import own
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.shapes import Ellipse, Label, Polygon, Rectangle
from tests.aoi_tables import own_json, rectangle


@pytest.fixture
def labels(tmp_path):
    values = np.zeros((480, 640), np.uint8)
    values[:10, :10] = 1
    values[20:30, :10] = 2
    Image.fromarray(values).save(tmp_path / "cat_labels.png")
    return tmp_path


def test_the_example_of_the_module_is_read_as_it_stands(labels):
    text = inspect.getdoc(own)
    example = re.search(r"^    (\{.*\]\}\]\})$", text, re.DOTALL | re.MULTILINE).group(1)
    (labels / "aois.json").write_text(example)
    found = read_aois(labels / "aois.json")
    (cat,) = found.stimuli
    assert cat.size == (640, 480)
    assert cat.names == ("face", "eye", "body", "mouse", "tail", "paw")
    kinds = [type(aoi.parts[0].shape) for aoi in cat.aois]
    assert kinds == [Rectangle, Ellipse, Polygon, Rectangle, Label, Label]
    assert cat.aois[3].windows == ((0, 800), (800, 2000))
    assert cat.aois[0].windows == ((-math.inf, math.inf),)
    assert found.space == "image"
    assert found.source["format"] == "gazetrack-aois"
    assert len(found.source["sha256"]) == 64


def test_labels_without_names_are_called_by_their_value(labels):
    own_json(labels / "a.json", {"shape": "labels", "file": "cat_labels.png"})
    assert read_aois(labels / "a.json").stimuli[0].names == ("label 1", "label 2")


def test_labels_of_another_size_than_the_image_are_refused(labels):
    one = {"shape": "labels", "file": "cat_labels.png"}
    own_json(labels / "a.json", one, image_width_px=320, image_height_px=240)
    with pytest.raises(DataError, match="labels have 640 x 480 px, its image 320 x 240") as caught:
        read_aois(labels / "a.json")
    assert "not scaled" in caught.value.hint


def test_a_label_that_is_not_there_is_told(labels):
    one = {"shape": "labels", "file": "cat_labels.png", "names": {"3": "nose"}}
    with pytest.raises(ParseError, match="has no label 3") as caught:
        read_aois(own_json(labels / "a.json", one))
    assert caught.value.hint == "it has 1, 2"


def test_a_picture_is_no_image_of_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "MAX_LABELS", 4)
    for n in (4, 5):
        Image.fromarray(np.arange(n + 1, dtype=np.uint8)[None, :]).save(tmp_path / f"{n}.png")
    assert len(own.labels_of(ImageRef(tmp_path / "4.png"), {})) == 4
    with pytest.raises(ParseError, match="has 5 different values"):
        own.labels_of(ImageRef(tmp_path / "5.png"), {})
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "none.png")
    with pytest.raises(ParseError, match="has no label above 0"):
        own.labels_of(ImageRef(tmp_path / "none.png"), {})


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ({"name": "a", "shape": "star"}, "area 1 of stimulus 'cat.png' has the shape 'star'"),
        ({"name": "a", "x_px": 1}, "has no y_px"),
        ({**rectangle(), "colour": "red"}, "has an unknown field 'colour'"),
        ({**rectangle(), "radius_x_px": 3}, "has an unknown field 'radius_x_px'"),
        (rectangle(name=None), "has no name"),
        (rectangle(x="1"), 'has "1" as x_px'),
        ({"shape": "labels", "file": "a.png", "names": {"one": "a"}}, "names a label 'one'"),
        ({"name": "a", "shape": "polygon", "points_px": [[1, 2], [3]]}, r"has a corner \[3\]"),
    ],
)
def test_what_is_wrong_with_an_area_is_said_with_its_place(tmp_path, one, message):
    with pytest.raises(ParseError, match=message) as caught:
        read_aois(own_json(tmp_path / "a.json", one))
    assert caught.value.path == tmp_path / "a.json"


def test_areas_that_cannot_be_are_refused_with_the_file(tmp_path):
    for areas, message in (
        ([rectangle(), rectangle()], "'face' is there twice"),
        ([], "no area of interest"),
        ([rectangle(width=0)], "is 0 px wide"),
        (
            [{"name": "a", "shape": "polygon", "points_px": [[0, 0], [9, 9], [9, 0], [0, 9]]}],
            "edges that cross",
        ),
        ([rectangle(x=0.1, y=0.1, width=0.2, height=0.3)], "fractions"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            read_aois(own_json(tmp_path / "a.json", *areas))
        assert caught.value.path == tmp_path / "a.json"


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"unit": "mm"}, "the file has areas in 'mm'"),
        ({"unit": "fraction"}, "has areas in 'fraction'"),
        ({"version": 2}, "is of version 2, and this knows version 1"),
        ({"spaces": "image"}, "unknown field 'spaces'"),
    ],
)
def test_other_units_and_versions_are_refused(tmp_path, field, message):
    whole = {"format": "gazetrack-aois", "version": 1, "stimuli": [], **field}
    (tmp_path / "a.json").write_text(json.dumps(whole))
    with pytest.raises(ParseError, match=message):
        read_aois(tmp_path / "a.json")


def test_holes_rotations_and_times(tmp_path):
    ring = {
        "name": "ring",
        "shape": "polygon",
        "points_px": [[0, 0], [30, 0], [30, 30], [0, 30]],
        "holes_px": [[[10, 10], [20, 10], [20, 20], [10, 20]]],
    }
    found = read_aois(own_json(tmp_path / "a.json", ring, rectangle(rotation_deg=30, onset_ms=5)))
    first, second = found.stimuli[0].aois
    assert first.area_px2 == 800
    assert isinstance(second.parts[0].shape, Polygon)
    assert second.windows == ((5, math.inf),)


def test_the_file_of_labels_has_to_be_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.png"):
        read_aois(own_json(tmp_path / "a.json", {"shape": "labels", "file": "none.png"}))
