"""Kinds of map with an independent way to the same result, and presets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial import ConvexHull

from gazetrack.maps.kinds import _cubic
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


@pytest.mark.parametrize("kind", ["gaussian", "linear"])
def test_kinds_of_the_distance_are_their_formula_of_it(kind):
    height, width = 20, 27
    x, y, d = points(7, 5)
    x, y = x * width / W, y * height / H
    params = MapParams(kind=kind, blur=0.15)
    sigma = params.blur * math.sqrt(height * width)

    def expected(chosen):
        out = np.empty((1, height, width))
        joined = np.arange(len(chosen)) < len(chosen) - 1
        nothing = np.zeros(len(chosen))
        oracles.suffix_distance(x[chosen], y[chosen], nothing, joined, [0], False, out)
        if kind == "linear":
            return 1 - out[0] / out[0].max()
        return np.exp(-(out[0] ** 2) / (2 * sigma**2))

    ours = render_points(x, y, d, (height, width), params)
    members = level_members(d, params.ratios)
    np.testing.assert_allclose(ours, levels_of(members, expected), atol=1e-4)


@pytest.mark.parametrize("blur", [0.1, 0.8])
def test_a_heatmap_reaches_from_0_to_1_even_where_gaze_is_felt_everywhere(blur):
    x, y, d = points(3, 6)
    params = MapParams(kind="heatmap", blur=blur, levels=2)
    sigma = blur * math.sqrt(H * W)
    rows = np.arange(H)[:, None] + 0.5
    columns = np.arange(W) + 0.5

    def expected(chosen):
        total = sum(
            d[k] * np.exp(-((columns - x[k]) ** 2 + (rows - y[k]) ** 2) / (2 * sigma**2))
            for k in chosen
        )
        return (total - total.min()) / np.ptp(total)

    ours = render_points(x, y, d, (H, W), params)
    members = level_members(d, params.ratios)
    np.testing.assert_allclose(ours, levels_of(members, expected), atol=1e-4)


def test_gazemedseg_puts_the_first_pixel_last_and_leaves_out_what_is_beside():
    params = PRESETS["gazemedseg"]
    d = np.array([300.0, 200.0])

    def drawn(x, y):
        return render_points(np.array(x, float), np.array(y, float), d[: len(x)], (H, W), params)

    np.testing.assert_array_equal(drawn([0], [0]), drawn([W], [H]))
    inside = drawn([30], [20])
    # A place of the canvas beside it is enough.
    wide, high = W / 768, H / 768
    beside = [(-wide, 20), (W + wide, 20), (30, -high), (30, H + high)]
    for x, y in ((-1, 20), (W + 1, 20), (30, -1), (30, H + 1), *beside):
        np.testing.assert_array_equal(drawn([30, x], [20, y]), inside)
        assert not drawn([x], [y]).any()
    last = 0.4 * W / 768  # so near to the end, a position is rounded to it
    np.testing.assert_array_equal(drawn([W - last], [20]), drawn([W], [20]))
    assert np.argmax(drawn([W], [20])[0].max(0)) == W - 1


def test_sizes_change_by_keys_cubic_interpolation():
    # Keys (1981) with a = -.75 at distances of a quarter, three of them, five and seven.
    near = [0.87890625, 0.26171875, -0.10546875, -0.03515625]
    twice = _cubic(8, 4)
    np.testing.assert_allclose(twice[4], [near[3], near[1], near[0], near[2]], atol=1e-12)
    np.testing.assert_allclose(twice[3], [near[2], near[0], near[1], near[3]], atol=1e-12)
    # Beyond the ends the last pixel is taken again.
    np.testing.assert_allclose(twice[0], [near[3] + near[1] + near[0], near[2], 0, 0], atol=1e-12)
    np.testing.assert_allclose(twice, twice[::-1, ::-1], atol=1e-12)
    np.testing.assert_allclose(_cubic(5, 5), np.eye(5), atol=1e-12)
    np.testing.assert_allclose(_cubic(3, 9) @ np.arange(9.0), [1, 4, 7], atol=1e-12)


def test_a_tube_as_thin_as_a_hair_and_as_wide_as_the_map():
    x, y, d = points(2, 4)
    s = math.sqrt(H * W)
    for radius in (0.01, 2.0):
        params = MapParams(kind="tube", levels=1, radius=radius, softness=0.02)
        out = np.empty((1, H, W))
        joined = np.arange(4) < 3
        oracles.suffix_distance(x, y, np.full(4, radius * s), joined, [0], False, out)
        expected = 1 / (1 + np.exp(out / (0.02 * s)))
        np.testing.assert_allclose(render_points(x, y, d, (H, W), params), expected, atol=1e-4)


def test_gazemedseg_is_1_at_most_between_the_pixels_of_its_canvas_too():
    # Four impulses around the middle of a pixel of the map, which is between those of the canvas.
    height, width = 2, 384
    x = np.array([201, 202, 201, 202]) * width / 768
    y = np.array([192, 192, 193, 193]) * height / 768
    maps = render_points(x, y, np.full(4, 300.0), (height, width), PRESETS["gazemedseg"])
    assert maps[-1, 0].argmax() == 100
    assert maps.max() == 1.0
