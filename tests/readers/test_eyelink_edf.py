"""EDF through eyelinkio: a stub of it everywhere, itself where it is installed."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gazetrack.errors import ConfigError, ParseError
from gazetrack.readers import eyelink_edf, registry
from gazetrack.readers.base import ReadOptions, read_head
from tests.contracts import _check_recording

EVENT = [("eye", "<f8"), ("stime", "<f8"), ("etime", "<f8")]
DISCRETE = {
    "messages": np.array([(0.0, b"TRIALID 1\n")], dtype=[("stime", "<f8"), ("msg", "S260")]),
    "fixations": np.array([(1, 0.002, 0.006, 400.0, 300.0)], dtype=[*EVENT, ("axp", "<f8"), ("ayp", "<f8")]),
    "saccades": np.array(
        [(0, 0.006, 0.008, 1.0, 2.0, 3.0, 4.0, 99.0)],
        dtype=[*EVENT, *((name, "<f8") for name in ("sxp", "syp", "exp", "eyp", "pv"))],
    ),
    "blinks": np.array([], dtype=EVENT),
}


def stub(fields, samples, eye="BINOCULAR", discrete=DISCRETE):
    info = {"eye": eye, "sfreq": 500.0, "sample_fields": fields, "screen_coords": np.array([1024, 768])}
    edf = {"info": info, "times": np.arange(len(samples[0])) / 500, "samples": np.array(samples), "discrete": discrete}

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
    _check_recording(recording, "eyelink_edf", "a")
    return recording


def test_two_eyes(head, monkeypatch, capfd):
    assert registry.detect(head).name == "eyelink_edf"
    fields = ["xpos_left", "xpos_right", "ypos_left", "ypos_right", "ps_left", "ps_right"]
    samples = [[400.0, 3270.0], [404.0, 405.0], [300.0, 3270.0], [302.0, 303.0], [900.0, 0.0], [880.0, 881.0]]
    recording = read(head, monkeypatch, stub(fields, samples))
    assert capfd.readouterr().out == ""
    np.testing.assert_array_equal(recording.samples["left_x_px"].to_numpy(), np.float32([400, np.nan]))
    np.testing.assert_array_equal(recording.samples["x_px"].to_numpy(), np.float32([402, 405]))
    assert recording.samples["t_ms"].to_pylist() == [0, 2]
    found = [(e["kind"], e["eye"], e["onset_ms"], e["duration_ms"], e["text"]) for e in recording.events.to_pylist()]
    assert found == [
        ("message", "", 0, 0, "TRIALID 1"),
        ("fixation", "right", 2, pytest.approx(4), ""),
        ("saccade", "left", 6, pytest.approx(2), ""),
    ]
    assert (recording.eyes, recording.rate_hz, recording.screen.width_px) == ("binocular", 500, 1024)


def test_one_eye(head, monkeypatch):
    recording = read(head, monkeypatch, stub(["xpos", "ypos", "ps"], [[4.0], [3.0], [9.0]], "RIGHT_EYE", {}))
    assert recording.eyes == "right"
    assert recording.samples["right_x_px"].to_pylist() == recording.samples["x_px"].to_pylist() == [4]


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


def test_eyelinkio_itself():
    eyelinkio = pytest.importorskip("eyelinkio")
    path = Path(eyelinkio.__file__).parent / "tests" / "data" / "test_2_raw.edf"
    if not path.exists():
        pytest.skip("eyelinkio came without its example")
    recording = eyelink_edf.read(read_head(path), ReadOptions())
    assert recording.samples.num_rows == 124740
    assert recording.eyes == "left"
