import json

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.tobii import glasses2


def head_of(folder, *lines):
    path = folder / "livedata.json"
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return read_head(path)


def read(folder, *lines):
    return glasses2.read(head_of(folder, *lines), ReadOptions())


def gaze(ts, gidx, point=(0.5, 0.25), s=0):
    return {"ts": ts, "s": s, "gidx": gidx, "l": 1, "gp": list(point)}


def pupil(ts, gidx, eye, size, s=0):
    return {"ts": ts, "s": s, "gidx": gidx, "pd": size, "eye": eye}


def test_lines_in_any_order_are_put_in_that_of_time(tmp_path):
    recording = read(
        tmp_path, gaze(1_020_000, 2, (0.5, 0.5)), gaze(1_000_000, 1), gaze(1_040_000, 3)
    )
    assert recording.sample_table["t_ms"].to_pylist() == [0, 20, 40]
    assert recording.sample_table["y_px"].to_pylist() == [270, 540, 270]
    assert recording.origin_ms == 1000


def test_pupils_belong_to_the_gaze_of_the_same_index_wherever_their_lines_are(tmp_path):
    recording = read(
        tmp_path,
        pupil(1_000_000, 1, "left", 3.5),
        gaze(1_000_000, 1),
        gaze(1_020_000, 2),
        pupil(1_020_000, 2, "right", 3.25),
    )
    samples = recording.sample_table
    np.testing.assert_array_equal(samples["left_pupil"].to_numpy(), np.float32([3.5, np.nan]))
    np.testing.assert_array_equal(samples["right_pupil"].to_numpy(), np.float32([np.nan, 3.25]))
    assert recording.dropped == {"pupil of a gaze sample": 2}


def test_what_is_marked_as_not_valid_is_missing(tmp_path):
    recording = read(
        tmp_path, gaze(1_000_000, 1), gaze(1_020_000, 2, s=1), pupil(1_000_000, 1, "left", 9, s=4)
    )
    np.testing.assert_array_equal(recording.sample_table["x_px"].to_numpy(), [960, np.nan])
    assert np.isnan(recording.sample_table["left_pupil"].to_numpy()).all()


def test_other_streams_and_gaze_without_a_time_are_counted(tmp_path):
    untimed = gaze(None, 2)
    recording = read(tmp_path, gaze(1_000_000, 1), {"ts": 1, "s": 0, "ac": [0, 0, 9.8]}, untimed)
    assert recording.sample_table.num_rows == 1
    assert recording.dropped == {"other streams": 1, "no time": 1}
    assert recording.rows_in == 3


def test_a_line_that_is_no_json_is_named(tmp_path):
    with pytest.raises(ParseError, match="no JSON object") as caught:
        read(tmp_path, gaze(1_000_000, 1), '{"ts": 5, "s"')
    assert caught.value.line == 2


def test_json_lines_without_the_streams_of_the_glasses_are_not_claimed(tmp_path):
    assert glasses2.sniff(head_of(tmp_path, {"ts": 1, "s": 0, "other": 1})).level == Level.NO
    assert glasses2.sniff(head_of(tmp_path, gaze(1, 1), {"gp": [0, 0]})).level == Level.NO
    assert glasses2.sniff(head_of(tmp_path, gaze(1, 1))).level == Level.CERTAIN
