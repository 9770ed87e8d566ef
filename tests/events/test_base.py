"""What every detector shares: the trial, and how long runs last."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial, durations, lasting_runs, runs_of


def trial_of(t):
    t = np.asarray(t, float)
    return Trial(t, np.zeros(t.size), np.zeros(t.size), 40.0)


def test_the_step_is_the_median_of_the_steps_forward():
    assert trial_of([0, 4, 8, 8, 12, 500]).step_ms == 4.0
    assert trial_of([7]).step_ms == 0.0


def test_a_run_lasts_until_its_last_sample_is_over():
    trial = trial_of([0, 4, 8, 10, 14])
    # One step of 4 ms after the last sample, but no longer than to the next one, which is at 10.
    found = durations(trial, np.array([0, 0, 3]), np.array([2, 3, 5]))
    assert found.tolist() == [8.0, 10.0, 8.0]


def test_runs_of_exactly_the_least_duration_stay():
    trial = trial_of(np.arange(10) * 4)
    runs = np.array([0, 4]), np.array([2, 8])  # 8 and 16 ms
    starts, ends = lasting_runs(trial, runs, 16.0)
    assert (starts.tolist(), ends.tolist()) == ([4], [8])


@pytest.mark.parametrize(
    ("labels", "starts", "ends"),
    [("0110", [1], [3]), ("101", [0, 2], [1, 3]), ("111", [0], [3]), ("", [], [])],
)
def test_runs_of_labels(labels, starts, ends):
    found = runs_of(np.array([label == "1" for label in labels], bool))
    assert (found[0].tolist(), found[1].tolist()) == (starts, ends)
