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


def test_two_samples_lie_on_a_line_and_have_an_ellipse_of_no_area():
    assert bcea(np.array([0.0, 3.0]), np.array([1.0, 5.0])) == pytest.approx(0.0, abs=1e-9)


def test_movement_down_counts_as_much_as_movement_across():
    t = np.arange(4) * 4.0
    facts = precision(
        Gaze(t, np.array([0.0, 1, 3, 3]), np.array([0.0, 2, 2, 6]), np.zeros(4, np.int64)), 200.0
    )
    assert facts["rms_s2s"] == pytest.approx(np.sqrt((5 + 4 + 16) / 3))


def test_the_shortest_window_is_of_two_samples():
    t = np.arange(5) * 4.0
    x = np.array([0.0, 1.0, 0.0, 1.0, 3.0])
    facts = precision(Gaze(t, x, np.zeros(5), np.zeros(5, np.int64)), 1.0)
    assert facts["window_rms_s2s"] == pytest.approx(1.0)
    assert facts["window_std"] == pytest.approx(0.5)


def test_without_time_there_is_no_window():
    t = np.full(9, 5.0)
    facts = precision(Gaze(t, np.arange(9.0), t, np.zeros(9, np.int64)), 200.0)
    assert np.isnan([facts["window_rms_s2s"], facts["window_std"]]).all()
    assert facts["rms_s2s"] == pytest.approx(1.0)


def test_a_piece_shorter_than_the_window_says_nothing_beside_a_longer_one():
    t = np.r_[np.arange(50) * 4.0, 10_000 + np.arange(49) * 4.0]
    x = np.r_[np.arange(50) % 2 * 3.0, np.arange(49) % 2 * 50.0]
    piece = np.repeat([0, 1], [50, 49])
    facts = precision(Gaze(t, x, np.zeros(99), piece), 200.0)
    assert facts["window_rms_s2s"] == pytest.approx(3.0)
    assert facts["window_std"] == pytest.approx(1.5)
