import logging
import struct
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.head import HEAD_BYTES
from gazetrack.readers.xdf import streams as xdf
from tests import xdf_files
from tests.contracts import check_reader

REAL = "lsl_xdf/tobii_streamer_test_old1.xdf"

PUPIL = (
    {"label": "confidence", "eye": "both", "type": "Confidence", "unit": "normalized"},
    {
        "label": "norm_pos_x",
        "eye": "both",
        "type": "ScreenX",
        "unit": "normalized",
        "coordinate_system": "world",
    },
    {
        "label": "norm_pos_y",
        "eye": "both",
        "type": "ScreenY",
        "unit": "normalized",
        "coordinate_system": "world",
    },
    {
        "label": "gaze_normal0_x",
        "eye": "right",
        "type": "PositionX",
        "unit": "mm",
        "coordinate_system": "world",
    },
    {"label": "diameter0_2d", "eye": "right", "type": "Diameter", "unit": "pixels"},
    {"label": "diameter1_2d", "eye": "left", "type": "Diameter", "unit": "pixels"},
)
GAZE = [(1.0 + i / 50, (400.0 + i, 300.0)) for i in range(4)]
MARKERS = xdf_files.Stream(
    7, "task", "Markers", [(1.02, ("go",)), (1.01, ("ready",))], n_channels=1, format="string"
)


def labelled(*labels, unit="pixels"):
    return tuple({"label": label, "unit": unit} for label in labels)


def path_of(folder, *streams, name="a.xdf", **options):
    path = folder / name
    path.write_bytes(xdf_files.write(streams, **options))
    return path


def read(folder, *streams, **options):
    return xdf.read(read_head(path_of(folder, *streams, **options)), ReadOptions())


def test_pupil_capture_has_its_origin_at_the_bottom_and_a_confidence(tmp_path):
    samples = [(1.0, (0.9, 0.25, 0.25, 0, 30, 40)), (1.01, (0.2, 0.5, 0.5, 0, 31, 41))]
    recording = read(
        tmp_path,
        xdf_files.Stream(1, "pupil_capture", "Gaze", samples, PUPIL, len(PUPIL), "double64"),
    )
    assert recording.sample_table["x_px"].to_pylist() == pytest.approx(
        [320, float("nan")], nan_ok=True
    )
    assert recording.sample_table["y_px"].to_pylist() == pytest.approx(
        [540, float("nan")], nan_ok=True
    )
    assert recording.sample_table["left_pupil"].to_pylist() == [40, 41]
    assert recording.sample_table["right_pupil"].to_pylist() == [30, 31]
    assert (recording.fractions_of, recording.eyes) == ("world camera's image", "combined")
    assert "1 samples with a confidence below 0.6: gaze taken as missing" in recording.notes


def test_eyes_are_told_by_labels_and_markers_are_messages(tmp_path):
    names = labelled("leftEyeX", "leftEyeY", "rightEyeX", "rightEyeY")
    samples = [(t, (x, y, x + 10, y)) for t, (x, y) in GAZE]
    recording = read(tmp_path, MARKERS, xdf_files.Stream(3, "EyeLink", "Gaze", samples, names, 4))
    assert recording.eyes == "binocular"
    assert recording.sample_table["x_px"].to_pylist() == [405, 406, 407, 408]
    assert recording.event_table["text"].to_pylist() == ["ready", "go"]
    assert recording.event_table["onset_ms"].to_pylist() == pytest.approx([10, 20])
    assert (recording.rows_in, recording.screen, recording.fractions_of) == (6, None, "")


def test_one_eye_is_that_eye(tmp_path):
    recording = read(
        tmp_path, xdf_files.Stream(3, "a", "Gaze", GAZE, labelled("right gaze x", "right gaze y"))
    )
    assert recording.eyes == "right"
    assert (
        recording.sample_table["right_x_px"].to_pylist()
        == recording.sample_table["x_px"].to_pylist()
        == [400, 401, 402, 403]
    )


