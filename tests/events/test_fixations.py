"""From a recording to its fixation table: whose, where from, and what is refused."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.events.auto import BEHIND_CAMERA, Auto
from gazetrack.events.fixations import fixation_table
from gazetrack.events.idt import IDT
from gazetrack.events.prepare import Preparation
from gazetrack.tables.placement import Placement
from gazetrack.tables.recording import Recording
from gazetrack.tables.schema import EVENTS, FIXATIONS, SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1920, 1080, 531.0, 299.0, 650.0)


def samples(places=(300.0, 900.0), n=100, **columns):
    """Return gaze at 250 Hz that rests on each of the places for `n` samples; left 10 px off."""
    x = np.repeat(np.array(places), n)
    y = np.full(x.size, 400.0)
    given = {"recording": "r", "t_ms": np.arange(x.size) * 4.0, "x_px": x, "y_px": y}
    given |= {"left_x_px": x - 10, "left_y_px": y, "right_x_px": x + 10, "right_y_px": y}
    return conform(given | columns, SAMPLES)


def events(n=1, **columns):
    given = {"recording": "r", "kind": "fixation", "eye": "right"}
    given |= {"onset_ms": np.arange(n) * 200.0, "duration_ms": np.full(n, 100.0)}
    given |= {"x_px": np.full(n, 50.0), "y_px": np.full(n, 60.0)}
    texts = {
        name: np.array(value, object) if isinstance(value, list) else value
        for name, value in columns.items()
    }
    return conform(given | texts, EVENTS)


def recording(**tables):
    given = {"sample_table": None, "event_table": conform({}, EVENTS), "screen": SCREEN}
    return Recording(name="r", format="test", **(given | tables))


def test_the_export_s_own_fixations_come_before_detected_ones():
    table, source = fixation_table(recording(sample_table=samples(), event_table=events()))
    assert table.schema == FIXATIONS
    assert table["x_px"].to_pylist() == [50.0]
    assert source == {
        "fixation_source": "export",
        "fixation_eye": {"asked": "auto", "held": "right", "rows": "a row per fixation"},
        "notes": [],
    }


def test_a_detector_that_is_asked_for_comes_before_the_export_s_own_fixations():
    own = recording(sample_table=samples(), event_table=events())
    table, source = fixation_table(own, IDT(dispersion_deg=0.7))
    assert table["x_px"].to_pylist() == [300.0, 900.0]
    assert source["fixation_source"] == "detector"
    assert source["detector"]["name"] == "idt"
    assert source["detector"]["dispersion_deg"] == 0.7
    assert "preparation" not in source


def test_an_export_of_samples_alone_is_served_by_the_default_detector():
    table, source = fixation_table(recording(sample_table=samples()))
    assert table["x_px"].to_pylist() == [300.0, 900.0]
    known = source["detector"]
    assert {name: known[name] for name in asdict(Auto())} == asdict(Auto())
    assert known["px_per_deg"] == pytest.approx(SCREEN.px_per_deg)


def test_what_is_left_out_is_counted_by_reason():
    of_eyes = events(
        4, x_px=np.array([50.0, 50.0, 50.0, np.nan]), eye=["left", "right", "right", "left"]
    )
    table, source = fixation_table(recording(event_table=of_eyes))
    assert table["eye"].to_pylist() == ["right", "right"]
    assert source["left_out"] == {"no position": 1, "of the other eye": 1}
    assert len(source["notes"]) == 1


def test_preparation_is_done_before_and_told_with_all_its_parameters():
    preparation = Preparation(eye="left", smooth="median")
    table, source = fixation_table(recording(sample_table=samples()), preparation=preparation)
    assert table["x_px"].to_pylist() == pytest.approx([290.0, 890.0])
    assert set(table["eye"].to_pylist()) == {"left"}
    assert source["preparation"] == asdict(preparation)


def test_fixations_are_detected_in_the_gaze_of_one_eye_or_of_each_in_turn():
    both_eyes = recording(sample_table=samples())
    left, source = fixation_table(both_eyes, eye="left")
    assert (left["x_px"].to_pylist(), source["fixation_eye"]["held"]) == ([290.0, 890.0], "left")
    each, _ = fixation_table(both_eyes, eye="both")
    assert each["x_px"].to_pylist() == [290.0, 890.0, 310.0, 910.0]
    assert each["eye"].to_pylist() == ["left", "left", "right", "right"]


def test_of_each_eye_and_a_mean_of_both_there_is_no_gaze():
    both_eyes = recording(sample_table=samples())
    with pytest.raises(ConfigError, match="each eye on its own, and eye=average"):
        fixation_table(both_eyes, preparation=Preparation(eye="average"), eye="both")


@pytest.mark.parametrize(("eyes", "whose"), [("left", "left"), ("binocular", "both")])
def test_detected_fixations_are_of_the_eyes_that_were_recorded(eyes, whose):
    table, _ = fixation_table(recording(sample_table=samples(), eyes=eyes))
    assert set(table["eye"].to_pylist()) == {whose}


def test_without_samples_nothing_can_be_detected():
    with pytest.raises(InputError, match="neither fixations nor samples"):
        fixation_table(recording())
    with pytest.raises(ConfigError, match="no samples to detect") as caught:
        fixation_table(recording(event_table=events()), Auto())
    assert "gazetrack convert" in caught.value.hint


def test_behind_a_world_camera_the_default_looks_for_no_smooth_pursuit():
    camera = {"sample_table": samples(), "world_camera": "world camera"}
    for asked in (None, Auto()):
        _, source = fixation_table(recording(**camera), asked)
        velocity = source["detector"]["pursuit_velocity_deg_s"]
        assert velocity == BEHIND_CAMERA.pursuit_velocity_deg_s
    chosen = Auto(pursuit_velocity_deg_s=5.0)
    _, source = fixation_table(recording(**camera), chosen)
    assert source["detector"]["pursuit_velocity_deg_s"] == 5.0
    with pytest.raises(ConfigError, match="field of view of the world camera is not known"):
        fixation_table(recording(**camera | {"screen": Screen(1920, 1080)}))


def test_detected_fixations_are_of_the_person_whom_the_reader_or_the_events_name():
    named = events(3, kind="message", participant=["anna", "anna", ""])
    table, _ = fixation_table(recording(sample_table=samples(), event_table=named))
    assert set(table["participant"].to_pylist()) == {"anna"}
    known = recording(sample_table=samples(), participants={"r": "ben"})
    assert set(fixation_table(known)[0]["participant"].to_pylist()) == {"ben"}
    several = events(2, kind="message", participant=["anna", "ben"])
    table, _ = fixation_table(recording(sample_table=samples(), event_table=several))
    assert set(table["participant"].to_pylist()) == {""}


def test_fixations_are_on_the_image_where_the_export_says_where_it_lay():
    # The image of 400 x 200 px was shown at half its size, its corner at (100, 50).
    placements = {"a.png": Placement(100, 50, 200, 100, 400, 200)}
    shown = events(2, stimulus=["a.png", "b.png"], x_px=np.full(2, 150.0), y_px=np.full(2, 100.0))
    table, _ = fixation_table(recording(event_table=shown, placements=placements))
    assert table["x_px"].to_pylist() == [100.0, 150.0]
    assert table["y_px"].to_pylist() == [100.0, 100.0]
    assert table["image_width_px"].to_pylist() == [400.0, pytest.approx(np.nan, nan_ok=True)]
