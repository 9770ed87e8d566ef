"""Parameters of maps and of the CRF: what they become, what they refuse, and the presets."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import (
    CRF_PRESETS,
    KINDS,
    MAX_LEVELS,
    PRESETS,
    CRFParams,
    MapParams,
    check_levels,
    crf_params,
    map_params,
)


def test_levels_keep_equal_shares_unless_told_otherwise():
    assert MapParams().ratios == (0.25, 0.5, 0.75, 1.0)
    assert MapParams(levels=1).ratios == (1.0,)
    assert MapParams(levels=2, ratios=(0.1, 0.9)).ratios == (0.1, 0.9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "blob"),
        ("levels", 0),
        ("radius", 0.0),
        ("radius", math.nan),
        ("softness", -1.0),
        ("drop_first", -1),
        ("truncation", "middle"),
        ("levels", MAX_LEVELS + 1),
        ("by", "pixels"),
        ("ratios", (0.5, 1.0)),
        ("min_duration_ms", -1.0),
        ("blur", math.inf),
        ("threshold", math.nan),
    ],
)
def test_bad_parameters_are_refused(name, value):
    with pytest.raises(ConfigError) as caught:
        MapParams(**{name: value})
    assert caught.value.hint


@pytest.mark.parametrize("ratios", [(), (0.0, 1.0), (0.5, 1.1), (1.0, 0.5), (0.5, math.nan)])
def test_shares_of_levels_increase_within_a_track(ratios):
    with pytest.raises(ConfigError, match="level ratios"):
        check_levels(ratios, "tail", "count")


def test_shares_of_levels_may_be_equal():
    check_levels((0.5, 0.5, 1.0), "random", "time")
    with pytest.raises(ConfigError, match="truncation 'middle' by 'count'"):
        check_levels((1.0,), "middle", "count")


def test_parameters_are_written_as_json_and_infinity_as_a_word():
    known = MapParams(levels=2).as_dict()
    assert known["max_saccade"] == "inf"
    assert known["ratios"] == [0.5, 1.0]
    assert json.loads(json.dumps(known, allow_nan=False)) == known
    assert MapParams(max_saccade=0.25).as_dict()["max_saccade"] == 0.25


def test_presets_take_changes_and_leave_out_what_is_none():
    assert map_params() == MapParams()
    assert map_params("prostate", levels=2, blur=None) == MapParams(
        kind="hull", radius=0.024, levels=2
    )
    assert map_params(ratios=(0.5, 1.0)).levels == 2
    with pytest.raises(ConfigError, match="ratios"):
        map_params(levels=3, ratios=(0.5, 1.0))
    with pytest.raises(ConfigError, match="preset 'brain'"):
        map_params("brain")
    assert all(params.kind in KINDS for params in PRESETS.values())


def test_a_heatmap_keeps_the_first_fixation_unless_told_otherwise():
    assert map_params(kind="tube").drop_first == 1
    assert map_params(kind="heatmap").drop_first == 0
    assert map_params(kind="heatmap", drop_first=2).drop_first == 2


def test_another_number_of_levels_goes_with_a_preset():
    assert map_params("gazemedseg").ratios == (1.0,)
    assert map_params("gazemedseg", levels=4).ratios == (0.25, 0.5, 0.75, 1.0)


def test_lengths_in_pixels_shrink_with_the_image_and_nothing_else():
    params = CRFParams(
        position_px=40.0, smooth_px=5.0, colour=11.0, weight=2.0, smooth_weight=1.5, iterations=7
    )
    expected = CRFParams(
        position_px=10.0, smooth_px=1.25, colour=11.0, weight=2.0, smooth_weight=1.5, iterations=7
    )
    assert params.resized(0.25) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", 0),
        ("smooth_weight", -1),
        ("position_px", math.inf),
        ("weight", math.nan),
        ("iterations", 0),
    ],
)
def test_bad_parameters_of_the_crf_are_refused(name, value):
    with pytest.raises(ConfigError, match=f"CRF {name} = {value}"):
        CRFParams(**{name: value})


def test_presets_of_the_crf_take_changes_and_are_the_defaults_elsewhere():
    assert crf_params() == crf_params("prostate") == CRFParams()
    changed = crf_params("polyp", weight=4, colour=None)
    assert changed == CRFParams(position_px=50, weight=4)
    assert CRF_PRESETS["polyp"].weight == 5


def test_nothing_heavy_is_imported_for_parameters():
    heavy = ("numba", "torch", "scipy", "pyarrow", "pandas", "PIL")
    code = (
        "import sys; import gazetrack.maps.parameters; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