def test_nameless_channels_and_units_are_inferred_aloud(tmp_path):
    recording = read(tmp_path, xdf_files.Stream(3, "a", "Gaze", GAZE))
    assert recording.notes == (
        "the gaze stream does not name its two channels: taken as x and y",
        (
            "the gaze stream does not state the unit of positions, "
            "which lie beyond 0 to 1: taken as pixels"
        ),
    )


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (
            xdf_files.Stream(3, "a", "Gaze", [(1.0, (1, 2, 3))], n_channels=3),
            "3 channels that does not say",
        ),
        (
            xdf_files.Stream(3, "a", "Gaze", GAZE, labelled("origin_x", "origin_y")),
            "without channels of positions",
        ),
        (
            xdf_files.Stream(3, "a", "Gaze", GAZE, labelled("x", "y", unit="mm")),
            "positions in 'mm'",
        ),
        (xdf_files.Stream(3, "a", "Gaze", []), "without samples"),
        (
            xdf_files.Stream(3, "a", "Gaze", GAZE, footer_count=5),
            "4 samples, the stream's footer says 5",
        ),
    ],
)
def test_what_cannot_be_understood_is_refused(stream, words, tmp_path):
    with pytest.raises(ParseError, match=words) as caught:
        read(tmp_path, stream)
    assert caught.value.hint


def test_two_streams_and_steps_back_are_recordings_of_their_own(tmp_path):
    back = [*GAZE, *((t - 0.5, values) for t, values in GAZE)]
    recording = read(
        tmp_path, xdf_files.Stream(1, "a", "Gaze", back), xdf_files.Stream(2, "b", "Gaze", GAZE)
    )
    assert (
        recording.sample_table["recording"].to_pylist() == ["a_1"] * 4 + ["a_2"] * 4 + ["a_3"] * 4
    )
    assert recording.origin_ms == pytest.approx(500)
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx(
        [500, 520, 540, 560, 0, 20, 40, 60, 500, 520, 540, 560]
    )
    assert recording.tracker == "a, b"


def test_clocks_of_two_computers_become_one(tmp_path):
    markers = xdf_files.Stream(
        7, "task", "Markers", [(101.02, ("go",))], n_channels=1, format="string"
    )
    markers.offsets = [(100.0, -100.0), (105.0, -100.0)]
    recording = read(
        tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE, offsets=[(0.5, 0.0), (5.0, 0.0)]), markers
    )
    assert recording.event_table["onset_ms"].to_pylist() == pytest.approx([20])


def test_damage_has_its_place(tmp_path):
    whole = path_of(tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE), per_chunk=2).read_bytes()
    at = whole.index(b"\x03\x00\x01\x00\x00\x00\x01\x02")  # tag, stream, and the number of samples
    many = whole[: at + 7] + b"\xff" + whole[at + 8 :]
    other = whole[: at + 2] + struct.pack("<I", 9) + whole[at + 6 :]
    wide = whole[: at - 2] + b"\x02" + whole[at - 1 :]
    cases = {
        "ends in the middle": whole[:-9],
        "255 samples in a chunk": many,
        "stream without a header": other,
        "length has 2 bytes": wide,
    }
    for words, data in cases.items():
        path = tmp_path / "damaged.xdf"
        path.write_bytes(data)
        with pytest.raises(ParseError, match=words) as caught:
            xdf.read(read_head(path), ReadOptions())
        assert caught.value.byte


def test_a_recording_that_ended_between_chunks_says_so(tmp_path):
    path = path_of(tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE), per_chunk=2)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"<?xml") - 8])
    recording = xdf.read(read_head(path), ReadOptions())
    assert "stream a has no footer: the recording ended early" in recording.notes


def test_entities_are_not_expanded(tmp_path):
    with pytest.raises(ParseError, match="XML with entities"):
        read(tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE, extra="<!ENTITY a 'a'>"))


def test_no_flipped_byte_passes_in_silence_or_escapes(tmp_path):
    """Every byte of structure, flipped, is an error of ours or changes numbers alone."""
    whole = path_of(
        tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE), MARKERS, per_chunk=2
    ).read_bytes()
    path = tmp_path / "flipped.xdf"
    for at in range(4, len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :])
        try:
            recording = xdf.read(read_head(path), ReadOptions())
        except ParseError:
            continue
        assert recording.sample_table.num_rows == len(GAZE), at


