"""Sidecars: the screen in metres, whose eye, and what no screen means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gazetrack.errors import DataError
from gazetrack.tables.screen import Screen
from gazetrack.workflows.bids import sidecars
from gazetrack.workflows.bids.parts import parts_of, survey
from tests.bids_sets import SCREEN
from tests.workflows.bids.test_parts import recording


def test_lengths_are_metres():
    facts = sidecars.screen_facts(replace(recording(), screen=SCREEN))
    assert facts["StimulusPresentation"] == {
        "ScreenDistance": 0.65,
        "ScreenOrigin": ["top", "left"],
        "ScreenResolution": [1920, 1080],
        "ScreenSize": [0.531, 0.299],
    }


@pytest.mark.parametrize(
    ("screen", "missing"),
    [
        (None, "resolution, size and distance"),
        (Screen(100, 100), "size and distance"),
        (Screen(100, 100, 10.0, 10.0), "distance"),
        (Screen(100, 100, 10.0, None, 5.0), "size"),
    ],
)
def test_what_is_missing_of_the_screen_is_named_with_the_option(screen, missing):
    with pytest.raises(DataError, match=f"screen's {missing}, which.*give --screen"):
        sidecars.check_screen(replace(recording(), screen=screen))


def test_fractions_of_a_screen_nobody_knows_are_refused():
    with pytest.raises(DataError, match="resolution"):
        sidecars.check_screen(replace(recording(), screen=SCREEN, fractions_of="screen"))


def sidecar_of(one, eye="left"):
    part = parts_of(one)[0]
    columns = ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"]
    return sidecars.gaze_sidecar(part, survey(part), eye, columns, 250.0)


def test_a_camera_on_the_head_needs_no_screen():
    camera = Screen(1280, 720, fov_deg=90.0)
    one = replace(recording(), screen=camera, world_camera="Pupil Core")
    sidecars.check_screen(one)
    assert sidecars.screen_facts(one) == {}
    facts = sidecar_of(one)
    assert facts["SampleCoordinateSystem"] == "gaze-in-world"
    assert facts["WorldCamera"]["Image"]["width_px"] == 1280


def test_directions_are_described():
    facts = sidecar_of(replace(recording(), screen=SCREEN, directions=True))
    assert facts["SampleCoordinateSystem"] == "custom"
    assert "straight ahead" in facts["SampleCoordinateSystemDescription"]


def test_the_pupil_is_an_area_or_a_diameter_or_nobody_knows():
    assert (
        "(area)"
        in sidecar_of(replace(recording(), pupil_measure="area"))["pupil_size"]["Description"]
    )
    assert "does not say" in sidecar_of(recording())["pupil_size"]["Description"]


def test_columns_of_events_are_described_by_our_own_schema():
    facts = sidecars.events_sidecar(["onset", "duration", "trial_type", "message", "x_coordinate"])
    assert facts["OnsetSource"] == "timestamp"
    assert (facts["onset"]["Units"], facts["duration"]["Units"]) == ("ms", "s")
    assert facts["x_coordinate"]["Units"] == "pixel"
