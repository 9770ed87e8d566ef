"""How much gaze scatters."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.data_quality.gaze import Gaze
from gazetrack.data_quality.precision import bcea, precision


def test_gaze_that_alternates_between_two_places():
    n = 200
    t = np.arange(n) * 4.0
    x = np.where(np.arange(n) % 2, 3.0, 0.0)
    facts = precision(Gaze(t, x, np.zeros(n), np.zeros(n, np.int64)), 200.0)
    assert facts["rms_s2s"] == pytest.approx(3.0)
    assert facts["std"] == pytest.approx(1.5)
    assert facts["window_rms_s2s"] == pytest.approx(3.0)
    assert facts["window_std"] == pytest.approx(1.5)
    assert facts["bcea"] == pytest.approx(0.0)


def test_a_period_shorter_than_the_window_has_none():
    t = np.arange(10) * 4.0
    facts = precision(Gaze(t, t, t, np.zeros(10, np.int64)), 200.0)
    assert np.isfinite(facts["rms_s2s"])
    assert np.isnan(facts["window_rms_s2s"])


def test_the_ellipse_holds_its_share_of_the_gaze():
    x, y = np.random.default_rng(0).normal(0, (2.0, 1.0), (100_000, 2)).T
    assert bcea(x, y) == pytest.approx(2 * np.pi * -np.log(0.32) * 2.0, rel=0.02)
    assert np.isnan(bcea(x[:1], y[:1]))
