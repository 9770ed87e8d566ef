"""Recordings in MNE: channels with units, annotations, and what MNE cannot hold is refused."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import UTC, datetime

import mne
import numpy as np
import pyarrow as pa
import pytest

import gazetrack
from gazetrack.errors import ConfigError
from gazetrack.interop.losses import ConversionWarning
from gazetrack.interop.mne_calibrations import mne_calibrations
from gazetrack.interop.to_mne import to_mne
from gazetrack.tables.schema import SAMPLES, conform
from tests.interop.recordings import recording


def with_column(own, name, values):
    samples = own.sample_table
    at = samples.schema.get_field_index(name)
    column = conform({name: values}, SAMPLES)[name]
    return replace(own, sample_table=samples.set_column(at, samples.schema.field(at), column))


def test_gaze_is_in_pixels_and_lost_gaze_is_nan():
    own = recording()
    raw = to_mne(own)
    assert raw.info["sfreq"] == 250.0
    np.testing.assert_array_equal(raw.get_data("xpos_right")[0], own.samples["right_x_px"])
    np.testing.assert_array_equal(raw.get_data("pupil_left")[0], own.samples["left_pupil"])
    np.testing.assert_allclose(raw.times, (own.samples["t_ms"] - 3.0) / 1000, atol=1e-12)
    assert raw.get_channel_types() == [*["eyegaze"] * 4, *["pupil"] * 2]
    assert raw.info["subject_info"]["his_id"] == "p1"


def test_pupils_in_millimetres_become_metres():
    own = recording(eyes=("left",))
    small = with_column(own, "left_pupil", own.samples["left_pupil"].to_numpy() / 300)
    raw = to_mne(small)
    expected = small.samples["left_pupil"].to_numpy(np.float64) * 1e-3
    np.testing.assert_allclose(raw.get_data("pupil_left")[0], expected, rtol=1e-12)
    as_is = to_mne(small, pupil_unit="arbitrary").get_data("pupil_left")[0]
    np.testing.assert_array_equal(as_is, small.samples["left_pupil"])


def test_mne_s_own_functions_work_on_it():
    own = recording(eyes=("right",))
    raw = to_mne(own)
    mne.preprocessing.eyetracking.interpolate_blinks(raw, match="BAD_blink", buffer=0.004)
    assert np.isfinite(raw.get_data("pupil_right")[0, 25:29]).all()  # of which one was missing
    events, ids = mne.events_from_annotations(raw, regexp="stimulus/", verbose="error")
    assert events[:, 0].tolist() == [13, 39]
    epochs = mne.Epochs(
        raw, events, ids, tmin=0, tmax=0.03, baseline=None, preload=True, verbose="error"
    )
    figure = mne.viz.eyetracking.plot_gaze(
        epochs, calibration=mne_calibrations(own)[0], sigma=None, show=False
    )
    assert figure.axes


def test_the_absolute_start_is_that_of_the_first_sample():
    raw = to_mne(recording(start_ns=1_700_000_000_500_000_001))
    # 3 ms after the start, to the microsecond that MNE has.
    assert raw.info["meas_date"] == datetime(2023, 11, 14, 22, 13, 20, 503000, UTC)
    at = list(raw.annotations.description).index("fixation")
    assert raw.annotations.onset[at] == pytest.approx(0.052)


def test_one_of_several_recordings_is_named():
    own = with_column(recording(), "recording", ["anna"] * 30 + ["ben"] * 20)
    with pytest.raises(ConfigError, match="holds 2 recordings"):
        to_mne(own)
    with pytest.raises(ConfigError, match="no recording 'eve'"):
        to_mne(own, only="eve")
    assert to_mne(own, only="ben").n_times == 20
    assert "fixation" not in to_mne(own, only="ben").annotations.description


def test_what_mne_cannot_hold_is_refused():
    with pytest.raises(ConfigError, match="has no samples"):
        to_mne(replace(recording(), sample_table=None))
    with pytest.raises(ConfigError, match="begin anew with each trial"):
        to_mne(recording(time_origin="trial"))
    with pytest.raises(ConfigError, match=r"sampling rate changes.*250 and 500 Hz"):
        to_mne(recording(rate_hz=None, rates_hz=((0.0, 250.0), (80.0, 500.0))))
    with pytest.raises(ConfigError, match="nobody knows the sampling rate"):
        to_mne(replace(recording(rate_hz=None), sample_table=recording().sample_table.slice(0, 1)))
    with pytest.raises(ConfigError, match="samples do not come at an even 100 Hz"):
        to_mne(recording(rate_hz=100.0))
    with pytest.raises(ConfigError, match="use one of auto, mm, arbitrary"):
        to_mne(recording(), pupil_unit="cm")
    with pytest.raises(ConfigError, match="rate_hz=0"):
        to_mne(recording(), rate_hz=0)
    with pytest.raises(ConfigError, match="the recording is of type DataFrame"):
        to_mne(recording().samples)


def test_losses_are_said_and_nothing_else_is():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        to_mne(recording())
    with pytest.warns(ConversionWarning) as said:
        raw = to_mne(recording(), rate_hz=125.0)
    assert [str(one.message) for one in said] == [
        "24 samples are left out, between the ticks of 125 Hz",
        "samples are moved by up to 4 ms to the ticks of 125 Hz",
    ]
    assert raw.n_times == 26
    assert "left out" in raw.info["description"]


def test_a_missing_mne_is_said_in_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mne", None)
    with pytest.raises(ConfigError, match=r"gazetrack\[interop\]"):
        to_mne(recording())


def test_detected_events_take_the_place_of_the_export_s_own():
    own = recording(eyes=("left",))
    found = gazetrack.detect_fixations(own, "idt")
    raw = to_mne(own, found)
    assert "saccade" not in raw.annotations.description
    assert list(raw.annotations.description).count("fixation") == len(found)


def test_samples_in_no_order_of_time_are_put_in_order():
    own = recording()
    table = own.sample_table.take(pa.array(np.arange(own.sample_table.num_rows)[::-1]))
    turned = to_mne(replace(own, sample_table=table))
    np.testing.assert_array_equal(turned.get_data(), to_mne(own).get_data())


@pytest.mark.parametrize("rate", ["a", [1], True, -5, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ConfigError, match="rate_hz="):
        to_mne(recording(), rate_hz=rate)
