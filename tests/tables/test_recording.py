"""Recordings: their rates and losses, the user's screen, and what people see of them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from gazetrack.tables.recording import ATTRS_KEY, SURFACE, Recording
from gazetrack.tables.schema import EVENTS, SAMPLES, conform
from gazetrack.tables.screen import Screen

SCREEN = Screen(1000, 800, 500.0, 400.0, 600.0)


def recording_of(samples=None, **facts):
    known = {"name": "r", "format": "f", "event_table": conform({}, EVENTS)}
    return Recording(**known | {"sample_table": samples} | facts)


def test_loss_and_effective_rate():
    t = np.arange(10) * 4.0
    x = np.where(np.arange(10) < 3, np.nan, 1.0)
    samples = conform({"t_ms": t, "x_px": x, "y_px": np.ones(10)}, SAMPLES)
    recording = Recording(
        name="r", format="f", sample_table=samples, event_table=conform({}, EVENTS)
    )
    assert recording.loss == pytest.approx(0.3)
    assert recording.effective_rate_hz == pytest.approx(250)
    rounded = conform(
        {"t_ms": np.rint(np.arange(300) * 1000 / 300) + 500 * (np.arange(300) > 99)}, SAMPLES
    )
    assert Recording(
        name="r", format="f", sample_table=rounded, event_table=conform({}, EVENTS)
    ).effective_rate_hz == pytest.approx(300, rel=0.01)
    assert (
        Recording(name="r", format="f", sample_table=None, event_table=conform({}, EVENTS)).loss
        is None
    )
    assert recording.with_screen(SCREEN).screen == SCREEN


def test_fractions_become_pixels_of_the_screen_given():
    columns = {
        "recording": ["a"],
        "t_ms": [0.0],
        "x_px": [500.0],
        "y_px": [400.0],
        "left_x_px": [100.0],
    }
    recording = Recording(
        name="a",
        format="f",
        sample_table=conform(columns, SAMPLES),
        event_table=conform({}, EVENTS),
        notes=("other",),
    )
    nominal = recording.on_nominal_screen(SCREEN, "screen")
    assert "1000x800 px" in nominal.notes[1]
    assert nominal.with_screen(None) == nominal
    given = nominal.with_screen(Screen(2000, 400))
    assert given.sample_table["x_px"].to_pylist() == [1000.0]
    assert given.sample_table["left_x_px"].to_pylist() == [200.0]
    assert given.sample_table["y_px"].to_pylist() == [200.0]
    assert (given.notes, given.fractions_of) == (("other",), "")
    assert given.with_screen(SCREEN).sample_table["x_px"].to_pylist() == [1000.0]
    assert recording.with_screen(Screen(2000, 400)).sample_table is recording.sample_table


def test_samples_and_events_are_data_frames_made_once():
    samples = conform({"recording": "r", "t_ms": [0.0, 4.0], "x_px": [1.0, np.nan]}, SAMPLES)
    events = conform({"kind": ["blink"], "onset_ms": [1.0], "duration_ms": [2.0]}, EVENTS)
    recording = recording_of(samples, event_table=events, screen=SCREEN, rate_hz=250.0)
    assert isinstance(recording.samples, pd.DataFrame)
    assert recording.samples is recording.samples
    pd.testing.assert_frame_equal(recording.samples, samples.to_pandas())
    assert recording.events["kind"].tolist() == ["blink"]
    assert recording.arrow() is recording.sample_table is samples
    assert recording.arrow("events") is events
    known = recording.samples.attrs[ATTRS_KEY]
    assert known == json.loads(json.dumps(known))
    assert known["screen"] == SCREEN.facts()
    assert known["rate_hz"] == 250.0


def test_without_samples_there_is_an_empty_data_frame_with_the_columns():
    recording = recording_of()
    assert recording.samples.empty
    assert list(recording.samples) == SAMPLES.names
    assert recording.arrow().num_rows == 0


def test_a_recording_tells_of_itself():
    samples = conform({"t_ms": [0.0, 4.0], "x_px": [1.0, np.nan], "y_px": [1.0, 1.0]}, SAMPLES)
    recording = recording_of(samples, screen=SCREEN, rate_hz=250.0, eyes="left")
    assert repr(recording) == (
        "<Recording 'r': f, 250 Hz, left, 2 samples, 0 events, 1000 x 800 px>"
    )
    page = recording._repr_html_()
    assert "50.0 %" in page
    assert page.count("M0.2 0.2h0") == 1  # the one known position, in a picture 220 px wide


def test_what_a_file_says_becomes_no_markup():
    page = recording_of(name="<script>", tracker="a & b", notes=("\x1b[31mred",))._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "a &amp; b" in page
    assert "\x1b" not in page


def test_stimuli_that_positions_are_fractions_of_fill_the_screen_that_is_given():
    samples = conform(
        {"t_ms": [0.0, 4.0], "x_px": [0.0, 1.0], "y_px": [0.0, 1.0], "stimulus": ["a.png", ""]},
        SAMPLES,
    )
    recording = recording_of(samples, screen=Screen(1, 1), fractions_of=SURFACE)
    found = recording.with_screen(SCREEN)
    assert set(found.placements) == {"a.png"}
    place = found.placements["a.png"]
    assert (place.x_px, place.y_px, place.width_px, place.height_px) == (0, 0, 1000, 800)
    assert found.sample_table["x_px"].to_pylist() == [0.0, 1000.0]
    assert found.fractions_of == ""
