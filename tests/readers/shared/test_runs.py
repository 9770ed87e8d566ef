"""Eye movements as runs of samples that are labelled alike."""

import numpy as np
import pytest

from gazetrack.readers.shared.runs import RunParts, movements, usual_step

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


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_parts_have_the_runs_of_the_whole_to_the_bit(length):
    rng = np.random.default_rng(5)
    n = 200
    kinds = np.repeat(rng.choice(["", "fixation", "saccade"], n // 4), 4).astype(object)
    t = np.cumsum(rng.uniform(1, 3, n))
    x, y = rng.normal(500, 200, (2, n))
    x[rng.random(n) < 0.2] = NAN
    begins = rng.random(n) < 0.1
    codes = np.arange(n)
    whole = movements(kinds, t, x, y, begins)
    found = RunParts()
    parts = []
    for first in range(0, n, length):
        own = slice(first, first + length)
        beside = {"code": codes[own]}
        parts.append(found.take(kinds[own], t[own], (x[own], y[own]), begins[own], beside))
    parts.append(found.close())
    parts = [part for part in parts if part]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    for name in ("kind", "index", "onset_ms", "first", "last", "x_px", "y_px", "end_x_px"):
        np.testing.assert_array_equal(joined[name], whole[name])
    np.testing.assert_array_equal(joined["first_code"], whole["first"])
    np.testing.assert_array_equal(joined["last_code"], whole["last"])
    assert usual_step(lambda: [t[:7], t[7:]]) == np.median(np.diff(t))


def test_no_samples_have_no_runs():
    assert RunParts().close() == {}
    empty = np.empty(0)
    assert movements(np.empty(0, object), empty, empty, empty)["kind"].size == 0
