"""Tables of areas of interest, as people type them."""

from __future__ import annotations

import pytest

from gazetrack.errors import DataError, GazetrackError, InputError, ParseError
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle


def read(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return read_aois(path)


def test_rows_are_areas(tmp_path):
    found = read(
        tmp_path / "a.csv",
        "stimulus,aoi,shape,x_px,y_px,width_px,height_px,radius_x_px,radius_y_px,points_px,"
        "onset_ms,offset_ms,image_width_px,image_height_px",
        "cat.png,face,,1,2,3.5,4,,,,,,64,48",
        "cat.png,eye,ellipse,10,10,,,3,2,,,,,",
        'cat.png,"body, all",polygon,,,,,,,"1,2 30,4 5,60",,,64,48',
        "dog.png,ball,rectangle,0,0,9,9,,,,0,100,,",
        "dog.png,ball,rectangle,5,0,9,9,,,,100,200,,",
    )
    cat, dog = found.stimuli
    assert cat.names == ("face", "eye", "body, all")
    assert cat.size == (64, 48)
    assert [type(aoi.parts[0].shape) for aoi in cat.aois] == [Rectangle, Ellipse, Polygon]
    assert cat.aois[0].parts[0].shape.bounds == (1, 2, 4.5, 6)
    assert dog.aois[0].windows == ((0, 100), (100, 200))
    assert found.source["format"] == "csv"


def test_tabs_and_the_pixels_of_the_screen(tmp_path):
    found = read(
        tmp_path / "a.tsv",
        "stimulus\taoi\tx_px\ty_px\twidth_px\theight_px\tspace",
        "*\tall\t0\t0\t9\t9\tscreen",
    )
    assert found.space == "screen"
    assert found.of("whatever").names == ("all",)


BOX = "stimulus,aoi,x_px,y_px,width_px,height_px"


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        ([BOX, "cat,a,1,2,3,1_0"], ParseError, ":2: has '1_0' as height_px"),
        ([BOX, "cat,a,1,2,3,nan"], ParseError, ":2: has 'nan' as height_px"),
        ([BOX, "cat,a,1,2,3,4", ",a,1,2,3,4"], ParseError, ":3: names no stimulus"),
        ([BOX, "cat,a,1,2,3"], ParseError, "area 1 of stimulus 'cat' has no height_px"),
        ([BOX, "cat,,1,2,3,4"], ParseError, "has no name"),
        ([BOX, "cat,a,1,2,3,4,5"], ParseError, ":2: has more cells than columns"),
        (["stimulus,name,x_px", "cat,a,1"], ParseError, ":1: has no column aoi"),
        ([BOX + ",width", "cat,a,1,2,3,4,5"], ParseError, ":1: has an unknown column 'width'"),
        ([BOX + ",x_px", "cat,a,1,2,3,4,5"], ParseError, ":1: has the column x_px twice"),
        ([BOX], InputError, "holds no area"),
        ([BOX, "cat,a,1,2,3,4", "cat,a,9,2,3,4"], DataError, "'a' is there twice"),
        (
            ["stimulus,aoi,shape,points_px", 'cat,a,polygon,"1,2 3"'],
            ParseError,
            ":2: has '3' among points_px",
        ),
        (
            [BOX + ",image_width_px,image_height_px", "cat,a,1,2,3,4,9,9", "cat,b,1,2,3,4,8,9"],
            ParseError,
            ":3: states another size of the image of 'cat'",
        ),
        (
            [BOX + ",space", "cat,a,1,2,3,4,image", "dog,a,1,2,3,4,screen"],
            ParseError,
            ":3: has areas in 'image' and, from here on, 'screen' pixels",
        ),
        ([BOX + ",space", "cat,a,1,2,3,4,mm"], DataError, "space 'mm'"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, lines, error, message):
    with pytest.raises(error, match=message) as caught:
        read(tmp_path / "a.csv", *lines)
    assert caught.value.path == tmp_path / "a.csv"
    assert caught.value.hint


def test_text_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(BOX.encode() + "\ncat,ä,1,2,3,4\n".encode("latin-1"))
    with pytest.raises(GazetrackError, match="cannot be read as a table of areas"):
        read_aois(tmp_path / "a.csv")
