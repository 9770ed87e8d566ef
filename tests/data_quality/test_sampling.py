"""What time stamps say: rates, loss and gaps."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.data_quality.gaze import Gaze
from gazetrack.data_quality.sampling import sampling, sampling_at_rates


def gaze_of(t, lost=()):
    t = np.asarray(t, float)
    x = np.zeros(t.size)
    x[list(lost)] = np.nan
    return Gaze(t, x, x, np.zeros(t.size, np.int64))


def test_a_second_at_250_hz_with_a_gap_of_five_samples():
    facts = sampling(gaze_of(np.arange(250) * 4, lost=range(100, 105)))
    assert facts["duration_ms"] == 1000.0
    assert facts["rate_hz"] == 250.0
    assert facts["effective_rate_hz"] == 245.0
    assert facts["loss"] == pytest.approx(0.02)
    assert facts["loss_expected"] == pytest.approx(0.02)
    assert (facts["n_gaps"], facts["longest_gap_ms"], facts["gaps_ms"]) == (1, 20.0, 20.0)


def test_without_samples_nothing_is_known():
    facts = sampling(gaze_of([]))
    assert facts["n_samples"] == 0
    assert np.isnan([facts["rate_hz"], facts["loss"], facts["onset_ms"]]).all()


def test_each_rate_has_its_own_expected_samples():
    slow = np.arange(100) * 4.0
    fast = 400 + np.arange(400) * 1.0
    facts = sampling_at_rates(gaze_of(np.concatenate([slow, fast])), [400.0])
    assert facts["duration_ms"] == pytest.approx(800.0)
    assert facts["rate_hz"] == pytest.approx(625.0)
    assert facts["loss_expected"] == pytest.approx(0.0)
    assert facts["jitter_ms"] == pytest.approx(0.0)


def test_samples_of_two_eyes_that_take_turns_are_all_expected_and_all_there():
    number = np.arange(400)
    facts = sampling(gaze_of((number // 2) * 8.333 + (number % 2) * 0.13))
    assert facts["rate_hz"] == pytest.approx(2000 / 8.333)
    assert facts["loss_expected"] == pytest.approx(0.0, abs=0.01)
