import base64
import zlib

import numpy as np
import pytest

from gazetrack.workflows.reporting.packing import (
    FINEST_MS,
    MISSING,
    on_grid,
    pack,
    points_for,
    step_for,
)

NOTHING = (np.empty(0),) * 4


def unpacked(packed):
    """What a browser makes of it."""
    raw = zlib.decompress(base64.b64decode(packed.text))
    n, m = packed.n_points, packed.n_fixations
    numbers = np.frombuffer(raw, "<i4", 4 * m).reshape(4, m).astype(float)
    numbers[2:] *= packed.scale
    planes = np.frombuffer(raw, np.uint8, 4 * n, 16 * m).reshape(4, n).astype(np.uint16)
    axes = []
    for low, high in (planes[:2], planes[2:]):
        units = np.cumsum(low + 256 * high, dtype=np.uint16).view(np.int16)
        axes.append(np.where(units == MISSING, np.nan, units * packed.scale))
    return axes, numbers


def test_gaze_and_fixations_come_back_to_half_a_unit():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-500, 2400, (2, 300))
    x[40:60] = y[40:60] = np.nan
    fixations = tuple(np.array(one, float) for one in ([0, 250], [200, 310], [5, 1900], [7, 1070]))
    packed = pack((x, y), fixations, 20.0, 1920.0)
    axes, numbers = unpacked(packed)
    half = 1920 / 2048 / 2 + 1e-9
    for axis, meant in zip(axes, (x, y), strict=True):
        assert np.array_equal(np.isnan(axis), np.isnan(meant))
        assert np.nanmax(abs(axis - meant)) <= half
    assert np.array_equal(numbers[:2], fixations[:2])
    assert abs(numbers[2:] - fixations[2:]).max() <= half


def test_gaze_far_beside_the_screen_stays_beside_it():
    far = np.array([1e30, -1e30, 0.0])
    axes, _ = unpacked(pack((far, -far), NOTHING, 20.0, 1000.0))
    assert axes[0][0] > 10_000
    assert axes[0][1] < -10_000
    assert axes[0][2] == 0


def test_a_steady_gaze_takes_little_room():
    rng = np.random.default_rng(1)
    x, y = 900 + rng.normal(0, 1.2, (2, 3000))
    assert len(pack((x, y), NOTHING, 20.0, 1920.0).text) < 2 * 3000


def test_of_each_step_the_first_gaze_is_taken():
    t = np.array([0.0, 4.0, 19.0, 20.0, 61.0])
    x = np.array([np.nan, 2.0, 3.0, 4.0, 5.0])
    found, _ = on_grid(t, x, x, 20.0)
    np.testing.assert_array_equal(found, [2.0, 4.0, np.nan, 5.0])


def test_a_clock_that_steps_back_is_no_reason_to_fail():
    t = np.array([100.0, 120.0, 0.0, 20.0])
    found, _ = on_grid(t, np.arange(4.0), np.arange(4.0), 20.0)
    assert found[0] == 2.0
    assert found[5] == 0.0


def test_no_gaze_is_no_points():
    assert [len(axis) for axis in on_grid(*NOTHING[:3], 20.0)] == [0, 0]


@pytest.mark.parametrize(("n", "points"), [(1, 60_000), (200, 16_000), (10_000, 3_000)])
def test_the_more_recordings_the_fewer_points_each(n, points):
    assert points_for(n) == points


def test_a_long_recording_is_thinned_more():
    assert step_for(1000.0, 16_000) == FINEST_MS
    assert step_for(3_200_000.0, 16_000) == 200.0
