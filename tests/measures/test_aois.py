"""What areas of interest may be, and what is refused with a word about what to do."""

from __future__ import annotations

import math
import re

import pytest

from gazetrack.errors import DataError
from gazetrack.maps.targets import area_rule
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois, checked_on
from tests.aoi_tables import area, areas, box, halves, polygon


def test_areas_are_found_by_the_name_of_the_stimulus():
    found = areas(area("face", box(0, 0, 9, 9)), stimulus="folder/cat.PNG")
    assert found.of("cat").names == ("face",)
    assert found.of("shown/cat.jpg").names == ("face",)
    assert found.of("dog") is None
    assert found.known == ("cat",)
    assert len(found) == 1
    assert repr(found) == "<AoiSet: 1 areas on 1 stimuli, image pixels>"


def test_a_star_stands_for_every_stimulus_without_areas_of_its_own():
    every = StimulusAois(stimulus="*", aois=(area("all", box(0, 0, 9, 9)),))
    own = StimulusAois(stimulus="cat", aois=(area("face", box(0, 0, 9, 9)),))
    found = AoiSet(stimuli=(own, every))
    assert found.of("dog").names == ("all",)
    assert found.of("cat").names == ("face",)
    assert found.known == ("cat",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([area("a", box(0, 0, 9, 9))] * 2, "area of stimulus 'cat' 'a' is there twice"),
        (
            [area("a", polygon((0, 0), (9, 9), (9, 0), (0, 9)))],
            r"area 'a' of stimulus 'cat' has edges that cross at \(4.5, 4.5\)",
        ),
        ([area("a", box(5, 5, 5, 9))], "area 'a' of stimulus 'cat' is 0 px wide"),
        ([area("", box(0, 0, 9, 9))], "is named ''"),
        ([area("(outside)", box(0, 0, 9, 9))], "outside"),
        ([area("a")], "'a' of stimulus 'cat' has no shape"),
        ([area("a", box(0, 0, 9, 9), onset_ms=5, offset_ms=5)], "is there from 5 to 5 ms"),
        ([area("a", box(0, 0, math.nan, 9))], "no place on an image"),
        ([], "no area of interest"),
        ([area("a", box(0.1, 0.1, 0.9, 0.9))], "look like fractions"),
    ],
)
def test_areas_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(DataError, match=message) as caught:
        areas(*wrong)
    assert caught.value.hint


def test_a_stimulus_is_there_once_whatever_its_suffix():
    one = StimulusAois(stimulus="cat.png", aois=(area("a", box(0, 0, 9, 9)),))
    two = StimulusAois(stimulus="cat.jpg", aois=(area("a", box(0, 0, 9, 9)),))
    with pytest.raises(DataError, match="stimulus 'cat' is there twice"):
        AoiSet(stimuli=(one, two))
    with pytest.raises(DataError, match="space 'world'"):
        AoiSet(stimuli=(one,), space="world")


def moving(*times):
    shape = box(0, 0, 9, 9)
    parts = tuple(Part(shape=shape, onset_ms=onset, offset_ms=end) for onset, end in times)
    return Aoi(name="a", parts=parts)


def test_an_area_that_moves_is_at_one_place_at_a_time():
    assert moving((0, 100), (100, 200)).windows == ((0, 100), (100, 200))
    assert moving((0, 100), (100, 200)).is_dynamic
    areas(moving((0, 100), (100, 200)))
    with pytest.raises(DataError, match="is at two places from 50 to 100 ms"):
        areas(moving((0, 100), (50, 200)))


def test_the_area_of_one_that_moves_is_the_mean_over_its_times():
    parts = (
        Part(shape=box(0, 0, 10, 10), onset_ms=0, offset_ms=1),
        Part(shape=box(0, 0, 10, 30), onset_ms=1, offset_ms=2),
    )
    assert Aoi(name="a", parts=parts).area_px2 == 200
    assert area("two", box(0, 0, 10, 10), box(20, 0, 30, 10)).area_px2 == 200


def test_an_area_outside_the_image_is_refused_and_one_across_its_edge_told():
    (one,) = areas(area("far", box(200, 0, 220, 20)), area("near", box(0, 0, 9, 9))).stimuli
    with pytest.raises(
        DataError, match="area 'far' of stimulus 'cat' lies outside the image"
    ) as caught:
        checked_on(one, (100, 80))
    assert "100 x 80 px: x 200 to 220, y 0 to 20" in caught.value.what
    (one,) = areas(area("wide", box(90, 0, 120, 20)), area("near", box(0, 0, 9, 9))).stimuli
    assert checked_on(one, (100, 80)) == "wide of cat"
    assert checked_on(halves().stimuli[0], (100, 100)) == ""


def test_two_areas_of_one_name_are_told_how_to_be_one_target():
    twice = (area("polyp", box(0, 0, 9, 9)),) * 2
    with pytest.raises(DataError, match="'polyp' is there twice") as caught:
        AoiSet(stimuli=(StimulusAois(stimulus="cat", aois=twice),))
    pattern = re.search('"(aoi=.+)"', caught.value.hint)[1]
    assert {area_rule(pattern)(name) for name in ("polyp-1", "polyp-2")} == {"polyp"}
