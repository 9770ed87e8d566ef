import pytest

from gazetrack.readers.bids.screen import screen_of, screen_without, stated_screen
from gazetrack.tables.screen import Screen

PIXELS = [1000, 800]


def test_the_screen_stands_with_the_task_or_in_drafts_with_the_gaze():
    stated = {"ScreenResolution": PIXELS}
    assert stated_screen({"StimulusPresentation": stated}) == stated
    assert stated_screen(stated) == stated
    assert stated_screen({"StimulusPresentation": {"ScreenSize": [0.5, 0.4]}}) == {}
    assert stated_screen({"StimulusPresentation": "a screen"}) == {}


@pytest.mark.parametrize(
    ("size", "distance", "lengths", "n_notes"),
    [
        ([0.5, 0.4], 0.6, (500, 400, 600), 0),
        ([50, 40], 60, (500, 400, 600), 2),  # cm
        ([500, 400], 600, (500, 400, 600), 2),  # mm
        ([7, 5], 0.6, (None, None, 600), 1),  # a cinema, or cm of a telephone: who knows
        ([200, 150], None, (None, None, None), 1),
        (None, None, (None, None, None), 0),
    ],
)
def test_lengths_in_other_units_than_metres_are_noticed(size, distance, lengths, n_notes):
    notes = []
    shown = {"ScreenResolution": PIXELS, "ScreenSize": size, "ScreenDistance": distance}
    assert screen_of(shown, notes) == Screen(1000, 800, *lengths)
    assert len(notes) == n_notes


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"ScreenResolution": "1000x800"},
        {"ScreenResolution": [1000]},
        {"ScreenResolution": [0, 0]},
        {"ScreenResolution": PIXELS, "ScreenSize": [0.5]},
        {"ScreenResolution": PIXELS, "ScreenSize": "large"},
        {"ScreenResolution": [1e400, 800]},
    ],
)
def test_what_anybody_writes_is_no_screen(shown):
    assert screen_of(shown, []) is None


def test_the_plane_of_directions_and_the_image_of_a_camera_are_screens():
    image = {"width_px": 1600, "height_px": 1200, "fov_deg": 90.0}
    camera = {"WorldCamera": {"Image": image, "Model": "Neon"}}
    assert screen_without(camera) == (Screen(1600, 1200, fov_deg=90.0), "Neon")
    assert screen_without({"DirectionPlane": image}) == (Screen(1600, 1200, fov_deg=90.0), "")


@pytest.mark.parametrize(
    "image", [{"width_px": 0, "height_px": 1}, {"width": 5}, {"width_px": "a", "height_px": 1}, []]
)
def test_an_image_that_cannot_be_is_no_screen(image):
    assert screen_without({"WorldCamera": {"Image": image, "Model": "Neon"}}) == (None, "")
