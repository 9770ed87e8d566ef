"""EDF through eyelinkio: a stub of it everywhere, itself where it is installed."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.eyelink import edf as eyelink_edf
from tests.contracts import check_recording

EVENT = [("eye", "<f8"), ("stime", "<f8"), ("etime", "<f8")]
DISCRETE = {
    "messages": np.array([(0.0, b"TRIALID 1\n")], dtype=[("stime", "<f8"), ("msg", "S260")]),
    "fixations": np.array(
        [(1, 0.002, 0.006, 400.0, 300.0)], dtype=[*EVENT, ("axp", "<f8"), ("ayp", "<f8")]
    ),
    "saccades": np.array(
        [(0, 0.006, 0.008, 1.0, 2.0, 3.0, 4.0, 99.0)],
        dtype=[*EVENT, *((name, "<f8") for name in ("sxp", "syp", "exp", "eyp", "pv"))],
    ),
    "blinks": np.array([], dtype=EVENT),
}


def stub(fields, samples, eye="BINOCULAR", discrete=DISCRETE):
    info = {
        "eye": eye,
        "sfreq": 500.0,
        "sample_fields": fields,
        "screen_coords": np.array([1024, 768]),
    }
    edf = {
        "info": info,
        "times": np.arange(len(samples[0])) / 500,
        "samples": np.array(samples),
        "discrete": discrete,
    }

    def read_edf(path):
        os.write(1, b"loadEvents = 1\n")  # as its C library does
        return edf

    return SimpleNamespace(read_edf=read_edf)


@pytest.fixture
def head(tmp_path):
    (tmp_path / "a.edf").write_bytes(b"SR_RESEARCH_COMBINED_FILE\0\1\2")
    return read_head(tmp_path / "a.edf")


def read(head, monkeypatch, module):
    monkeypatch.setitem(sys.modules, "eyelinkio", module)
    recording = eyelink_edf.read(head, ReadOptions())
    check_recording(recording, "eyelink_edf", "a")
    return recording


def test_two_eyes(head, monkeypatch, capfd):
    assert registry.detect(head).name == "eyelink_edf"
    fields = ["xpos_left", "xpos_right", "ypos_left", "ypos_right", "ps_left", "ps_right"]
    samples = [
        [400.0, 3270.0],
        [404.0, 405.0],
        [300.0, 3270.0],
        [302.0, 303.0],
        [900.0, 0.0],
        [880.0, 881.0],
    ]
    recording = read(head, monkeypatch, stub(fields, samples))
    assert capfd.readouterr().out == ""
    np.testing.assert_array_equal(
        recording.sample_table["left_x_px"].to_numpy(), np.float32([400, np.nan])
    )
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), np.float32([402, 405]))
    assert recording.sample_table["t_ms"].to_pylist() == [0, 2]
    found = [
        (e["kind"], e["eye"], e["onset_ms"], e["duration_ms"], e["text"])
        for e in recording.event_table.to_pylist()
    ]
    assert found == [
        ("message", "", 0, 0, "TRIALID 1"),
        ("fixation", "right", 2, pytest.approx(6), ""),
        ("saccade", "left", 6, pytest.approx(4), ""),
    ]
    assert (recording.eyes, recording.rate_hz, recording.screen.width_px) == (
        "binocular",
        500,
        1024,
    )


def test_one_eye(head, monkeypatch):
    recording = read(
        head, monkeypatch, stub(["xpos", "ypos", "ps"], [[4.0], [3.0], [9.0]], "RIGHT_EYE", {})
    )
    assert recording.eyes == "right"
    assert (
        recording.sample_table["right_x_px"].to_pylist()
        == recording.sample_table["x_px"].to_pylist()
        == [4]
    )


def test_without_eyelinkio_it_says_what_to_do(head, monkeypatch):
    monkeypatch.setitem(sys.modules, "eyelinkio", None)
    with pytest.raises(ConfigError, match=r"gazetrack\[edf\].*edf2asc"):
        eyelink_edf.read(head, ReadOptions())


def test_what_eyelinkio_cannot_read_is_an_error_about_the_file(head, monkeypatch):
    def fails(path):
        raise RuntimeError("unknown type 7")

    monkeypatch.setitem(sys.modules, "eyelinkio", SimpleNamespace(read_edf=fails))
    with pytest.raises(ParseError, match="unknown type 7"):
        eyelink_edf.read(head, ReadOptions())


def test_positions_stay_where_every_pupil_is_0(head, monkeypatch):
    samples = [[4.0, 5.0, np.nan], [3.0, 3.0, np.nan], [0.0, 0.0, 0.0]]
    recording = read(head, monkeypatch, stub(["xpos", "ypos", "ps"], samples, "LEFT_EYE", {}))
    np.testing.assert_array_equal(recording.sample_table["x_px"], np.float32([4, 5, np.nan]))
    assert np.isnan(recording.sample_table["left_pupil"]).all()
    assert any("every pupil size is 0" in note for note in recording.notes)


def test_pupil_0_is_a_lost_eye_where_other_samples_have_pupils(head, monkeypatch):
    samples = [[4.0, 5.0], [3.0, 3.0], [0.0, 900.0]]
    recording = read(head, monkeypatch, stub(["xpos", "ypos", "ps"], samples, "LEFT_EYE", {}))
    np.testing.assert_array_equal(recording.sample_table["x_px"], np.float32([np.nan, 5]))


def test_artefact_events_are_left_out_and_counted(head, monkeypatch):
    blinks = np.array([(0, 0.4, 0.2), (0, 0.1, 0.2), (0, 4294967.295, 0.2)], dtype=EVENT)
    discrete = {**DISCRETE, "blinks": blinks}
    recording = read(
        head, monkeypatch, stub(["xpos", "ypos", "ps"], [[4.0], [3.0], [9.0]], "LEFT_EYE", discrete)
    )
    assert recording.dropped == {"event that ends before it starts": 2}
    assert recording.event_table["kind"].to_pylist().count("blink") == 1


EXAMPLES = {"test_raw.edf": 66827, "test_2_raw.edf": 124740, "test_raw_binocular.edf": 99823}


@pytest.fixture(scope="module", params=EXAMPLES)
def example(request):
    """One of the recordings of eyelinkio: its samples as the library counts them, and ours."""
    eyelinkio = pytest.importorskip("eyelinkio")
    path = Path(eyelinkio.__file__).parent / "tests" / "data" / request.param
    if not path.exists():
        pytest.skip("eyelinkio came without its examples")
    return EXAMPLES[request.param], eyelink_edf.read(read_head(path), ReadOptions())


def test_eyelinkio_itself(example):
    count, recording = example
    assert recording.sample_table.num_rows == count
    assert recording.pupil_measure == "area"
    assert recording.eyes == ("binocular" if count == 99823 else "left")


def test_a_saccade_begins_when_the_fixation_before_it_ends(example):
    """The tracker's parser cuts time without gaps: an event ends where the next one begins."""
    _, recording = example
    events = recording.event_table.to_pandas()
    gaps = []
    for _, own in events[events["kind"].isin(["fixation", "saccade"])].groupby("eye"):
        own = own.sort_values("onset_ms")
        ends = (own["onset_ms"] + own["duration_ms"]).to_numpy()
        gaps += list(own["onset_ms"].to_numpy()[1:] - ends[:-1])
    gaps = np.round(gaps, 6)
    assert gaps.min() == 0  # no two overlap
    assert np.mean(gaps == 0) > 0.97  # the rest are where the eye was lost


