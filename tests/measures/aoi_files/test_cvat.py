"""CVAT's XML as areas of interest."""

from __future__ import annotations

import pytest

from gazetrack.errors import InputError, ParseError
from gazetrack.measures.aoi_files import cvat
from gazetrack.measures.aoi_files.reading import read_aois
from gazetrack.measures.shapes import Ellipse, Polygon, Rectangle

BOX = '<box label="{}" xtl="10" ytl="20" xbr="30" ybr="50" {}/>'


def write(path, *shapes, image='name="set/cat.png" width="100" height="80"', more=""):
    inside = "".join(shapes)
    path.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        f'<image id="0" {image}>{inside}</image>{more}</annotations>'
    )
    return path


def test_shapes_are_areas(tmp_path):
    found = read_aois(
        write(
            tmp_path / "a.xml",
            BOX.format("face", 'occluded="0"'),
            BOX.format("turned", 'rotation="90.0"'),
            '<ellipse label="eye" cx="50" cy="40" rx="5" ry="3"/>',
            '<polygon label="paw" points="0,0;10,0;10,10.5"/>',
            BOX.format("paw", ""),
            '<tag label="outdoors"/>',
            more='<image id="1" name="dog.png" width="10" height="10"/>',
        )
    )
    cat, dog = found.stimuli
    assert (cat.names, cat.size) == (("face", "turned", "eye", "paw"), (100, 80))
    kinds = [type(aoi.parts[0].shape) for aoi in cat.aois]
    assert kinds == [Rectangle, Polygon, Ellipse, Polygon]
    assert cat.aois[1].parts[0].shape.bounds == pytest.approx((5, 25, 35, 45))
    assert len(cat.aois[3].parts) == 2
    assert dog.aois == ()
    assert found.of("cat.jpg") is cat


@pytest.mark.parametrize(
    ("one", "message"),
    [
        ('<polyline label="a" points="0,0;1,1"/>', "has a polyline on 'set/cat.png'"),
        ('<box label="a" xtl="10" ytl="20" xbr="x" ybr="50"/>', "has 'x' as xbr"),
        ('<box label="a" xtl="10" ytl="20" ybr="50"/>', "has a box without xbr"),
        ('<polygon label="a" points="0,0;1"/>', "has a corner '1'"),
        ('<box xtl="10" ytl="20" xbr="30" ybr="50"/>', "has a box without label"),
    ],
)
def test_what_is_no_area_is_told(tmp_path, one, message):
    with pytest.raises(ParseError, match=message):
        read_aois(write(tmp_path / "a.xml", one))


def test_files_that_are_none(tmp_path, monkeypatch):
    for text, message in (
        ("<html></html>", "is XML of 'html', not of CVAT"),
        ("<annotations><image>", r":1:\d+: is no XML"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><annotations/>', "declares entities"),
        ('<annotations><track id="0"/></annotations>', "holds tracks, which count frames"),
    ):
        (tmp_path / "a.xml").write_text(text)
        with pytest.raises(ParseError, match=message):
            read_aois(tmp_path / "a.xml")
    for image in ('name="cat" width="nan" height="8"', 'name="cat" width="0" height="8"'):
        with pytest.raises(ParseError, match="as width"):
            read_aois(write(tmp_path / "a.xml", image=image))
    monkeypatch.setattr(cvat, "MAX_BYTES", 20)
    with pytest.raises(InputError, match="more than 20 bytes"):
        read_aois(tmp_path / "a.xml")
