"""Cards: what notebooks show of our objects."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from gazetrack.cards import PICTURE_PX, card, discs_svg, levels_png, path_svg
from gazetrack.maps.render import MapParams, render_maps
from gazetrack.maps.track import Track

TRACK = Track(
    recording="r",
    trial="t",
    stimulus="<b>.png",
    x=np.array([10.0, 50.0, np.nan]),
    y=np.array([20.0, 30.0, 1.0]),
    duration_ms=np.array([100.0, 400.0, 100.0]),
    width=100.0,
    height=50.0,
)


def test_the_discs_lie_where_the_fixations_are_and_their_area_is_the_duration():
    drawn = ET.fromstring(discs_svg(TRACK.x, TRACK.y, TRACK.duration_ms, 100, 50))  # noqa: S314 - our own text
    scale = PICTURE_PX / 100
    discs = [node.attrib for node in drawn if node.tag.endswith("circle")]
    assert [float(disc["cx"]) for disc in discs] == pytest.approx([10 * scale, 50 * scale])
    assert [float(disc["cy"]) for disc in discs] == pytest.approx([20 * scale, 30 * scale])
    first, second = (float(disc["r"]) for disc in discs)
    assert abs(second - 2 * first) < 0.11  # radii are written to a tenth
    assert float(drawn.attrib["height"]) == PICTURE_PX / 2


def test_long_paths_are_thinned_and_what_is_beside_the_screen_is_not_drawn():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-100, 200, (2, 50_000))
    drawn = path_svg(x, y, 100, 100)
    assert len(drawn) < 40_000
    places = np.array(re.findall(r"M([-\d.]+) ([-\d.]+)h0", drawn), float)
    assert len(places) == 2000
    assert places.min() >= 0
    assert places.max() <= PICTURE_PX
    assert "path" not in path_svg(np.array([np.nan]), np.array([1.0]), 100, 100)


def test_maps_lie_side_by_side_in_their_order():
    levels = np.zeros((2, 600, 300), np.uint8)
    levels[1] = 255
    data = re.search(r"base64,([^\"]+)", levels_png(levels))[1]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert picture.shape[0] == 200  # every third pixel of 600
    assert (picture[:, 0] == 0).all()
    assert (picture[:, -1] == 255).all()


def test_a_card_leaves_out_what_is_not_known_and_escapes_the_rest():
    page = card("a < b", {"eye": "", "rate": None, "n": 0}, "")
    assert "a &lt; b" in page
    assert "eye" not in page
    assert "rate" not in page
    assert ">0<" in page


def test_tracks_and_maps_tell_of_themselves():
    assert repr(TRACK) == "<Track on '<b>.png' (100 x 50 px): 3 fixations>"
    assert "&lt;b&gt;.png" in TRACK._repr_html_()
    assert "0.6 s" in TRACK._repr_html_()
    maps = render_maps(TRACK, MapParams(kind="disc", levels=2, drop_first=0))
    assert "2 disc levels, 50 x 100>" in repr(maps)
    assert "data:image/png;base64," in maps._repr_html_()
    assert "<b>" not in maps._repr_html_().replace("<b>Track maps", "")