def test_without_pyxdf_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyxdf", None)
    head = read_head(path_of(tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE)))
    assert registry.detect(head).name == "xdf"
    with pytest.raises(ConfigError, match=r'pip install "gazetrack\[xdf\]"'):
        xdf.read(head, ReadOptions())


def test_a_recording_without_gaze_is_refused_by_its_streams(tmp_path):
    eeg = xdf_files.Stream(1, "amp", "EEG", [(1.0, (1, 2))], format="int16")
    with pytest.raises(
        UnknownFormat,
        match=r"holds no gaze: it is an XDF recording of amp \(EEG\), task \(Markers\)",
    ):
        registry.detect(read_head(path_of(tmp_path, eeg, MARKERS)))


def test_a_gaze_stream_may_come_late(tmp_path):
    eeg = xdf_files.Stream(
        1, "amp", "EEG", [(1.0, (1, 2))], format="int16", extra=f"<pad>{'x' * HEAD_BYTES}</pad>"
    )
    head = read_head(path_of(tmp_path, eeg, xdf_files.Stream(2, "a", "Gaze", GAZE)))
    assert xdf.sniff(head).level == Level.LIKELY
    assert xdf.read(head, ReadOptions()).sample_table.num_rows == 4
    head = read_head(path_of(tmp_path, eeg, MARKERS))
    with pytest.raises(ParseError, match="no gaze"):
        xdf.read(head, ReadOptions())


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_written_is_read_back(data):
    n, rate = data.draw(st.integers(2, 30)), data.draw(st.sampled_from((0, 50, 120)))
    step = 1 / (rate or data.draw(st.integers(20, 1000)))
    start, offset = data.draw(st.floats(0, 1e6)), data.draw(st.sampled_from((None, 0.0, 2.5)))
    fractions = data.draw(st.booleans())
    form = "double64" if fractions else data.draw(st.sampled_from(("float32", "double64", "int32")))
    position = st.integers(10, 900).map(lambda value: value / 1000 if fractions else value)
    xy = np.array(data.draw(st.lists(st.tuples(position, position), min_size=n, max_size=n)), float)
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n))) | (form == "int32")
    order = data.draw(st.permutations(range(3)))
    unit = data.draw(st.sampled_from(("normalized", "norm") if fractions else ("pixels", "px", "")))
    channels = [
        {"label": "gaze_x", "type": "ScreenX", "unit": unit},
        {"label": "gaze_y", "type": "ScreenY", "unit": unit},
        {"label": "frame", "type": "FrameNumber", "unit": ""},
    ]
    rows = [
        (x, y, i) if ok else (np.nan, np.nan, i)
        for i, ((x, y), ok) in enumerate(zip(xy, seen, strict=True))
    ]
    if not unit and not seen.any():
        return
    # A regular stream may leave out the time of any sample but the first.
    bare = data.draw(st.booleans()) and rate
    samples = [
        (None if bare and i else start + i * step, [row[k] for k in order])
        for i, row in enumerate(rows)
    ]
    gaze = xdf_files.Stream(
        2, "tracker", "Gaze", samples, tuple(channels[k] for k in order), 3, form, rate
    )
    gaze.offsets = [] if offset is None else [(start, offset), (start + 5, offset)]
    eeg = xdf_files.Stream(
        1, "amp", "EEG", [(start + i / 10, (i, i)) for i in range(n)], format="int16"
    )
    content = xdf_files.write(
        [eeg, gaze], data.draw(st.integers(1, 12)), data.draw(st.sampled_from((None, 4, 8)))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "any name.dat")
        path.write_bytes(content)
        recording = check_reader(xdf, path)
    np.testing.assert_allclose(
        recording.sample_table["t_ms"].to_numpy(), 1000 * step * np.arange(n), atol=1e-3
    )
    assert recording.origin_ms == pytest.approx(1000 * (start + (offset or 0)), abs=1e-3)
    for axis, (name, size) in enumerate((("x_px", 1920), ("y_px", 1080))):
        want = np.where(seen, xy[:, axis] * (size if fractions else 1), np.nan)
        np.testing.assert_allclose(recording.sample_table[name].to_numpy(), want, rtol=1e-6)
    assert recording.rate_hz == (rate or None)
    assert not recording.dropped


