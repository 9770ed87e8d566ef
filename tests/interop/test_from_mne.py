"""What went to MNE comes back, also through its files; what MNE read itself comes as we read it."""

from __future__ import annotations

import warnings
from dataclasses import replace

import mne
import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, SchemaError
from gazetrack.interop.from_mne import from_mne
from gazetrack.interop.mne_calibrations import mne_calibrations
from gazetrack.interop.to_mne import to_mne
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen
from tests.interop.recordings import SCREEN, in_order, plain, recording


def assert_near(found, expected):
    """All but the last bits of times is the same."""
    pd.testing.assert_frame_equal(plain(found.samples), plain(expected.samples), atol=1e-9)
    left, right = in_order(found.events), in_order(expected.events)
    pd.testing.assert_frame_equal(left, right, atol=1e-9)
    exact = [name for name in left if name not in ("onset_ms", "duration_ms")]
    pd.testing.assert_frame_equal(left[exact], right[exact], check_exact=True)
    assert found.facts() == expected.facts()
    assert found.placements == expected.placements
    assert found.participants == expected.participants


@pytest.mark.parametrize("eyes", [(), ("left",), ("right",), ("left", "right")])
@pytest.mark.parametrize("start_ns", [None, 1_700_000_000_500_000_001])
def test_there_and_back(eyes, start_ns):
    place = Placement(10, 20, 300, 200, 600, 400)
    own = recording(eyes=eyes, start_ns=start_ns, placements={"1.png": place})
    assert_near(from_mne(to_mne(own)), own)


def test_through_a_file_of_mne(tmp_path):
    own = recording(start_ns=1_700_000_000_500_000_001)
    to_mne(own).save(tmp_path / "own_raw.fif", fmt="double", verbose="error")
    back = from_mne(mne.io.read_raw_fif(tmp_path / "own_raw.fif", verbose="error"))
    assert_near(back, own)


@pytest.mark.parametrize("number", [0, 1])
def test_simulated_exports_there_and_back(tmp_path, number):
    example = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64))
    own = gazetrack.read(example.exports[number], screen=SCREEN)
    back = from_mne(to_mne(own))
    # Times of the Tobii are whole milliseconds at 60 Hz: they move to even ticks.
    left, right = plain(back.samples), plain(own.samples)
    recorded = right[["left_x_px", "right_x_px"]].notna().any(axis=1)
    assert len(left) >= recorded.sum()
    if number == 0:
        pd.testing.assert_frame_equal(left, right, atol=1e-9)
        assert back.facts() == own.facts()
    assert len(back.events) == len(own.events)
    exact = ["kind", "eye", "index", "trial", "stimulus", "x_px", "amplitude_deg", "text"]
    pd.testing.assert_frame_equal(in_order(back.events)[exact], in_order(own.events)[exact])


def test_what_was_cropped_there_keeps_its_clock():
    own = recording()
    back = from_mne(to_mne(own).crop(0.1, 0.148))
    t = own.samples["t_ms"]
    inside = own.samples[(t >= 103.0) & (t <= 151.0)].reset_index(drop=True)
    np.testing.assert_allclose(back.samples["t_ms"], inside["t_ms"])
    np.testing.assert_array_equal(back.samples["left_x_px"], inside["left_x_px"])
    blink = back.events[back.events["kind"] == "blink"]
    assert blink["onset_ms"].tolist() == pytest.approx([103.0])


def test_radians_become_pixels_again():
    own = recording()
    raw = to_mne(own)
    mne.preprocessing.eyetracking.convert_units(raw, mne_calibrations(own)[0], to="radians")
    back = from_mne(raw)
    names = ["left_x_px", "left_y_px", "right_x_px", "right_y_px"]
    pd.testing.assert_frame_equal(back.samples[names], own.samples[names], rtol=1e-5)
    raw.info["description"] = None
    with pytest.raises(SchemaError, match="radians on a screen"):
        from_mne(raw)
    again = from_mne(raw, SCREEN)
    pd.testing.assert_frame_equal(again.samples[names], own.samples[names], rtol=1e-5)


def test_pauses_are_left_out_again():
    own = recording()
    t = own.sample_table["t_ms"].to_numpy().copy()
    t[20:] += 400.0
    from tests.interop.test_to_mne import with_column

    paused = with_column(own, "t_ms", t)
    back = from_mne(to_mne(paused))
    np.testing.assert_allclose(back.samples["t_ms"], t)