def test_the_trackers_mean_position_is_that_of_the_samples_within_a_fixation(example):
    """The tracker averages the samples of a fixation, with the last of them: its mean is ours."""
    _, recording = example
    step = 1000 / recording.rate_hz
    t = recording.sample_table["t_ms"].to_numpy()
    events = recording.event_table.to_pandas()
    fixations = events[events["kind"] == "fixation"]
    onsets, ends = fixations["onset_ms"], fixations["onset_ms"] + fixations["duration_ms"]
    # Times are sums of floats: half a step decides on which side of a border a sample lies.
    first, end = (np.searchsorted(t, times - step / 2) for times in (onsets, ends))
    seen = {
        eye: recording.sample_table[f"{eye}_x_px"].to_numpy().astype(float)
        for eye in ("left", "right")
    }
    means = [
        np.nanmean(seen[eye][a:b]) for eye, a, b in zip(fixations["eye"], first, end, strict=True)
    ]
    shorter = [
        np.nanmean(seen[eye][a : b - 1])
        for eye, a, b in zip(fixations["eye"], first, end, strict=True)
    ]
    assert np.mean(np.abs(means - fixations["x_px"]) < 0.06) > 0.99
    assert np.mean(np.abs(shorter - fixations["x_px"]) < 0.06) < 0.96


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (AssertionError("no edfapi"), ConfigError, "eyelinkio cannot be used: no edfapi"),
        (OSError("failed"), ParseError, "cannot open it: it is damaged, or no EDF"),
    ],
)
def test_errors_of_the_vendors_library_are_told_apart(error, kind, words, head, monkeypatch):
    def read_edf(path):
        raise error

    module = SimpleNamespace(read_edf=read_edf)
    with pytest.raises(kind, match=words) as caught:
        read(head, monkeypatch, module)
    assert "edf2asc" in caught.value.hint


@pytest.mark.parametrize("size", [None, np.array([0, 0]), np.array([1024])])
def test_a_screen_that_is_not_stated_is_none(size, head, monkeypatch):
    # The third field is none of gaze, and is passed over.
    module = stub(["xpos", "ypos", "flags"], [[400.0], [300.0], [7.0]], eye="LEFT_EYE")
    info = module.read_edf("")["info"]
    del info["screen_coords"]
    if size is not None:
        info["screen_coords"] = size
    recording = read(head, monkeypatch, module)
    assert recording.screen is None
    assert recording.sample_table["left_x_px"].to_pylist() == [400.0]