@pytest.mark.real_data
def test_a_real_recording_is_as_counted(exports, truth):
    recording, want = check_reader(registry.get("xdf"), exports / REAL), truth[REAL]
    t = recording.origin_ms + recording.sample_table["t_ms"].to_numpy()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), rel=0, abs=1e-3)
    assert (recording.tracker, recording.rate_hz) == (want["streams"][0]["name"], None)
    assert (recording.loss, recording.fractions_of) == (0, "screen")
    assert recording.effective_rate_hz == pytest.approx(90, abs=2)


@pytest.mark.real_data
def test_a_real_recording_is_told_by_its_head_under_any_name(exports, tmp_path):
    (tmp_path / "a.txt").write_bytes((exports / REAL).read_bytes()[:HEAD_BYTES])
    assert registry.detect(read_head(tmp_path / "a.txt")).name == "xdf"


@pytest.mark.real_data
def test_a_real_recording_without_gaze_is_refused(exports):
    with pytest.raises(
        UnknownFormat, match=r"holds no gaze: it is .* SendDataC \(EEG\), SendDataString"
    ):
        registry.detect(read_head(exports / "lsl_xdf" / "xdf_minimal.xdf"))


@pytest.mark.real_data
def test_no_other_real_export_begins_as_xdf_does(exports, truth):
    others = [file for file in truth if not file.startswith("lsl_xdf/")]
    assert others
    for file in others:
        path = exports / file
        with path.open("rb") as opened:
            assert opened.read(4) != b"XDF:"


@pytest.mark.real_data
def test_a_real_recording_without_a_tracker_is_refused_by_its_streams(exports):
    head = read_head(exports / "lsl_xdf" / "xdf_minimal.xdf")
    with pytest.raises(ParseError, match="holds no gaze: its streams are"):
        xdf.read(head, ReadOptions())


def test_pixels_and_fractions_are_not_mixed(tmp_path):
    shares = [(t, (x / 1000, y / 1000)) for t, (x, y) in GAZE]
    pixels = xdf_files.Stream(1, "a", "Gaze", GAZE, labelled("x", "y"))
    fractions = xdf_files.Stream(2, "b", "Gaze", shares, labelled("x", "y", unit="normalized"))
    with pytest.raises(ParseError, match="one stream in pixels, another in fractions"):
        read(tmp_path, pixels, fractions)


def test_a_clock_that_was_reset_is_told(tmp_path):
    before = [(0.1 * i, 0.0) for i in range(60)]
    after = [(1000 + 0.1 * i, -900.0) for i in range(60)]
    samples = [*GAZE, *((1000 + t, values) for t, values in GAZE)]
    stream = xdf_files.Stream(1, "a", "Gaze", samples, labelled("x", "y"), offsets=before + after)
    notes = read(tmp_path, stream).notes
    assert "the clock of stream a was reset: times joined by pyxdf" in notes


def test_a_count_in_a_notation_of_its_own_is_not_compared(tmp_path):
    stream = xdf_files.Stream(1, "a", "Gaze", GAZE, labelled("x", "y"), footer_count="+9")
    assert read(tmp_path, stream).sample_table.num_rows == 4


def test_what_else_pyxdf_warns_of_is_a_note(tmp_path, monkeypatch):
    import pyxdf

    load = pyxdf.load_xdf

    def load_and_warn(*given):
        logging.getLogger("pyxdf").warning("something is odd")
        return load(*given)

    monkeypatch.setattr(pyxdf, "load_xdf", load_and_warn)
    recording = read(tmp_path, xdf_files.Stream(1, "a", "Gaze", GAZE, labelled("x", "y")))
    assert "pyxdf: something is odd" in recording.notes
