"""I-DT: windows that stay within an area, in degrees and milliseconds."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.events.base import Trial
from gazetrack.events.idt import IDT


def runs(detector, x, y=0.0, step=10.0, px_per_deg=40.0):
    """Return the (start, end) of each fixation in gaze at an even rate."""
    x = np.asarray(x, float)
    y = np.where(np.isnan(x), np.nan, y)
    starts, ends = detector.runs(Trial(np.arange(x.size) * step, x, y, px_per_deg))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


@pytest.mark.parametrize(("still_ms", "n"), [(90, 0), (100, 1)])
def test_the_window_of_i_dt_is_its_least_duration_with_the_step_of_its_last_sample(still_ms, n):
    t = np.arange(60) * 10.0
    x = 500.0 * np.arange(60)  # nothing stays together but one stretch
    x[20 : 20 + still_ms // 10] = 7.0
    found = IDT(min_duration_ms=100.0).runs(Trial(t, x, x, 40.0))
    assert [v.tolist() for v in found] == ([[20], [30]] if n else [[], []])


@pytest.mark.parametrize(("dispersion_deg", "found"), [(1.0, [(0, 40)]), (0.99, [])])
def test_gaze_as_far_apart_as_the_dispersion_is_one_fixation(dispersion_deg, found):
    # 24 px across and 16 px down are 40 px, which is a degree: the sum counts.
    x = np.where(np.arange(40) % 2, 24.0, 0.0)
    y = np.where(np.arange(40) % 2, 16.0, 0.0)
    assert runs(IDT(dispersion_deg=dispersion_deg), x, y) == found


def test_the_sample_that_leaves_the_area_is_no_part_of_the_fixation():
    x = np.repeat([0.0, 500.0], 20)
    assert runs(IDT(), x) == [(0, 20), (20, 40)]


def test_a_fixation_goes_on_through_a_short_loss_and_ends_at_a_long_one():
    x = np.zeros(60)
    x[20:26] = np.nan  # 70 ms from known to known sample
    assert runs(IDT(max_gap_ms=75.0), x) == [(0, 60)]
    assert runs(IDT(max_gap_ms=65.0), x) == [(0, 20), (26, 60)]


def test_a_degree_is_of_the_screen_at_hand():
    x = np.where(np.arange(40) % 2, 50.0, 0.0)
    assert runs(IDT(), x, px_per_deg=40.0) == []
    assert runs(IDT(), x, px_per_deg=50.0) == [(0, 40)]


def test_with_no_least_duration_a_sample_alone_is_a_fixation():
    alone = [(k, k + 1) for k in range(5)]
    assert runs(IDT(min_duration_ms=0.0), 500.0 * np.arange(5)) == alone
    assert runs(IDT(min_duration_ms=10.0), 500.0 * np.arange(5)) == alone
