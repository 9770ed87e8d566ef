"""Recordings in pymovements: it computes with them as with its own."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pymovements
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.interop.losses import ConversionWarning
from gazetrack.interop.to_pymovements import to_pymovements
from gazetrack.tables.schema import EVENTS
from gazetrack.tables.screen import Screen
from tests.interop.recordings import SCREEN, recording


def component(gaze, column, i):
    return gaze.samples[column].list.get(i).fill_null(np.nan).to_numpy()


def test_two_eyes_are_six_components_with_nulls_for_nan():
    own = recording()
    gaze = to_pymovements(own)
    assert gaze.n_components == 6
    names = ("left_x_px", "left_y_px", "right_x_px", "right_y_px", "x_px", "y_px")
    for i, name in enumerate(names):
        np.testing.assert_array_equal(component(gaze, "pixel", i), own.samples[name])
    assert gaze.samples["pixel"].list.get(0).null_count() == own.samples["left_x_px"].isna().sum()
    np.testing.assert_array_equal(component(gaze, "pupil", 1), own.samples["right_pupil"])
    assert gaze.samples["time"].to_list() == own.samples["t_ms"].to_list()
    assert gaze.trial_columns == ["trial", "stimulus"]


@pytest.mark.parametrize("eye", ["left", "right"])
def test_one_eye_is_two_components_and_the_tracker_says_which(eye):
    own = recording(eyes=(eye,))
    gaze = to_pymovements(own)
    assert gaze.n_components == 2
    assert (gaze.experiment.eyetracker.left, gaze.experiment.eyetracker.right) == (
        eye == "left",
        eye == "right",
    )
    np.testing.assert_array_equal(
        gaze.samples["pupil"].fill_null(np.nan), own.samples[f"{eye}_pupil"]
    )


def test_screen_and_tracker_have_the_units_of_pymovements():
    experiment = to_pymovements(recording()).experiment
    assert experiment.screen.resolution == (1280, 1024)
    assert experiment.screen.size == (38.0, 30.0)
    assert experiment.screen.distance_cm == 60.0
    assert experiment.screen.origin == "upper left"
    assert experiment.sampling_rate == 250.0
    assert (experiment.eyetracker.model, experiment.eyetracker.version) == ("EyeLink 1000", "5.15")


def test_its_degrees_are_ours_but_for_its_way_of_counting_pixels():
    own = recording()
    gaze = to_pymovements(own)
    gaze.pix2deg()
    # pymovements puts the middle half a pixel to the left, and takes each axis by itself: on the
    # middle row and column its angles are Fick angles, as ours.
    x = own.samples["x_px"].to_numpy(np.float64)
    azimuth, _ = SCREEN.degrees(x + 0.5, np.full(len(x), 512.0))
    np.testing.assert_allclose(component(gaze, "position", 4), azimuth, rtol=1e-12)


def test_its_velocities_and_detectors_work_on_it():
    own = recording(eyes=("left",), trials=("1", "1", "1", "1"))
    gaze = to_pymovements(own)
    before = len(gaze.events.frame)
    gaze.pix2deg()
    gaze.pos2vel("preceding")
    gaze.detect("idt", dispersion_threshold=60, minimum_duration=8, name="fixation_idt")
    assert "velocity" in gaze.samples.columns
    assert len(gaze.events.frame) > before


def test_events_and_messages_are_where_pymovements_looks_for_them():
    gaze = to_pymovements(recording())
    events = gaze.events
    assert events.fixations["onset"].to_list() == [55, 160]
    assert events.fixations["duration"].to_list() == [36, 24]
    assert events.saccades["offset"].to_list() == [103]
    assert events.saccades["amplitude_deg"].to_list() == [11.5]
    assert events.blinks["eye"].to_list() == ["right"]
    assert events.frame["name"].to_list() == ["fixation", "saccade", "blink", "fixation", "button"]
    assert gaze.messages["content"].to_list() == ["TRIALID 1"]
    assert gaze.messages["time"].to_list() == [-7.0]
    assert events.trial_columns == gaze.trial_columns


def test_an_export_of_events_alone_becomes_events_alone():
    gaze = to_pymovements(replace(recording(), sample_table=None))
    assert len(gaze.samples) == 0
    assert len(gaze.events.frame) == 5
    nothing = replace(recording(), sample_table=None, event_table=EVENTS.empty_table())
    with pytest.raises(ConfigError, match="without samples and without events"):
        to_pymovements(nothing)


def test_detected_fixations_take_the_place_of_the_export_s_own():
    own = recording(eyes=("left",))
    found = gazetrack.detect_fixations(own, "idt")
    gaze = to_pymovements(own, found)
    assert gaze.events.fixations["onset"].to_list() == found["onset_ms"].to_list()
    assert gaze.messages is None


def test_several_recordings_are_trials():
    own = recording()
    samples = own.sample_table
    names = ["anna"] * 30 + ["ben"] * 20
    at = samples.schema.get_field_index("recording")
    coded = gazetrack.tables.schema.conform({"recording": names}, samples.schema)["recording"]
    two = replace(own, sample_table=samples.set_column(at, samples.schema.field(at), coded))
    assert to_pymovements(two).trial_columns == ["recording", "trial", "stimulus"]


def test_losses_are_said_and_nothing_else_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_pymovements(recording())
    camera = recording(screen=Screen(1088, 1080, fov_deg=82.0, fisheye=True))
    with pytest.warns(ConversionWarning, match="field of view"):
        gaze = to_pymovements(camera)
    assert any("field of view" in note for note in gaze.metadata["notes"])
    with pytest.warns(ConversionWarning, match="sampling rate changes"):
        gaze = to_pymovements(recording(rate_hz=None, rates_hz=((0.0, 250.0), (80.0, 500.0))))
    assert gaze.experiment.sampling_rate is None


def test_a_rate_that_nobody_states_is_measured():
    gaze = to_pymovements(recording(rate_hz=None))
    assert gaze.experiment.sampling_rate == pytest.approx(250.0)


def test_what_is_no_recording_is_refused():
    with pytest.raises(ConfigError, match="the recording is of type"):
        to_pymovements(pymovements.Gaze())
