"""Eye movements as runs of samples that are labelled alike."""

import numpy as np
import pytest

from gazetrack.readers.shared.runs import movements

NAN = float("nan")
KINDS = np.array(["", "fixation", "fixation", "saccade", "saccade", "", "fixation"], object)
T = np.array([0.0, 2, 4, 6, 8, 10, 12])
X = np.array([0.0, 10, NAN, 20, 40, 0, 50])
Y = np.array([0.0, 1, 3, 5, 7, 0, NAN])


def test_a_run_has_its_times_and_its_place():
    runs = movements(KINDS, T, X, Y)
    assert runs["kind"].tolist() == ["fixation", "saccade", "fixation"]
    assert runs["index"].tolist() == [1, 1, 2]
    assert runs["onset_ms"].tolist() == [2, 6, 12]
    assert runs["duration_ms"].tolist() == [4, 4, 2]  # the last sample lasts a step
    assert runs["first"].tolist() == [1, 3, 6]
    assert runs["last"].tolist() == [2, 4, 6]


def test_a_fixation_lies_at_the_mean_and_a_saccade_leads_from_start_to_end():
    runs = movements(KINDS, T, X, Y)
    np.testing.assert_array_equal(runs["x_px"], [10, 20, 50])
    np.testing.assert_array_equal(runs["y_px"], [2, 5, NAN])
    np.testing.assert_array_equal(runs["end_x_px"], [NAN, 40, NAN])
    np.testing.assert_array_equal(runs["end_y_px"], [NAN, 7, NAN])


def test_a_run_may_begin_behind_another_of_its_kind():
    begins = np.zeros(7, bool)
    begins[2] = True
    runs = movements(KINDS, T, X, Y, begins)
    assert runs["onset_ms"].tolist() == [2, 4, 6, 12]
    assert runs["index"].tolist() == [1, 2, 1, 3]


@pytest.mark.parametrize("begins", [None, np.zeros(0, bool)])
def test_without_samples_there_are_no_runs(begins):
    runs = movements(np.zeros(0, object), T[:0], X[:0], Y[:0], begins)
    assert all(column.size == 0 for column in runs.values())
