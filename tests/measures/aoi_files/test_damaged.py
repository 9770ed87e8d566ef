"""Damaged files of areas: each is refused with a word about what is wrong, or still a file."""

from __future__ import annotations

import copy
import json
import random

import numpy as np
import pytest

from gazetrack.errors import GazetrackError
from gazetrack.measures.aoi_files.reading import read_aois
from tests.aoi_tables import rectangle

_CORNERS = [[150, 210], [400, 210], [420, 470], [130, 470]]
_RING = [[0, 0], [30, 0], [30, 30], [0, 30], [0, 0]]
_OWN = {
    "format": "gazetrack-aois",
    "version": 1,
    "stimuli": [
        {
            "stimulus": "cat.png",
            "image_width_px": 640,
            "image_height_px": 480,
            "aois": [
                rectangle(onset_ms=0, offset_ms=800),
                {"name": "body", "shape": "polygon", "points_px": _CORNERS},
            ],
        }
    ],
}
_GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [_RING]},
            "properties": {"name": "a", "onset_ms": 3},
        }
    ],
}
_LABELME = {
    "shapes": [
        {"label": "a", "points": [[0, 0], [9, 9]], "shape_type": "circle"},
        {"label": "b", "points": [[0, 0], [9, 9], [5, 1]], "shape_type": "polygon"},
    ],
    "imagePath": "cat.jpg",
    "imageHeight": 80,
    "imageWidth": 100,
}
_CSV = """stimulus,aoi,shape,x_px,y_px,width_px,height_px,points_px
cat,a,,1,2,3,4,
cat,b,polygon,,,,,"1,2 30,4 5,60"
"""
_XML = """<annotations><image name="cat" width="100" height="80">
<box label="a" xtl="1" ytl="2" xbr="30" ybr="50"/><polygon label="p" points="0,0;10,0;10,10.5"/>
</image></annotations>"""
_TEXTS = (_CSV, _XML, "RECTANGLE 1 51 23 146 62 Buck\nFREEHAND 3 10,20 30,20 30,60 path\n")
_ODD = (None, True, -1, 0, 1e308, 1e-320, 10**400, "", "x", [], {}, [[]], [1], "\x00", [[1, 2]])
_BITS = (b"nan", b"1e999", b",", b"\n", b'"', b"-", b"<", b"\xff", b"\x00", b"9" * 12)


def odd_value(value, chosen):
    """The JSON with another value somewhere in it, or without the field."""
    value = copy.deepcopy(value)
    node = value
    while True:
        key = chosen.choice(list(node)) if isinstance(node, dict) else chosen.randrange(len(node))
        inner = node[key]
        if not isinstance(inner, dict | list) or not inner or chosen.random() < 0.3:
            break
        node = inner
    if isinstance(node, dict) and chosen.random() < 0.2:
        del node[key]
    else:
        node[key] = chosen.choice(_ODD)
    return json.dumps(value).encode()


def odd_bytes(text, chosen):
    """The text with bytes changed, lost or put in."""
    data = bytearray(text.encode())
    for _ in range(chosen.randint(1, 3)):
        at = chosen.randrange(len(data))
        data[at : at + chosen.randint(0, 5)] = chosen.choice(_BITS)
    return bytes(data)


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_refused_or_read(tmp_path, seed):
    chosen = random.Random(seed)  # noqa: S311 - nothing is secret
    nowhere = np.array([5.0, np.nan, 1e30, -3.0])
    refused = []
    for _ in range(40):
        objects = (_OWN, _GEOJSON, _LABELME)
        mutants = [odd_value(one, chosen) for one in objects]
        mutants += [odd_bytes(json.dumps(one), chosen) for one in objects]
        mutants += [odd_bytes(text, chosen) for text in _TEXTS]
        (tmp_path / "a").write_bytes(chosen.choice(mutants))
        try:
            found = read_aois(tmp_path / "a")
        except GazetrackError as error:
            refused.append(error)
            continue
        for stimulus in found.stimuli:
            for aoi in stimulus.aois:
                assert not any(flags[1] for flags in aoi.inside(nowhere, nowhere, 2.0).values())
    assert refused
    assert all(error.hint and error.path == tmp_path / "a" for error in refused)
