"""Every method by its name: invariants, and what becomes of too few fixations and bad ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.measures.aois import Aoi, AoiSet, Part, StimulusAois
from gazetrack.measures.scanpaths import METHODS, ScanpathOptions, check_methods, compare_tracks
from gazetrack.measures.shapes import Rectangle
from tests.measures.paths import random_track, track, tracks


def values(a, b, **options):
    found = compare_tracks(a, b, options=ScanpathOptions(**options))
    return {(one.method, one.measure): one.value for one in found}


@given(tracks(), tracks())
@settings(deadline=None, max_examples=30)
def test_equal_paths_and_symmetry(a, b):
    of_itself, forth, back = values(a, a), values(a, b), values(b, a)
    for name, method in METHODS.items():
        for measure in method.measures:
            key = name, measure.name
            if not math.isnan(measure.equal):
                assert of_itself[key] == pytest.approx(measure.equal, abs=1e-9), key
            expected = -back[key] if measure.name == "corm" else back[key]
            assert forth[key] == pytest.approx(expected, nan_ok=True), key


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_fixations_are_nan_for_a_reason(n):
    found = compare_tracks(random_track(n, 0), random_track(9, 1))
    for one in found:
        least = 3 if one.method in ("multimatch", "tde") else 1
        if n < least:
            assert math.isnan(one.value)
            assert one.reason == ("no fixations" if least == 1 else "fewer than 3 fixations")
        elif one.method != "cross_recurrence":
            assert math.isfinite(one.value), one
            assert one.reason == ""


def test_recurrence_that_is_nowhere_has_its_reason():
    apart = track([[0, 0], [0, 599]]), track([[799, 0], [799, 599]])
    found = {one.measure: one for one in compare_tracks(*apart, ["cross_recurrence"])}
    assert found["recurrence"].value == 0
    assert found["recurrence"].reason == ""
    assert math.isnan(found["determinism"].value)
    assert found["determinism"].reason == "no recurrence"


def test_fixations_too_brief_for_a_word_have_their_reason():
    brief = track([[0, 0], [5, 5]], [10.0, 10.0])
    (found,) = compare_tracks(brief, brief, ["scanmatch"])
    assert math.isnan(found.value)
    assert found.reason == "no fixation lasts half a bin"


def test_levenshtein_by_areas_of_interest():
    shape = Rectangle(x_px=0, y_px=0, width_px=400, height_px=600)
    left = Aoi(name="left", parts=(Part(shape=shape),))
    aois = AoiSet(stimuli=(StimulusAois(stimulus="cat", aois=(left,)),))
    a, b = track([[10, 10], [390, 500], [500, 5]]), track([[99, 99], [799, 599]])
    found = values(a, b, aois=aois)
    assert found["levenshtein", "distance"] == 1
    strangers = [track([[0, 0]], stimulus="dog.png")] * 2
    options = ScanpathOptions(aois=aois)
    (distance, _) = compare_tracks(*strangers, ["levenshtein"], options)
    assert math.isnan(distance.value)
    assert distance.reason == "no areas of interest on the stimulus"


def test_fixations_without_a_position_are_left_out():
    a, b = random_track(6, 0), random_track(6, 1)
    holes = track(
        np.insert(np.column_stack([a.x, a.y]), 2, np.nan, axis=0),
        np.insert(a.duration_ms, 2, 100.0),
    )
    assert values(holes, b) == values(a, b)


def test_different_stimuli_are_refused():
    with pytest.raises(SchemaError, match=r"different stimuli: 'cat.png' and 'dog.png'"):
        compare_tracks(track([[0, 0]]), track([[0, 0]], stimulus="dog.png"))


def test_one_stimulus_in_two_sizes_is_refused():
    with pytest.raises(SchemaError, match=r"two sizes: 800 x 600 px and 1920 x 1080 px"):
        compare_tracks(track([[0, 0]]), track([[0, 0]], width=1920.0, height=1080.0))
    # Float32, or a pixel lost in rounding.
    compare_tracks(track([[0, 0]]), track([[0, 0]], width=800.0001), ["dtw"])


def test_methods_are_named_once_and_known():
    assert check_methods(["dtw", "tde", "dtw"]) == ("dtw", "tde")
    with pytest.raises(ConfigError, match=r"'multimach' - did you mean 'multimatch'\?"):
        check_methods(["multimach"])
    with pytest.raises(ConfigError, match="no method"):
        check_methods([])


def test_every_option_reaches_its_method():
    a, b = random_track(12, 3), random_track(13, 4)
    plain = values(a, b)
    changed = {
        "scanmatch": {"threshold_cells": 2.0, "bin_ms": 20.0, "gap": -1.0, "grid": (5, 5)},
        "levenshtein": {"grid": (3, 3)},
        "multimatch": {"direction_deg": 90.0, "duration_ms": 400.0},
        "cross_recurrence": {"radius_px": 150.0},
        "tde": {"stretch": 2},
        "mannan": {"seed": 5},
    }
    for method, options in changed.items():
        for name, value in options.items():
            own = options if method == "multimatch" else {name: value}
            found = values(a, b, **own)
            other = {key for key, one in found.items() if one != plain[key]}
            assert {key[0] for key in other if key[0] == method}, (method, name)
            shared = {"scanmatch", "levenshtein"} if name == "grid" else set()
            assert {key[0] for key in other} <= {method, *shared}


@pytest.mark.parametrize("name", ["radius_px", "bin_ms", "amplitude_px", "duration_ms"])
def test_options_that_make_no_sense(name):
    with pytest.raises(ConfigError, match=name):
        ScanpathOptions(**{name: -1.0})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stretch", 2.5),
        ("stretch", 0),
        ("line", -1),
        ("seed", -1),
        ("direction_deg", math.nan),
        ("direction_deg", -5.0),
        ("grid", (0, 0)),
        ("grid", (5, 0)),
        ("threshold_cells", 0.0),
        ("gap", 1.0),
    ],
)
def test_numbers_that_cannot_be_are_refused_whatever_is_asked_for(name, value):
    with pytest.raises(ConfigError, match=name):
        ScanpathOptions(**{name: value})
