from pathlib import Path

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.xdf.channels import FRACTIONS, PIXELS, Channel, channels_of, gaze_of

PATH = Path("a.xdf")


@pytest.mark.parametrize(
    ("channel", "role"),
    [
        (Channel("leftEyeX".lower()), "left_x"),
        (Channel("left_gaze_point_on_display_area_y"), "left_y"),
        (Channel("gazepointxright"), "right_x"),
        (Channel("norm_pos_x"), "x"),
        (Channel("y", eye="r"), "right_y"),
        (Channel("a", kind="screenx"), "x"),
        (Channel("a", eye="left", kind="screeny"), "left_y"),
        (Channel("pupil_area_left"), "left_pupil"),
        (Channel("diameter0", eye="right", kind="diameter"), "right_pupil"),
        (Channel("anything", eye="left", kind="confidence"), "confidence"),
        (Channel("gaze_normal0_x", kind="positionx"), ""),
        (Channel("timestamp"), ""),
    ],
)
def test_labels_and_types_tell_what_a_channel_is(channel, role):
    assert channel.role == role


def test_the_meta_data_are_lists_of_lists_as_pyxdf_gives_them():
    described = [{"label": ["Left_X "], "eye": ["LEFT"], "type": [None]}, {}]
    info = {"desc": [{"channels": [{"channel": described}]}]}
    assert channels_of(info) == [Channel("left_x", "left"), Channel()]
    assert channels_of({"desc": [None]}) == []
    assert channels_of({}) == []


def test_one_eye_leaves_the_other_missing():
    series = np.array([[100, 50], [110, 60]], np.float32)
    found = gaze_of(series, [Channel("left_x", unit="px"), Channel("left_y", unit="px")], PATH, [])
    assert (found.eyes, found.unit) == ("left", PIXELS)
    assert found.values["left_x"].tolist() == [100, 110]
    assert np.isnan(found.values["right_x"]).all()


def test_one_pupil_is_of_both_eyes_and_gaze_that_is_not_trusted_is_missing():
    names = ("norm_pos_x", "norm_pos_y", "pupil", "confidence")
    channels = [Channel(name, unit="normalized") for name in names[:2]]
    channels += [Channel("pupil"), Channel("confidence", kind="confidence")]
    notes = []
    found = gaze_of(np.array([[0.5, 0.25, 3, 0.9], [0.5, 0.25, 3, 0.1]]), channels, PATH, notes)
    assert found.unit == FRACTIONS
    np.testing.assert_array_equal(found.values["y"], [0.75, np.nan])  # from the bottom
    assert found.values["left_pupil"].tolist() == found.values["right_pupil"].tolist() == [3, 3]
    assert notes == ["1 samples with a confidence below 0.6: gaze taken as missing"]


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ([Channel("a"), Channel("b"), Channel("c")], "without channels of positions"),
        ([], "3 channels that does not say what they are"),
        ([Channel("x", unit="mm"), Channel("y", unit="mm"), Channel()], "positions in 'mm'"),
        ([Channel("x", unit="px"), Channel("y", unit="norm"), Channel()], "a mixture of units"),
    ],
)
def test_what_cannot_be_understood_is_refused(channels, words):
    with pytest.raises(ParseError, match=words):
        gaze_of(np.ones((5, 3)), channels, PATH, [])


def test_a_single_value_far_out_does_not_make_pixels():
    series = np.full((1000, 2), 0.5)
    series[7] = 50.0
    assert gaze_of(series, [Channel("x"), Channel("y")], PATH, []).unit == FRACTIONS
