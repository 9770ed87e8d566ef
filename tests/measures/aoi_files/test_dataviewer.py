"""Interest areas of EyeLink Data Viewer."""

from __future__ import annotations

import math

import pytest

from gazetrack.errors import DataError, ParseError
from gazetrack.measures.aoi_files.dataviewer import is_line
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle


def read(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return read_aois(path)


def test_lines_are_areas_on_the_screen(tmp_path):
    found = read(
        tmp_path / "trial 1.ias",
        "# made by hand",
        "RECTANGLE\t1\t51\t23\t146\t62\tBuck did",
        "ELLIPSE 2 100 200 140 220 eye",
        "FREEHAND 3 10,20 30,20 30, 60 the path",
        "RECTANGLE 4 300 0 310 9",
        "",
    )
    (trial,) = found.stimuli
    assert (trial.stimulus, found.space) == ("trial 1", "screen")
    assert trial.names == ("Buck did", "eye", "the path", "4")
    assert [type(aoi.parts[0].shape) for aoi in trial.aois] == [
        Rectangle,
        Ellipse,
        Polygon,
        Rectangle,
    ]
    assert trial.aois[0].parts[0].shape.bounds == (51, 23, 146, 62)
    assert trial.aois[1].parts[0].shape.bounds == pytest.approx((100, 200, 140, 220))
    assert trial.aois[2].parts[0].shape.points_px == ((10, 20), (30, 20), (30, 60))
    assert trial.aois[0].windows == ((-math.inf, math.inf),)
    assert found.source["format"] == "dataviewer"


def test_dynamic_areas_have_their_times_in_front(tmp_path):
    found = read(
        tmp_path / "a.ias",
        "-66 -1016 RECTANGLE 3 0 0 9 9 blue",
        "1016 2016 RECTANGLE 3 50 0 59 9 blue",
    )
    assert found.stimuli[0].aois[0].windows == ((66, 1016), (1016, 2016))


@pytest.mark.parametrize("line", ["RECTANGLE 1 2 3 4", "SQUARE 1 2 3 4 5", "FREEHAND 1 2 3 4"])
def test_what_is_no_area_is_told_with_its_line(tmp_path, line):
    with pytest.raises(ParseError, match=":2: is no interest area") as caught:
        read(tmp_path / "a.ias", "RECTANGLE 1 0 0 9 9 a", line)
    assert caught.value.line == 2


def test_a_file_is_known_by_its_lines_too(tmp_path):
    assert is_line("RECTANGLE 1 0 0 9 9 a")
    assert not is_line("rectangles")
    assert read(tmp_path / "cat.txt", "RECTANGLE 1 0 0 9 9 a").known == ("cat",)


def test_pixels_of_screen_and_image_do_not_mix(tmp_path):
    read(tmp_path / "a.ias", "RECTANGLE 1 0 0 9 9 a")
    (tmp_path / "b.csv").write_text("stimulus,aoi,x_px,y_px,width_px,height_px\ncat,a,1,2,3,4\n")
    with pytest.raises(DataError, match="in image and in screen pixels"):
        read_aois(tmp_path)
