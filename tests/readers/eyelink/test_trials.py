"""Trials and images of an EyeLink recording, by the messages of the experiment's program."""

import math

import pytest

from gazetrack.readers.eyelink.findings import Findings
from gazetrack.readers.eyelink.trials import Trials
from gazetrack.tables.placement import Placement


@pytest.fixture
def trials():
    return Trials(Findings())


def found(trials):
    return [(segment.time, segment.trial, segment.stimulus) for segment in trials.segments()]


def test_without_names_each_block_is_a_trial(trials):
    trials.start_block("1", 100.0)
    trials.end_block()
    trials.start_block("2", 200.0)
    assert found(trials) == [(-math.inf, "", ""), (100.0, "1", ""), (200.0, "2", "")]
    assert trials.n_segments == 3


def test_a_named_trial_is_no_block_and_what_lies_before_it_has_no_name(trials):
    trials.start_block("1", 100.0)
    trials.end_block()
    trials.take("TRIALID practice", 150.0)
    trials.start_block("2", 200.0)
    assert found(trials) == [(-math.inf, "", ""), (100.0, "", ""), (150.0, "practice", "")]


def test_an_image_shown_before_the_start_belongs_to_the_block_that_follows(trials):
    trials.take("!V IMGLOAD FILL pictures/a.png", 90.0)
    trials.start_block("1", 100.0)
    assert found(trials)[1:] == [(100.0, "1", "a.png")]
    assert trials.n_segments == 2


def test_each_further_image_of_a_trial_begins_a_segment(trials):
    trials.start_block("1", 100.0)
    trials.take("!V IMGLOAD FILL a.png", 110.0)
    assert trials.n_segments == 2
    trials.take("!V IMGLOAD FILL b.png", 150.0)
    assert trials.n_segments == 3
    assert found(trials)[1:] == [(100.0, "1", "a.png"), (150.0, "1", "b.png")]


def test_an_image_may_be_a_variable_of_the_trial(trials):
    trials.take("TRIALID 7", 100.0)
    trials.take("!V TRIAL_VAR image_name c:\\pictures\\a b.png", 300.0)
    assert found(trials)[1:] == [(100.0, "7", "a b.png")]


def placed(x, y, width, height):
    return Placement(
        x_px=x,
        y_px=y,
        width_px=width,
        height_px=height,
        image_width_px=round(width),
        image_height_px=round(height),
    )


@pytest.mark.parametrize(
    ("words", "placement"),
    [
        ("FILL a 1.png", placed(0.0, 0.0, 1024, 768)),
        ("TOP_LEFT a 1.png 10 20 640 480", placed(10.0, 20.0, 640.0, 480.0)),
        ("CENTER a 1.png 512 384 640 480", placed(192.0, 144.0, 640.0, 480.0)),
    ],
)
def test_where_an_image_lies_is_said_beside_its_name(words, placement, trials):
    trials.take("DISPLAY_COORDS 0 0 1023 767", 0.0)
    trials.take(f"!V IMGLOAD {words}", 1.0)
    trials.start_block("1", 2.0)
    assert trials.placements() == {"a 1.png": placement}


def test_images_without_a_size_or_without_a_screen_are_not_placed(trials):
    trials.start_block("1", 0.0)
    trials.take("!V IMGLOAD FILL a.png", 1.0)
    trials.take("!V IMGLOAD CENTER b.png 512 384", 1.0)
    trials.take("!V IMGLOAD CENTER c.png 512 384 0 0", 1.0)
    assert trials.placements() == {}


def test_an_image_at_two_places_is_left_out_with_a_note():
    findings = Findings()
    trials = Trials(findings)
    trials.start_block("1", 0.0)
    for x in (0, 10):
        trials.take(f"!V IMGLOAD TOP_LEFT a.png {x} 0 64 48", 1.0)
    trials.take("!V IMGLOAD TOP_LEFT b.png 0 0 64 48", 1.0)
    assert list(trials.placements()) == ["b.png"]
    assert findings.notes == ["1 images were shown at several places: not mapped to image pixels"]


@pytest.mark.parametrize("corners", ["0 0 1023", "1 0 1023 767", "0 0 x 767", "0 0 999999999 1"])
def test_a_screen_that_cannot_be_is_ignored_with_a_note(corners):
    findings = Findings()
    trials = Trials(findings)
    trials.take(f"DISPLAY_COORDS {corners}", 0.0)
    assert trials.screen is None
    assert findings.notes == ["the screen geometry in the file is not usable: ignored"]
    trials.take("GAZE_COORDS 0.00 0.00 1920.00 1080.00", 0.0)
    assert (trials.screen.width_px, trials.screen.height_px) == (1920, 1080)
