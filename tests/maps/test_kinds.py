"""Kinds of map with an independent way to the same result, and presets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from gazetrack.maps.parameters import KINDS, PRESETS, TRUNCATIONS, MapParams
from gazetrack.maps.render import render_points
from gazetrack.maps.track import level_members
from tests import oracles

H, W = 60, 80


def points(seed, n):
    rng = np.random.default_rng(seed)
    return rng.uniform(5, W - 5, n), rng.uniform(5, H - 5, n), rng.uniform(60, 900, n)


@given(st.integers(0, 999), st.integers(4, 30))
@settings(deadline=None, max_examples=25)
def test_the_hull_is_scipys_widened(seed, n):
    x, y, d = points(seed, n)
    s = math.sqrt(H * W)
    ours = render_points(
        x, y, d, (H, W), MapParams(kind="hull", levels=1, radius=3 / s, softness=2 / s)
    )[0]
    corners = np.column_stack([x, y])
    hull = ConvexHull(corners)
    at = np.stack(np.mgrid[:H, :W][::-1], -1) + 0.5
    distance = np.full((H, W), np.inf)
    for a, b in corners[hull.simplices]:
        along = np.clip((at - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.minimum(
            distance, np.linalg.norm(at - a - along[..., None] * (b - a), axis=-1)
        )
    inside = (at @ hull.equations[:, :2].T + hull.equations[:, 2] <= 0).all(-1)
    expected = 1 / (1 + np.exp((np.where(inside, -distance, distance) - 3) / 2))
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize(
    "corners",
    [
        [(20, 20)],
        [(20, 20), (20, 20)],
        [(10, 10), (30, 30), (20, 20)],
        [(4, 4), (1, 1), (0.73841573, 0.73841573 + 1e-15)],
    ],
)
def test_a_hull_without_area_is_its_line(corners):
    x, y = np.array(corners, float).T
    d = np.full(len(x), 300.0)
    hull, tube = (
        render_points(x, y, d, (H, W), MapParams(kind=kind, levels=1)) for kind in ("hull", "tube")
    )
    np.testing.assert_allclose(hull, tube, atol=1e-5)


@given(st.integers(0, 999), st.integers(1, 30))
@settings(deadline=None, max_examples=4)
def test_gazemedseg_is_a_blurred_image_of_impulses(seed, n):
    x, y, d = points(seed, n)
    canvas = np.zeros((768, 768))
    for at_x, at_y, weight in zip(x / W, y / H, d, strict=True):
        canvas[round(at_y * 768) - 1, round(at_x * 768) - 1] += weight
    canvas = gaussian_filter(canvas, 70)
    canvas = (canvas - canvas.min()) / np.ptp(canvas)
    same_size = render_points(x * 768 / W, y * 768 / H, d, (768, 768), PRESETS["gazemedseg"])[0]
    np.testing.assert_allclose(same_size, canvas, atol=1e-5)
    small = render_points(x, y, d, (96, 96), PRESETS["gazemedseg"])[0]
    assert small.shape == (96, 96)


def levels_of(members, render):
    """Render each level by itself, as an oracle does."""
    return np.stack([render(chosen) for chosen in members])


@pytest.mark.parametrize("truncation", TRUNCATIONS)
@pytest.mark.parametrize("kind", ["tube", "disc"])
def test_the_tube_is_as_wide_as_the_whole_tracks_median_says(kind, truncation):
    # Few pixels: the oracle takes its time for each.
    height, width = 20, 27
    x, y, d = points(5, 9)
    x, y = x * width / W, y * height / H
    d[0], d[-1] = 5000, 20  # beyond what a duration may change the radius by
    params = MapParams(kind=kind, truncation=truncation, duration_exponent=0.5)
    s = math.sqrt(height * width)
    radii = params.radius * s * np.clip(d / np.median(d), 0.25, 4) ** 0.5

    def expected(chosen):
        out = np.empty((1, height, width))
        joined = np.arange(len(chosen)) < (len(chosen) - 1 if kind == "tube" else 0)
        oracles.suffix_distance(x[chosen], y[chosen], radii[chosen], joined, [0], True, out)
        return 1 / (1 + np.exp(out[0] / (params.softness * s)))

    members = level_members(d, params.ratios, truncation=truncation)
    ours = render_points(x, y, d, (height, width), params)
    np.testing.assert_allclose(ours, levels_of(members, expected), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["count", "time"])
def test_the_smallest_maps_levels_and_durations_are_numbers(kind, by):
    params = MapParams(
        kind=kind, levels=3, ratios=(1e-300, 1e-12, 1.0), by=by, duration_exponent=1.0
    )
    for height, width in ((1, 1), (1, 7), (5, 1), (6, 8)):
        for durations in ([300], [0], [0, 0, 0], [0, 0, 90], [0, 200, 90]):
            n = len(durations)
            x, y = np.linspace(width - 0.5, 0.5, n)[::-1], np.full(n, height / 2)
            # A warning is an error in these tests.
            maps = render_points(x, y, np.array(durations, float), (height, width), params)
            assert ((maps >= 0) & (maps <= 1)).all()
            if (
                kind in ("hull", "gaussian", "linear") and height % 2
            ):  # the last fixation is in the middle of a pixel
                assert maps[:, height // 2, -1].min() > 0.5
