import json

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.tobii import glasses3


def head_of(folder, *lines):
    path = folder / "gazedata"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return read_head(path)


def read(folder, *lines):
    return glasses3.read(head_of(folder, *lines), ReadOptions())


def gaze(timestamp, **data):
    return {"type": "gaze", "timestamp": timestamp, "data": data}


def test_fractions_are_pixels_of_the_scene_camera_and_seconds_are_ms(tmp_path):
    recording = read(tmp_path, gaze(0.5, gaze2d=[0.5, 0.25]), gaze(0.52, gaze2d=[0.75, 0.5]))
    assert recording.sample_table["x_px"].to_pylist() == [960, 1440]
    assert recording.sample_table["y_px"].to_pylist() == [270, 540]
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 20])
    assert recording.origin_ms == 500


def test_empty_data_mean_that_no_eye_was_found(tmp_path):
    recording = read(tmp_path, gaze(0.5), gaze(0.51, gaze2d=[0.5, 0.5], eyeleft={}))
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), [np.nan, 960])
    assert np.isnan(recording.sample_table["left_pupil"].to_numpy()).all()


@pytest.mark.parametrize(
    "eye", [None, [], "3.5", {"pupildiameter": "3.5"}, {"pupildiameter": True}]
)
def test_a_pupil_that_is_no_number_is_missing(eye, tmp_path):
    recording = read(
        tmp_path, gaze(0.5, gaze2d=[0.5, 0.5], eyeleft=eye, eyeright={"pupildiameter": 3})
    )
    assert np.isnan(recording.sample_table["left_pupil"].to_numpy()).all()
    assert recording.sample_table["right_pupil"].to_pylist() == [3]


@pytest.mark.parametrize("point", [None, [0.5], [0.5, 0.5, 0.5], "0.5,0.5", [0.5, None]])
def test_a_point_of_another_shape_is_missing(point, tmp_path):
    recording = read(tmp_path, gaze(0.5, gaze2d=point))
    position = [recording.sample_table[f"{axis}_px"][0].as_py() for axis in "xy"]
    assert np.isnan(position).any()


def test_other_streams_and_gaze_without_a_time_are_counted(tmp_path):
    other = {"type": "imu", "timestamp": 0.5, "data": {}}
    recording = read(tmp_path, gaze(0.5, gaze2d=[0.5, 0.5]), gaze(None), other, other)
    assert recording.dropped == {"no time": 1, "other streams": 2}
    assert recording.rows_in == 4


def test_lines_in_any_order_are_put_in_that_of_time(tmp_path):
    recording = read(
        tmp_path,
        gaze(0.52, gaze2d=[0.2, 0.5]),
        gaze(0.5, gaze2d=[0.1, 0.5]),
        gaze(0.54, gaze2d=[0.3, 0.5]),
        gaze(0.56, gaze2d=[0.4, 0.5]),
        gaze(0.58, gaze2d=[0.5, 0.5]),
        gaze(0.6, gaze2d=[0.6, 0.5]),
    )
    assert recording.sample_table["x_px"].to_pylist() == [192, 384, 576, 768, 960, 1152]


@pytest.mark.parametrize(
    ("kind", "words"), [("imu", "movements of the head"), ("event", "events"), ("x", "another")]
)
def test_other_files_of_a_recording_are_named(kind, words, tmp_path):
    verdict = glasses3.sniff(head_of(tmp_path, {"type": kind, "timestamp": 1, "data": {}}))
    assert (verdict.level, words in verdict.reason) == (Level.NO, True)
    assert "gazedata" in verdict.instead


def test_a_line_that_is_no_json_is_named(tmp_path):
    with pytest.raises(ParseError, match="no JSON object") as caught:
        read(tmp_path, gaze(0.5), "[1, 2]")
    assert caught.value.line == 2


def _recording(tmp_path, to_s=50.0, **changed):
    lines = []
    for at in range(6):
        eye = {"pupildiameter": 3.0}
        data = {"gaze2d": [0.4 + at / 100, 0.5], "eyeleft": eye, "eyeright": eye}
        if at == 2:
            data |= changed
        lines.append(json.dumps({"type": "gaze", "timestamp": 1 + at / to_s, "data": data}))
    path = tmp_path / "gazedata.json"
    path.write_text("\n".join(lines) + "\n")
    return gazetrack.read(path)


def test_pupils_that_no_eye_has_are_missing(tmp_path):
    for size in (1e38, 1e5, 3000.0):
        recording = _recording(tmp_path, eyeleft={"pupildiameter": size})
        assert np.isnan(recording.sample_table["left_pupil"][2].as_py())
        large = "1 pupil sizes of the samples are absurdly large, above 20 mm: taken as missing"
        assert large in recording.notes


def test_words_for_gaze_are_said(tmp_path):
    notes = _recording(tmp_path, gaze2d=["broken", 0.4]).notes
    assert "1 values of gaze2d are no pair of numbers: taken as missing" in notes
    assert not any("gaze2d" in note for note in _recording(tmp_path).notes)


@pytest.mark.parametrize("to_s", [0.05, 5e4])
def test_timestamps_in_another_unit_are_said(tmp_path, to_s):
    notes = _recording(tmp_path, to_s=to_s).notes
    assert any("perhaps they are in another unit" in note for note in notes)
