"""Which fixations lie in which areas: planes, sizes, margins and times."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError, SchemaError
from gazetrack.measures.aoi_files.masks import masks_of
from gazetrack.measures.hits import Margin, find_hits
from gazetrack.measures.trials import trials_of
from tests.aoi_tables import NAN, area, areas, box, halves, table


def hits(fixations, aois, *more, **named):
    return find_hits(trials_of(fixations, {}), aois, *more, **named)


def inside(fixations, aois, *more, **named):
    (found,) = hits(fixations, aois, *more, **named).by_stimulus
    return (found.in_aoi_ms > 0).tolist()


def test_a_fixation_counts_for_every_area_that_it_lies_in():
    both = areas(area("a", box(0, 0, 50, 50)), area("b", box(25, 0, 75, 50)))
    assert inside(table([10, 30, 60, 90], [10] * 4), both) == [
        [True, True, False, False],
        [False, True, True, False],
    ]


def test_fixations_on_the_screen_and_areas_on_the_image_are_refused():
    on_screen = table([10], [10], image_width_px=NAN, image_height_px=NAN)
    with pytest.raises(
        SchemaError, match="'cat' are in screen pixels, its areas in image pixels"
    ) as caught:
        hits(on_screen, halves())
    assert "--placement" in caught.value.hint
    with pytest.raises(SchemaError, match="in image pixels, its areas in screen pixels"):
        hits(table([10], [10]), halves(space="screen"))
    assert inside(on_screen, halves(space="screen")) == [[True], [False]]


def test_positions_are_scaled_to_the_image_that_areas_were_drawn_on():
    drawn = areas(area("right", box(100, 0, 200, 200)), size=(200, 200))
    assert inside(table([40, 60], [10, 10]), drawn) == [[False, True]]
    notes = hits(table([40, 60], [10, 10]), drawn).notes
    (note,) = notes
    assert note == (
        "1 stimuli have their gaze scaled to the image that areas were drawn on: "
        "cat, 100 x 100 px in the table, 200 x 200 drawn on"
    )
    with pytest.raises(DataError, match="another shape than its areas: 100 x 100 px"):
        hits(table([40], [10]), areas(area("a", box(0, 0, 9, 9)), size=(200, 150)))


def test_an_area_outside_the_image_is_refused():
    far = area("far", box(150, 0, 160, 9))
    with pytest.raises(DataError, match="'far' of stimulus 'cat' lies outside the image"):
        hits(table([40], [10]), areas(far))
    on_screen = table([40], [10], image_width_px=NAN, image_height_px=NAN)
    hits(on_screen, areas(far, space="screen"))
    with pytest.raises(DataError, match="outside the image of 100 x 80 px"):
        hits(on_screen, areas(far, space="screen"), screen_px=(100, 80))


def test_areas_across_the_edge_of_many_images_are_told_in_one_note():
    stimuli = np.array(["cat", "dog"], object)
    wide = areas(area("wide", box(50, 0, 150, 9)), stimulus="*")
    (note,) = hits(table([1, 2], [1, 2], stimulus=stimuli), wide).notes
    assert note == "2 stimuli have areas that reach beyond the image: wide of *, …"


def test_gaze_between_images_is_on_none_of_them():
    every = areas(area("all", box(0, 0, 99, 99)), stimulus="*")
    stimuli = np.array(["cat", ""], object)
    assert hits(table([1, 2], [1, 2], stimulus=stimuli), every).without == {"": 1}
    assert inside(table([1], [1], stimulus=""), every) == [[True]]  # no stimulus is named at all


def test_a_stimulus_without_areas_is_told_and_none_with_areas_refused():
    stimuli = np.array(["cat", "dog"], object)
    found = hits(table([1, 2], [1, 2], stimulus=stimuli), halves())
    assert found.without == {"dog": 1}
    with pytest.raises(DataError, match=r"'caat\.png' is not among them") as caught:
        hits(table([1], [1], stimulus="caat.png"), halves())
    assert "did you mean 'cat'?" in caught.value.hint


def test_a_margin_is_in_pixels_or_in_degrees():
    one = areas(area("a", box(50, 0, 100, 100)))
    assert inside(table([45, 39], [50, 50]), one, Margin(px=10)) == [[True, False]]
    degrees = {"cat.png": 5.0}
    assert inside(table([45, 39], [50, 50]), one, Margin(deg=2), px_per_deg=degrees) == [
        [True, False]
    ]
    drawn = areas(area("a", box(100, 0, 200, 200)), size=(200, 200))
    assert inside(table([45, 39], [50, 50]), drawn, Margin(deg=2), px_per_deg=degrees) == [
        [True, False]
    ]
    with pytest.raises(ConfigError, match=r"how large a degree is on 'cat\.png'"):
        hits(table([45], [50]), one, Margin(deg=2))
    for wrong in ({"px": -1}, {"px": NAN}, {"deg": -1}, {"px": 1, "deg": 1}):
        with pytest.raises(ConfigError, match="margin"):
            Margin(**wrong)


def test_of_an_area_that_is_there_for_a_time_only_that_time_counts():
    brief = areas(area("a", box(0, 0, 100, 100), onset_ms=50, offset_ms=250))
    (found,) = hits(table([1, 2, 3], [1, 2, 3]), brief).by_stimulus
    assert found.in_aoi_ms.tolist() == [[50, 50, 0]]  # 0-100, 200-300 and 400-500 ms


def test_a_label_that_an_image_lacks_is_told(tmp_path):
    values = np.zeros((100, 100), np.uint8)
    values[:50] = 1
    Image.fromarray(values).save(tmp_path / "cat.png")
    (note,) = hits(table([1], [1]), masks_of(tmp_path, labels={1: "polyp", 2: "tool"})).notes
    assert note == "1 areas of labels or masks have no pixel: tool of cat.png"


def test_two_images_of_one_name_share_their_areas_and_it_is_told():
    names = np.array(["cat.png", "cat.jpg"], object)
    (note,) = hits(table([10, 60], [5, 5], stimulus=names), halves()).notes
    assert note.endswith("of the same name: cat.png and cat.jpg")
