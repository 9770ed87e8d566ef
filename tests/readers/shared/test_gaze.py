"""The gaze of two eyes, with the marks of vendors for gaze that is lost."""

import numpy as np
import pytest

from gazetrack.readers.shared.gaze import gaze_columns, mean_of_eyes, pupils_of, without_marks

NAN = float("nan")


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_mean_of_the_eyes_is_the_one_that_is_there(kind):
    left = np.array([1, NAN, 3, NAN], kind)
    right = np.array([2, 5, NAN, NAN], kind)
    mean = mean_of_eyes(left, right)
    np.testing.assert_array_equal(mean, [1.5, 5, 3, NAN])
    assert mean.dtype == kind


def test_a_mark_counts_where_it_stands_in_both_coordinates():
    x = np.array([-1.0, -1.0, 5.0, NAN])
    y = np.array([-1.0, 7.0, -1.0, -1.0])
    found_x, found_y, count = without_marks(x, y, -1)
    np.testing.assert_array_equal(found_x, [NAN, -1, 5, NAN])
    np.testing.assert_array_equal(found_y, [NAN, 7, -1, -1])
    assert count == 1
    assert x[0] == y[0] == -1  # the table's own columns stay as they are


def test_pupils_of_0_and_minus_1_are_missing():
    np.testing.assert_array_equal(pupils_of(np.array([0, -1, 3.5])), [NAN, NAN, 3.5])


def test_combined_gaze_is_the_mean_of_the_eyes_unless_it_is_given():
    eyes = {
        f"{eye}_{axis}": np.array([at])
        for eye, at in (("left", 2.0), ("right", 4.0))
        for axis in "xy"
    }
    columns = gaze_columns({**eyes, "left_pupil": np.array([3.0])})
    assert set(columns) == {
        *("left_x_px", "left_y_px", "right_x_px", "right_y_px", "left_pupil", "x_px", "y_px")
    }
    assert columns["x_px"].tolist() == columns["y_px"].tolist() == [3.0]
    given = gaze_columns({**eyes, "x": np.array([9.0]), "y": np.array([8.0])})
    assert (given["x_px"].tolist(), given["y_px"].tolist()) == ([9.0], [8.0])
