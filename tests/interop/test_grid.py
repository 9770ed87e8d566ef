"""Samples on even ticks: the nearest, and what has no place is said or refused."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import ConfigError
from gazetrack.interop import grid as grids
from gazetrack.interop.grid import on_grid


def test_even_samples_stay_as_they_are():
    t = 17.0 + 4.0 * np.arange(10)
    found = on_grid(t, 250.0, is_asked=False)
    assert (found.first_ms, found.size, found.losses) == (17.0, 10, ())
    values = np.arange(10.0)
    np.testing.assert_array_equal(found.spread(values), values)
    assert found.pauses() == []


def test_whole_milliseconds_at_300_hz_are_no_loss():
    t = np.floor(np.arange(3000) * 1000 / 300)
    found = on_grid(t, 300.0, is_asked=False)
    assert found.size == 3000
    assert found.losses == ()


def test_rows_in_another_order_and_lost_ones():
    t = np.array([8.0, 0.0, 4.0, 16.0])
    found = on_grid(t, 250.0, is_asked=False)
    np.testing.assert_array_equal(
        found.spread(np.array([3.0, 1.0, 2.0, 5.0])), [1.0, 2.0, 3.0, np.nan, 5.0]
    )


def test_a_pause_is_from_the_tick_after_the_last_sample_to_the_next():
    t = np.concatenate([4.0 * np.arange(5), 1000 + 4.0 * np.arange(5)])
    found = on_grid(t, 250.0, is_asked=False)
    ((onset, length),) = found.pauses()
    assert onset == pytest.approx(0.020)
    assert onset + length == pytest.approx(1.0)
    assert found.lost() == []
    # A lost sample, or 100 ms of them, is no pause.
    lossy = on_grid(np.array([0.0, 4.0, 12.0, 112.0]), 250.0, is_asked=False)
    assert lossy.pauses() == []
    assert lossy.lost() == [(0.008, 0.004), (0.016, 0.096)]
    slow = np.array([0.0, 500.0, 1000.0])
    assert on_grid(slow, 2.0, is_asked=False).pauses() == []


def test_of_two_samples_at_one_tick_the_nearest_stays():
    t = np.array([0.0, 10.0, 18.0, 20.5, 30.0])
    found = on_grid(t, 100.0, is_asked=True)
    np.testing.assert_array_equal(found.rows, [0, 1, 3, 4])
    assert found.losses == ("1 samples are left out, between the ticks of 100 Hz",)


def test_many_samples_between_the_ticks_are_refused_unless_asked_for():
    t = 2.0 * np.arange(100)
    with pytest.raises(ConfigError, match="49 of 100 samples do not come at an even 250 Hz"):
        on_grid(t, 250.0, is_asked=False)
    assert on_grid(t, 250.0, is_asked=True).size == 51


def test_samples_that_move_far_are_said():
    t = np.array([0.0, 10.0, 24.0, 30.0])
    found = on_grid(t, 100.0, is_asked=False)
    assert found.losses == ("samples are moved by up to 4 ms to the ticks of 100 Hz",)
    # Less than three tenths of a tick, and more than whole milliseconds round.
    slow = on_grid(np.array([0.0, 20.0, 42.0, 60.0]), 50.0, is_asked=False)
    assert slow.losses == ("samples are moved by up to 2 ms to the ticks of 50 Hz",)
    assert on_grid(np.array([0.0, 20.0, 41.0]), 50.0, is_asked=False).losses == ()


def test_ticks_that_would_fill_the_memory_are_refused(monkeypatch):
    monkeypatch.setattr(grids, "MOST_TICKS", 1000)
    assert on_grid(np.array([0.0, 999.0]), 1000.0, is_asked=False).size == 1000
    with pytest.raises(ConfigError, match="1,001 ticks at 1000 Hz"):
        on_grid(np.array([0.0, 1000.0]), 1000.0, is_asked=False)
