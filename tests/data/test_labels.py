"""From tracks to a label: one way, whoever asks."""

from __future__ import annotations

import numpy as np

from gazetrack.maps import crf
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.render import render_maps
from gazetrack.maps.track import Track
from gradtrack_model.data.labels import BORDER, cleaned, full_map, mean_maps, refined_maps

H, W = 30, 40
TUBE = MapParams(kind="tube", levels=2)


def track(x, duration_ms=300.0):
    places = np.asarray(x, float)
    durations = np.full(len(places), duration_ms)
    return Track("r", "1", "s", places, np.full(len(places), 15.0), durations, W, H)


def test_tracks_without_a_fixation_left_are_no_observers():
    short = track([5.0, 6.0], duration_ms=10.0)
    assert cleaned([short], TUBE) == ()
    kept = cleaned([short, track([5.0, 9.0, 14.0, 20.0])], TUBE)
    # Of four fixations, the first is dropped.
    assert [list(one.x) for one in kept] == [[9.0, 14.0, 20.0]]


def test_maps_are_the_mean_over_observers():
    one, other = track([5.0, 10.0, 12.0]), track([30.0, 34.0])
    each = [mean_maps([alone], TUBE, (H, W)) for alone in (one, other)]
    assert each[0].shape == (2, H, W)
    np.testing.assert_allclose(mean_maps([one, other], TUBE, (H, W)), (each[0] + each[1]) / 2)


def test_the_full_map_is_that_of_render_at_any_size():
    one = track([5.0, 9.0, 14.0, 20.0])
    for size in ((H, W), (2 * H, 3 * W)):
        expected = render_maps(one, TUBE, size).values[-1]
        assert (expected >= BORDER).any()
        np.testing.assert_allclose(full_map([one], TUBE, size), expected, atol=1e-6)


def test_no_fixation_no_label():
    assert full_map([track([5.0], duration_ms=10.0)], TUBE, (H, W)) is None
    assert full_map([], TUBE, (H, W)) is None


def test_a_crf_pulls_the_last_level_to_the_edges_as_render_does():
    rng = np.random.default_rng(0)
    maps = rng.random((2, H, W)).astype(np.float32)
    pixels = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    refined = refined_maps(maps, pixels, weight=1.0, scale=0.5)
    expected = crf.refine(maps[-1:], pixels, CRFParams(weight=1.0, position_px=40.0, smooth_px=1.5))
    np.testing.assert_array_equal(refined[0], maps[0])
    np.testing.assert_array_equal(refined[1:], expected)
    assert np.abs(refined[1] - maps[1]).max() > 0.01
    assert refined_maps(maps, pixels, weight=0.0) is maps