@pytest.mark.parametrize("kept_from", [0, 7])
def test_a_lost_sample_is_nan_in_mne_and_none_when_it_comes_back(tmp_path, kept_from):
    own = recording()
    at = [number for number in range(50) if number not in (20, 30, 31)]
    lossy = replace(own, sample_table=own.sample_table.take(at))
    raw = to_mne(lossy)
    assert raw.n_times == 50
    assert np.isnan(raw.get_data()[:, [20, 30, 31]]).all()
    raw.crop(tmin=raw.times[kept_from])
    raw.save(tmp_path / "own_raw.fif", fmt="double", verbose="error")
    back = from_mne(mne.io.read_raw_fif(tmp_path / "own_raw.fif", verbose="error"))
    rows = plain(lossy.samples)[kept_from:].reset_index(drop=True)
    pd.testing.assert_frame_equal(plain(back.samples), rows, atol=1e-9)


def test_what_mne_reads_of_eyelink_is_what_we_read(tmp_path):
    export = gazetrack.write_example(tmp_path, n_images=2, size=(48, 64)).exports[0]
    ours = gazetrack.read(export)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MNE asks of pandas is about to go
        raw = mne.io.read_raw_eyelink(export, verbose="error")
    theirs = from_mne(raw, name=ours.name)
    columns = ["t_ms", "right_x_px", "right_y_px", "right_pupil", "x_px", "y_px"]
    pd.testing.assert_frame_equal(theirs.samples[columns], ours.samples[columns], atol=1e-6)
    for kind in ("fixation", "saccade", "blink"):
        left = theirs.events[theirs.events["kind"] == kind]
        right = ours.events[ours.events["kind"] == kind]
        np.testing.assert_allclose(left["onset_ms"], right["onset_ms"], atol=1e-6)
    assert theirs.rate_hz == ours.rate_hz
    assert theirs.eyes == "right"


def raw_of(kinds, units, **info):
    made = mne.create_info([f"c{i}" for i in range(len(kinds))], 100.0, kinds)
    for channel, unit, place in zip(made["chs"], units, range(len(kinds)), strict=True):
        channel["unit"] = unit
        channel["loc"][4] = -1 if place % 2 == 0 else 1
    made["description"] = info.get("description")
    values = np.arange(5.0 * len(kinds)).reshape(len(kinds), 5)
    return mne.io.RawArray(values, made, verbose="error")


def test_data_of_anybody_else():
    raw = raw_of(["eyegaze", "eyegaze", "pupil", "eeg"], [210, 210, 1, 107])
    raw.set_annotations(mne.Annotations([0.01, 0.02], [0.02, 0], ["fixation", "hello"]))
    found = from_mne(raw, Screen(800, 600), name="eve")
    assert (found.name, found.format, found.eyes, found.rate_hz) == ("eve", "mne", "combined", 100)
    assert found.screen == Screen(800, 600)
    assert found.samples["t_ms"].tolist() == pytest.approx([0, 10, 20, 30, 40])
    assert found.samples["y_px"].tolist() == [5, 6, 7, 8, 9]
    assert found.samples["left_pupil"].tolist() == [10_000, 11_000, 12_000, 13_000, 14_000]
    assert list(found.events["kind"]) == ["fixation", "message"]
    assert list(found.events["text"]) == ["", "hello"]
    assert list(found.events["eye"]) == ["both", ""]
    assert any("nobody says whose pupil" in note for note in found.notes)


@pytest.mark.parametrize("text", ["my study", "[1]", '{"gazetrack": 3}', '{"gazetrack": {}}'])
def test_anybody_s_description_is_none_of_ours(text):
    found = from_mne(raw_of(["eyegaze", "eyegaze"], [210, 210], description=text))
    assert found.format == "mne"


def test_what_cannot_become_a_recording_is_refused():
    with pytest.raises(ConfigError, match="a ndarray is no Raw of MNE"):
        from_mne(np.zeros(3))
    with pytest.raises(SchemaError, match="no channel is of type eyegaze"):
        from_mne(raw_of(["eeg"], [107]))
    with pytest.raises(SchemaError, match="in unit 107"):
        from_mne(raw_of(["eyegaze", "eyegaze"], [107, 107]))
    with pytest.raises(SchemaError, match="two channels are eyegaze of one eye"):
        from_mne(raw_of(["eyegaze", "eyegaze", "eyegaze"], [210, 210, 210]))
    raw = raw_of(["eyegaze", "eyegaze"], [210, 210])
    raw.info["chs"][0]["loc"][4] = np.nan
    with pytest.raises(SchemaError, match="whether it is x or y"):
        from_mne(raw)


@pytest.mark.parametrize("wrong", [{"screen": "1920x1080"}, {"name": 3}])
def test_arguments_of_another_type_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"the {next(iter(wrong))} is of type"):
        from_mne(raw_of(["eyegaze", "eyegaze"], [107, 107]), **wrong)
