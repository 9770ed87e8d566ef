"""What went to pymovements comes back to the last bit, and what it read itself comes too."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pymovements
import pytest

import gazetrack
from gazetrack.errors import ConfigError, ParseError, SchemaError
from gazetrack.interop.from_pymovements import from_pymovements
from gazetrack.interop.losses import ConversionWarning
from gazetrack.interop.to_pymovements import to_pymovements
from gazetrack.tables.placement import Placement
from gazetrack.tables.schema import EVENTS, conform
from gazetrack.tables.screen import Screen
from tests.interop.gazes import EXPERIMENT, gaze_of
from tests.interop.recordings import SCREEN, assert_same, in_order, plain, recording


@pytest.mark.parametrize("eyes", [(), ("left",), ("right",), ("left", "right")])
@pytest.mark.parametrize("step_ms", [4.0, 1000 / 120])
def test_there_and_back(eyes, step_ms):
    own = recording(
        eyes=eyes,
        step_ms=step_ms,
        placements={"1.png": Placement(10, 20, 300, 200, 600, 400)},
        start_ns=1_700_000_000_000_000_001,
    )
    assert_same(from_pymovements(to_pymovements(own)), own)


def test_a_world_camera_comes_back_with_its_field_of_view():
    own = recording(screen=Screen(1088, 1080, fov_deg=82.0, fisheye=True), world_camera="Neon")
    with pytest.warns(ConversionWarning):
        gaze = to_pymovements(own)
    assert_same(from_pymovements(gaze), own)


def test_a_recording_without_a_screen_comes_back():
    own = recording(screen=None, rate_hz=None, tracker="", software="")
    assert_same(from_pymovements(to_pymovements(own)), own)


@pytest.mark.parametrize("number", [0, 1])
def test_simulated_exports_there_and_back(tmp_path, number):
    example = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64))
    own = gazetrack.read(example.exports[number])
    back = from_pymovements(to_pymovements(own))
    exact = ["onset_ms", "x_px", "y_px", "end_x_px", "amplitude_deg", "pupil"]
    rows, found = in_order(own.events), in_order(back.events)
    pd.testing.assert_frame_equal(plain(back.samples), plain(own.samples), check_exact=True)
    pd.testing.assert_frame_equal(found[exact], rows[exact], check_exact=True)
    # A length is an offset less an onset there, which loses the last bit of a fraction.
    np.testing.assert_allclose(found["duration_ms"], rows["duration_ms"], atol=1e-9)
    assert list(found["kind"]) == list(rows["kind"])
    assert list(found["trial"]) == list(rows["trial"])
    assert back.facts() == own.facts()


def test_what_pymovements_detected_comes_back_as_events():
    own = recording(eyes=("left",), trials=("1", "1", "1", "1"))
    gaze = to_pymovements(own)
    gaze.pix2deg()
    gaze.detect("idt", dispersion_threshold=60, minimum_duration=8, name="fixation_idt")
    back = from_pymovements(gaze)
    n_more = len(back.events) - len(own.events)
    assert n_more > 0
    new = back.events[back.events["x_px"].isna() & (back.events["kind"] == "fixation")]
    assert len(new) == n_more
    assert set(new["eye"]) == {"left"}
    assert set(new["trial"]) == {"1"}
    assert set(new["recording"]) == {"anna"}
    assert set(new["participant"]) == {"p1"}
    assert any("left out: position" in note for note in back.notes)


def test_ours_beside_the_trackers_are_not_there_twice(tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64))
    own = gazetrack.read(example.exports[0], screen=SCREEN)
    events = gazetrack.detect_events(own)
    back = from_pymovements(to_pymovements(own, events))
    assert len(back.events) == (events["source"] == "tracker").sum()
    assert any("gazetrack had detected are left out" in note for note in back.notes)


def test_a_screen_that_was_changed_there_wins():
    gaze = to_pymovements(recording())
    gaze.experiment.screen.distance_cm = 70.0
    assert from_pymovements(gaze).screen == Screen(1280, 1024, 380.0, 300.0, 700.0)


def test_what_pymovements_reads_of_eyelink_is_what_we_read(tmp_path):
    export = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64)).exports[0]
    ours = gazetrack.read(export)
    theirs = from_pymovements(pymovements.gaze.from_asc(export))
    columns = ["t_ms", "right_x_px", "right_y_px", "right_pupil", "x_px", "y_px"]
    assert ours.samples["t_ms"].iloc[0] == 0
    pd.testing.assert_frame_equal(theirs.samples[columns], ours.samples[columns], check_exact=True)
    assert (theirs.rate_hz, theirs.origin_ms) == (ours.rate_hz, ours.origin_ms)
    assert theirs.samples["left_x_px"].isna().all()


def test_a_gaze_of_its_own_begins_at_its_first_sample():
    found = from_pymovements(gaze_of(), name="ben")
    assert found.name == "ben"
    assert found.format == "pymovements"
    assert found.origin_ms == 1000.0
    assert found.samples["t_ms"].tolist() == [0.0, 1.0, 2.0]
    assert list(found.samples["trial"]) == ["1", "1", "2"]
    assert set(found.samples["recording"]) == {"ben"}
    np.testing.assert_array_equal(found.samples["x_px"], np.float32([0.0, 639.5, np.nan]))
    assert found.screen == SCREEN
    assert (found.rate_hz, found.eyes) == (1000.0, "combined")


def test_events_of_its_own_move_with_the_samples():
    events = pymovements.Events(
        pl.DataFrame(
            {"name": ["fixation_ivt", "saccade", "odd"], "onset": [1000, 1001, 1002]}
        ).with_columns(offset=pl.col("onset") + 1)
    )
    found = from_pymovements(gaze_of(events=events)).events
    assert list(found["kind"]) == ["fixation", "saccade", "odd"]
    assert found["onset_ms"].tolist() == [0.0, 1.0, 2.0]
    assert found["duration_ms"].tolist() == [1.0, 1.0, 1.0]
    assert set(found["eye"]) == {"both"}


def test_clocks_of_trials_stay():
    samples = pl.DataFrame(
        {"time": [0, 1, 2, 3, 0, 1, 2, 3], "x": range(8), "y": range(8), "trial": [1] * 4 + [2] * 4}
    )
    gaze = pymovements.Gaze(samples, EXPERIMENT, pixel_columns=["x", "y"], trial_columns=["trial"])
    found = from_pymovements(gaze)
    assert found.time_origin == "trial"
    assert found.samples["t_ms"].tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_people_are_participants():
    one = from_pymovements(gaze_of(metadata={"subject_id": 7}), name="ben")
    assert one.participants == {"ben": "7"}
    samples = pl.DataFrame(
        {"time": [0, 1, 2, 3], "x": range(4), "y": range(4), "subject": ["a", "a", "b", "b"]}
    )
    gaze = pymovements.Gaze(
        samples, EXPERIMENT, pixel_columns=["x", "y"], trial_columns=["subject"]
    )
    two = from_pymovements(gaze)
    assert list(two.samples["recording"]) == ["a", "a", "b", "b"]
    assert two.participants == {"a": "a", "b": "b"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda gaze: gaze.samples.drop("pixel"), "neither pixels nor positions"),
        (lambda gaze: gaze.samples.drop("time"), "no times"),
        (
            lambda gaze: gaze.samples.with_columns(pl.Series("pixel", [[1.0, 2.0, 3.0]] * 3)),
            "3 numbers a sample",
        ),
    ],
)
def test_what_cannot_become_a_recording_is_refused(change, message):
    gaze = gaze_of()
    gaze.samples = change(gaze)
    with pytest.raises(SchemaError, match=message):
        from_pymovements(gaze)


def timed(times, **choices):
    """A gaze of these times and of the trial 1."""
    samples = pl.DataFrame({"time": times}, strict=False).with_columns(x=1.0, y=2.0)
    return pymovements.Gaze(samples, EXPERIMENT, pixel_columns=["x", "y"], **choices)


def test_samples_without_a_time_are_refused():
    with pytest.raises(SchemaError, match="1 of 4 samples have no time") as caught:
        from_pymovements(timed([0, 1, None, 3]))
    assert "drop_nulls" in caught.value.hint


def test_samples_in_no_order_are_refused():
    with pytest.raises(ParseError, match="rows in no order: 4 of 7"):
        from_pymovements(timed([4, 2, 0, 6, 5, 8, 7, 9]))


def test_a_clock_that_steps_back_is_told():
    assert (
        "the clock steps back 1 times, by 1 ms at most"
        in from_pymovements(timed([0, 1, 3, 2, 4, 5, 6])).notes
    )
    with pytest.raises(ParseError, match="a second recording begins with sample 5"):
        from_pymovements(timed([0, 1, 2, 3, 0, 1, 2, 3]))


def test_a_rate_that_is_not_that_of_the_times_is_told():
    slow = from_pymovements(timed(list(range(0, 2000, 10))))
    assert any("1000 Hz, its times say 100 Hz" in note for note in slow.notes)
    right = from_pymovements(timed(list(range(200))))
    assert not right.notes


def test_pixels_from_the_centre_are_counted_from_the_corner():
    experiment = pymovements.Experiment(1280, 1024, 38.0, 30.0, 60.0, "center", 1000.0)
    found = from_pymovements(gaze_of(experiment=experiment))
    np.testing.assert_array_equal(found.samples["x_px"], np.float32([639.5, 1279.0, np.nan]))


@pytest.mark.parametrize(
    ("onset", "offset", "message"),
    [(1002, 1001, "1 events end before they begin.*'odd' at 1002 ms"), (None, 5, "have no onset")],
)
def test_events_that_cannot_be_are_refused(onset, offset, message):
    kinds = {"name": pl.Utf8, "onset": pl.Int64, "offset": pl.Int64}
    frame = pl.DataFrame({"name": ["odd"], "onset": [onset], "offset": [offset]}, schema=kinds)
    gaze = gaze_of(events=pymovements.Events(frame))
    with pytest.raises(SchemaError, match=message):
        from_pymovements(gaze)


def test_the_order_at_one_time_comes_back():
    own = recording()
    kinds = ["input", "message", "input", "message", "fixation", "message"]
    events = pd.DataFrame(
        {
            "recording": "anna",
            "kind": kinds,
            "onset_ms": 4.0,
            "duration_ms": 0.0,
            "text": list("abcdef"),
            "index": [1, 1, 2, 2, 1, 3],
        }
    )
    own = dataclasses.replace(own, event_table=conform(dict(events), EVENTS))
    back = from_pymovements(to_pymovements(own)).events
    assert list(back["text"]) == list("abcdef")
    assert list(back["kind"]) == kinds


def test_what_is_no_gaze_is_refused():
    with pytest.raises(ConfigError, match="a DataFrame is no Gaze"):
        from_pymovements(pl.DataFrame())


def test_a_name_that_is_no_text_is_refused():
    with pytest.raises(ConfigError, match="the name is of type int"):
        from_pymovements(gaze_of(), 3)
