"""The angle between gaze and a target."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.data_quality.accuracy import offset


def test_straight_ahead_the_parts_are_azimuth_and_elevation():
    angle, horizontal, vertical = offset(np.array([3.0]), np.array([0.0]), 0.0, 0.0)
    assert (angle, horizontal, vertical) == pytest.approx((3.0, 3.0, 0.0))
    angle, horizontal, vertical = offset(np.array([0.0]), np.array([-2.0]), 0.0, 0.0)
    assert (angle, horizontal, vertical) == pytest.approx((2.0, 0.0, -2.0))


def test_gaze_on_the_target_is_off_by_nothing_wherever_it_is():
    found = offset(np.array([20.0, 20.0]), np.array([-10.0, -10.0]), 20.0, -10.0)
    assert found == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_lost_samples_do_not_count_and_without_gaze_nothing_is_known():
    found = offset(np.array([1.0, np.nan]), np.array([0.0, np.nan]), 0.0, 0.0)
    assert found[0] == pytest.approx(1.0)
    assert np.isnan(offset(np.array([np.nan]), np.array([np.nan]), 0.0, 0.0)).all()
