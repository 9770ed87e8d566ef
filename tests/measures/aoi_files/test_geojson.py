"""GeoJSON as areas of interest."""

from __future__ import annotations

import json

import pytest

from gazetrack.errors import ParseError
from gazetrack.measures.aoi_files.reading import read_aois

SQUARE = [[0, 0], [30, 0], [30, 30], [0, 30], [0, 0]]
HOLE = [[10, 10], [20, 10], [20, 20], [10, 20], [10, 10]]


def feature(coordinates, kind="Polygon", **properties):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return read_aois(path)


def test_features_are_areas(tmp_path):
    found = read(
        tmp_path / "cat.geojson",
        feature([SQUARE, HOLE], name="ring"),
        feature([[SQUARE], [[[x + 50, y] for x, y in SQUARE]]], "MultiPolygon", label="two"),
        feature([SQUARE], classification={"name": "QuPath", "color": [1, 2, 3]}),
        feature([SQUARE], name="late", stimulus="dog.png", onset_ms=5),
    )
    assert found.of("cat").names == ("ring", "two", "QuPath")
    assert [aoi.area_px2 for aoi in found.of("cat").aois] == [800, 1800, 900]
    assert found.of("dog").aois[0].windows[0][0] == 5
    assert found.source["format"] == "geojson"


def test_a_single_feature(tmp_path):
    (tmp_path / "cat.json").write_text(json.dumps(feature([SQUARE], name="a")))
    assert read_aois(tmp_path / "cat.json").of("cat").names == ("a",)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (feature([SQUARE]), "feature 1 has no name"),
        (feature([1, 2], "Point", name="a"), "feature 1 is a Point, which encloses nothing"),
        (feature([], name="a"), "has no ring of corners"),
        (feature([[[0, 0], [1]]], name="a"), r"has a corner \[1\]"),
        ({"type": "Feature", "properties": {"name": "a"}}, "has no geometry"),
    ],
)
def test_what_is_no_area_is_told(tmp_path, one, message):
    with pytest.raises(ParseError, match=message):
        read(tmp_path / "a.geojson", one)
