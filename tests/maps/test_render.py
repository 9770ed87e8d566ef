"""Track maps: what must hold for every track."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gazetrack.errors import ConfigError
from gazetrack.maps.parameters import KINDS, TRUNCATIONS, MapParams
from gazetrack.maps.render import (
    TrackMaps,
    as_uint8,
    check_size,
    left_out,
    level_titles,
    pool,
    prepare,
    render_batch,
    render_maps,
    render_points,
)
from gazetrack.maps.track import Track

H, W = 24, 32


@st.composite
def point_sets(draw, max_size=12):
    n = draw(st.integers(1, max_size))
    x = np.array(draw(st.lists(st.floats(0.5, W - 0.5), min_size=n, max_size=n)))
    y = np.array(draw(st.lists(st.floats(0.5, H - 0.5), min_size=n, max_size=n)))
    d = np.array(draw(st.lists(st.floats(60, 900), min_size=n, max_size=n)))
    return x, y, d


kinds = st.sampled_from(KINDS)


@given(point_sets(), kinds, st.sampled_from(TRUNCATIONS))
@settings(deadline=None, max_examples=50)
def test_values_are_in_0_1_and_float32(points, kind, truncation):
    maps = render_points(*points, (H, W), MapParams(kind=kind, truncation=truncation))
    assert maps.shape == (4, H, W)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert maps.max() <= 1


@given(
    point_sets(),
    st.sampled_from(["tube", "gaussian", "disc", "hull"]),
    st.sampled_from(TRUNCATIONS),
    st.sampled_from(["count", "time"]),
    st.sampled_from([0.0, 0.5]),
)
@example(
    (np.ones(3), np.array([1.0, 2.0, 1.25]), np.array([60.0, 60.0, 63.0])),
    "tube",
    "head",
    "count",
    0.5,
)
@settings(deadline=None, max_examples=120)
def test_levels_grow(points, kind, truncation, by, exponent):
    params = MapParams(kind=kind, truncation=truncation, by=by, duration_exponent=exponent)
    if kind in ("tube", "gaussian"):  # a line with points left out in its middle runs elsewhere
        assume(truncation != "random")
    # Distances of up to 40 px are right to 4e-6 px in float32, and the logistic is .6 a pixel steep
    # at its steepest.
    assert (np.diff(render_points(*points, (H, W), params), axis=0) >= -4e-6).all()


@pytest.mark.parametrize("kind", ["density", "heatmap", "gazemedseg", "linear"])
def test_levels_that_are_scaled_by_their_own_extremes_need_not_grow(kind):
    """The documentation says so of these kinds; where it stops being true, it can say more."""
    x, y, d = (
        np.array([4.0, 28.0, 16.0]),
        np.array([4.0, 20.0, 12.0]),
        np.array([900.0, 300.0, 100.0]),
    )
    assert (
        np.diff(render_points(x, y, d, (H, W), MapParams(kind=kind, levels=3)), axis=0) < -0.01
    ).any()


@given(point_sets(), st.sampled_from([kind for kind in KINDS if kind != "gazemedseg"]))
@settings(deadline=None, max_examples=40)
def test_flipping_the_points_flips_the_maps(points, kind):
    x, y, d = points
    params = MapParams(kind=kind)
    still = render_points(x, y, d, (H, W), params)
    np.testing.assert_allclose(
        render_points(W - x, y, d, (H, W), params), still[:, :, ::-1], atol=2e-5
    )
    np.testing.assert_allclose(
        render_points(x, H - y, d, (H, W), params), still[:, ::-1], atol=2e-5
    )


@given(
    point_sets(), st.sampled_from(["tube", "disc", "hull"]), st.integers(-4, 4), st.integers(-4, 4)
)
@settings(deadline=None, max_examples=40)
def test_moving_the_points_moves_the_map(points, kind, dx, dy):
    x, y, d = points
    big = 64
    params = MapParams(kind=kind)
    still = render_points(x + 16, y + 16, d, (big, big), params)
    moved = render_points(x + 16 + dx, y + 16 + dy, d, (big, big), params)
    inner = slice(8, big - 8)
    np.testing.assert_allclose(
        moved[:, 8 + dy : big - 8 + dy, 8 + dx : big - 8 + dx], still[:, inner, inner], atol=2e-5
    )


@given(point_sets(), kinds)
@settings(deadline=None, max_examples=20)
def test_the_last_level_of_every_truncation_but_shuffled_is_the_same(points, kind):
    last = [
        render_points(*points, (H, W), MapParams(kind=kind, truncation=t))[-1]
        for t in ("tail", "head", "random", "none")
    ]
    for other in last[1:]:
        np.testing.assert_allclose(other, last[0], atol=1e-5)


@pytest.mark.parametrize(("blur", "size"), [(0.05, 200), (0.02, 200), (0.01, 200), (0.005, 90)])
def test_blurred_kinds_are_the_sum_of_gaussians_on_either_grid(blur, size):
    rng = np.random.default_rng(3)
    x, y, d = (
        rng.uniform(-20, size + 20, 9),
        rng.uniform(-20, size + 20, 9),
        rng.uniform(100, 900, 9),
    )
    centres = np.arange(size) + 0.5
    squares = (centres - x[:, None, None]) ** 2 + (centres[:, None] - y[:, None, None]) ** 2
    total = (d[:, None, None] * np.exp(-squares / (2 * (blur * size) ** 2))).sum(0)
    expected = (total - total.min()) / (total.max() - total.min())
    maps = render_points(x, y, d, (size, size), MapParams(kind="heatmap", blur=blur))
    np.testing.assert_allclose(maps[-1], expected, atol=2e-6)


@given(
    point_sets(),
    st.sampled_from(["disc", "hull", "heatmap", "gazemedseg"]),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=40)
def test_order_does_not_matter_for_kinds_without_a_line(points, kind, random):
    other = list(range(len(points[0])))
    random.shuffle(other)
    params = MapParams(kind=kind, levels=1)
    maps = [
        render_points(*(a[order] for a in points), (H, W), params) for order in (slice(None), other)
    ]
    np.testing.assert_allclose(maps[0], maps[1], atol=2e-6)


@given(
    point_sets(),
    st.sampled_from(["tube", "density", "gaussian", "linear"]),
    st.sampled_from([0.0, 0.5]),
)
@settings(deadline=None, max_examples=80)
def test_the_line_backwards_is_the_same_line(points, kind, exponent):
    params = MapParams(kind=kind, levels=1, duration_exponent=exponent)
    maps = [render_points(*(a[::step] for a in points), (H, W), params) for step in (1, -1)]
    np.testing.assert_allclose(maps[0], maps[1], atol=2e-5)


@pytest.mark.parametrize("kind", ["tube", "density", "gaussian", "linear"])
def test_another_order_is_another_line(kind):
    x, y, d = np.array([4.0, 28.0, 16.0]), np.array([4.0, 4.0, 20.0]), np.full(3, 300.0)
    maps = [
        render_points(x[o], y[o], d[o], (H, W), MapParams(kind=kind))
        for o in (slice(None), [0, 2, 1])
    ]
    assert not np.allclose(maps[0][-1], maps[1][-1], atol=0.01)


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_last_is_the_core_whatever_the_kind(kind):
    x, y, d = np.array([6.0, 26.0]), np.array([6.0, 18.0]), np.full(2, 300.0)
    late, early = (
        render_points(x[o], y[o], d[o], (H, W), MapParams(kind=kind, levels=2))
        for o in ([0, 1], [1, 0])
    )
    assert late[0, 18, 26] > late[0, 6, 6]
    assert early[0, 6, 6] > early[0, 18, 26]


@pytest.mark.parametrize("kind", KINDS)
def test_the_border_of_one_fixation(kind):
    size = 101
    maps = render_points(
        np.array([50.5]), np.array([50.5]), np.array([300.0]), (size, size), MapParams(kind=kind)
    )
    radius = math.sqrt((maps[-1] >= 0.5).sum() / math.pi) / size
    gaussian = 0.05 * math.sqrt(-2 * math.log(0.5))
    expected = {
        "tube": 0.05,
        "disc": 0.05,
        "hull": 0.05,
        "density": 0.05 * math.sqrt(-2 * math.log(0.2)),
        "gaussian": gaussian,
    }
    expected |= {"heatmap": gaussian, "gazemedseg": gaussian, "linear": 0.5 * math.sqrt(0.5)}
    assert radius == pytest.approx(expected[kind], abs=0.01)


def test_longer_fixations_widen_the_tube_when_asked():
    x, y = np.array([16.0, 80.0]), np.array([50.0, 50.0])
    d = np.array([100.0, 900.0])
    params = MapParams(kind="tube", levels=1, duration_exponent=0.5)
    maps = render_points(x, y, d, (100, 100), params)
    assert (maps[0, :, 80] >= 0.5).sum() > (maps[0, :, 16] >= 0.5).sum()


def test_a_saccade_cap_cuts_the_line():
    x, y, d = np.array([5.0, 95.0]), np.array([50.0, 50.0]), np.full(2, 300.0)
    for kind in ("tube", "density", "gaussian"):
        whole = render_points(x, y, d, (100, 100), MapParams(kind=kind))
        cut = render_points(x, y, d, (100, 100), MapParams(kind=kind, max_saccade=0.25))
        assert whole[-1, 50, 50] > cut[-1, 50, 50] + 0.15


@pytest.mark.parametrize("kind", KINDS)
def test_tracks_outside_empty_and_unknown_are_maps_of_zeros(kind):
    params = MapParams(kind=kind)
    outside = Track(
        "r", "", "a", np.array([-50.0, 500]), np.array([5.0, 5]), np.full(2, 300.0), 60.0, 40.0
    )
    assert not render_maps(outside, params).values.any()
    nothing = np.zeros(0)
    assert not render_points(nothing, nothing, nothing, (H, W), params).any()
    lost = np.full(3, np.nan)
    assert not render_points(lost, lost, np.full(3, 200.0), (H, W), params).any()


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_fixations(kind):
    rng = np.random.default_rng(0)
    maps = render_points(
        rng.uniform(0, W, 10_000),
        rng.uniform(0, H, 10_000),
        np.full(10_000, 200.0),
        (H, W),
        MapParams(kind=kind),
    )
    assert np.isfinite(maps).all()


def test_the_size_scales_with_the_image():
    track = Track(
        "r", "", "a", np.array([30.0, 90]), np.array([20.0, 60]), np.full(2, 300.0), 120.0, 80.0
    )
    small = render_maps(track, size=(40, 60)).values
    large = render_maps(track).values
    assert large.shape == (4, 80, 120)
    mean = large.reshape(4, 40, 2, 60, 2).mean((2, 4))
    assert np.abs(mean - small).mean() < 0.02


def test_absurd_sizes_are_refused_before_anything_is_allocated():
    track = Track("r", "", "a", np.ones(1), np.ones(1), np.full(1, 300.0), 10.0, 10.0)
    with pytest.raises(ConfigError, match="1000000 x 1000000"):
        render_maps(track, size=(1_000_000, 1_000_000))


def test_levels_are_named_by_what_they_keep():
    assert level_titles(MapParams(levels=4)) == ["last 25 %", "last 50 %", "last 75 %", "all"]
    assert level_titles(MapParams(levels=2, truncation="head")) == ["first 50 %", "all"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_tracks_whatever_the_threads(kind):
    rng = np.random.default_rng(0)
    tracks = [
        Track(
            "r",
            "",
            str(n),
            rng.uniform(0, 60, n),
            rng.uniform(0, 40, n),
            np.full(n, 300.0),
            60.0,
            40.0,
        )
        for n in (0, 1, 5, 30)
    ]
    params = MapParams(kind=kind)
    batch = render_batch(tracks, (24, 36), params, jobs=3)
    assert batch.shape == (4, 4, 24, 36)
    for track, maps in zip(tracks, batch, strict=True):
        assert (maps == render_maps(track, params, (24, 36)).values).all()
    assert (render_batch(tracks, (24, 36), params) == batch).all()
    assert render_batch([], (24, 36)).shape == (0, 4, 24, 36)


def test_levels_count_towards_the_largest_size(monkeypatch):
    monkeypatch.setattr("gazetrack.maps.render.MAX_PYRAMID_PX", 4 * 30 * 40)
    x = np.array([5.0, 20.0])
    track = Track("r", "", "p.png", x, x, np.full(2, 300.0), 40, 30)
    assert render_maps(track, MapParams(levels=4)).values.shape == (4, 30, 40)
    for render in (lambda p: render_maps(track, p), lambda p: render_batch([track], (30, 40), p)):
        with pytest.raises(ConfigError, match="5 maps of 30 x 40 px"):
            render(MapParams(levels=5))


def test_as_bytes_is_rounding_whatever_the_height():
    values = np.random.default_rng(0).random((2, 600, 3), np.float32)
    np.testing.assert_array_equal(as_uint8(values), np.rint(values * 255).astype(np.uint8))


def track_of(x, y, d, width=W, height=H, **names):
    names = {"recording": "r", "trial": "", "stimulus": "a.png"} | names
    return Track(
        x=np.array(x), y=np.array(y), duration_ms=np.array(d), width=width, height=height, **names
    )


def test_what_is_left_out_is_counted_by_reason():
    track = track_of([1.0, 2, -3, 4, 5, 6, 7], [5.0] * 7, [300.0, 40, 300, 300, 300, 300, 30])
    params = MapParams(drop_first=1)
    assert left_out(track, params) == {
        "shorter than 50 ms": 2,
        "off the image": 1,
        "first of their track": 1,
    }
    assert len(prepare(track, params)) == 3
    assert left_out(track_of([1.0], [2.0], [300.0]), params) == {}


def test_positions_and_durations_that_are_not_known_are_left_out():
    x, y, d = np.arange(3.0, 23, 4), np.arange(2.0, 17, 3), np.full(5, 200.0)
    params = MapParams(kind="tube", levels=2)
    expected = render_points(x, y, d, (H, W), params)
    for which in range(3):
        values = [np.insert(array, 2, 9.0) for array in (x, y, d)]
        values[which][2] = np.nan
        np.testing.assert_array_equal(render_points(*values, (H, W), params), expected)


def test_the_largest_sizes_are_allowed_and_the_next_ones_not(monkeypatch):
    monkeypatch.setattr("gazetrack.maps.render.MAX_IMAGE_PX", 12)
    monkeypatch.setattr("gazetrack.maps.render.MAX_PYRAMID_PX", 24)
    for height, width, levels in ((1, 1, 1), (1, 12, 1), (3, 4, 2), (2, 6, 1)):
        check_size(height, width, levels)
    for size in ((0, 3), (3, 0), (1, 13), (-2, -3), (3, 4, 3)):
        with pytest.raises(ConfigError, match=r"maps of"):
            check_size(*size)


def test_a_batch_of_a_size_that_is_not_possible_is_refused():
    with pytest.raises(ConfigError, match="maps of 0 x 5 px"):
        render_batch([], (0, 5))
    with pytest.raises(ConfigError, match="maps of 0 x 5 px"):
        render_points(np.ones(1), np.ones(1), np.ones(1), (0, 5), MapParams())


def test_the_size_is_the_images_own_in_whole_pixels():
    track = track_of([3.0, 9.0], [3.0, 9.0], [300.0, 300.0], width=31.6, height=24.4)
    maps = render_maps(track, MapParams(levels=3))
    assert maps.values.shape == (3, 24, 32)
    assert (maps.track.width, maps.track.height) == (32, 24)
    assert maps.track.x.tolist() == pytest.approx([3 * 32 / 31.6, 9 * 32 / 31.6])
    assert repr(maps) == "<TrackMaps of 'a.png' from 2 fixations: 3 density levels, 24 x 32>"


def test_a_card_tells_the_size_and_how_much_is_above_the_border():
    values = np.zeros((2, 4, 10), np.float32)
    values[1].flat[:9] = 0.5  # which is on the border, and counts
    values[0] = 1
    maps = TrackMaps(track_of([3.0], [3.0], [300.0]), MapParams(levels=2), values)
    html = maps._repr_html_()
    for fact in ("4 x 10 px", "22.5 % of the last level", "2: last 50 %, all", "a.png"):
        assert fact in html, fact


def test_pooled_tracks_have_each_name_once():
    params = MapParams(levels=1)
    names = [("r1", "p", "t", 1.0), ("r2", "p", "", 2.0), ("r1", "", "t", 3.0)]
    maps = [
        render_maps(
            track_of([x, x], [y, y], [300.0, 60 + x], recording=r, participant=p, trial=t), params
        )
        for (r, p, t, x), y in zip(names, (4.0, 5, 6), strict=True)
    ]
    whole = pool(maps).track
    assert (whole.recording, whole.participant, whole.trial) == ("r1, r2", "p", "t")
    assert whole.x.tolist() == [1, 1, 2, 2, 3, 3]
    assert whole.y.tolist() == [4, 4, 5, 5, 6, 6]
    assert whole.duration_ms.tolist() == [300, 61, 300, 62, 300, 63]
    mean = np.mean([one.values for one in maps], axis=0)
    np.testing.assert_allclose(pool(maps).values, mean, atol=1e-6)


def test_titles_of_all_truncations():
    for truncation, word in (("random", "random"), ("shuffled", "shuffled"), ("tail", "last")):
        params = MapParams(levels=3, truncation=truncation)
        assert level_titles(params) == [f"{word} 33.3 %", f"{word} 66.7 %", "all"]
    assert level_titles(MapParams(levels=2, truncation="none")) == ["all", "all"]


def test_one_observer_alone_is_pooled_as_well():
    one = render_maps(track_of([5.0, 9.0], [5.0, 9.0], [300.0, 300.0]))
    whole = pool([one])
    np.testing.assert_array_equal(whole.values, one.values)
    assert whole.params is one.params
    assert whole.track.x.tolist() == [5, 9]


def test_what_is_no_track_or_no_parameters_is_refused_by_name():
    track = track_of([5.0], [5.0], [300.0])
    with pytest.raises(ConfigError, match="the track is of type str") as refused:
        render_maps("raw.fixations.parquet")
    assert "gazetrack.tracks" in refused.value.hint
    with pytest.raises(ConfigError, match="params is of type str"):
        render_maps(track, "hull")
    for jobs in (1, 2):  # what a thread raises is raised to whoever asked for the maps
        with pytest.raises(ConfigError, match="the track is of type str"):
            render_batch([track, "raw.fixations.parquet"], (H, W), jobs=jobs)


@pytest.mark.parametrize(("away", "is_joined"), [(4.0, True), (4.01, False)])
def test_a_saccade_as_long_as_the_longest_is_part_of_the_line(away, is_joined):
    params = MapParams(kind="tube", levels=1, max_saccade=0.25)
    x, y, d = np.array([5.0, 5.0 + away]), np.array([8.0, 8.0]), np.full(2, 300.0)
    maps = render_points(x, y, d, (16, 16), params)
    kind = "tube" if is_joined else "disc"
    anyhow = MapParams(kind=kind, levels=1)
    np.testing.assert_array_equal(maps, render_points(x, y, d, (16, 16), anyhow))
