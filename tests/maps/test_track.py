"""Tracks, cleaning and reverse truncation."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.maps.parameters import TRUNCATIONS
from gazetrack.maps.track import Track, build_tracks, clean, cleaned_out, level_members, track_names
from gazetrack.tables.schema import FIXATIONS, conform

durations = st.lists(st.floats(50, 2000), max_size=40).map(np.array)
RATIOS = (0.25, 0.5, 0.75, 1.0)


def fixations(**columns):
    n = len(columns["x_px"])
    defaults = {
        "recording": "r",
        "stimulus": "a.jpg",
        "eye": "right",
        "index": range(1, n + 1),
        "onset_ms": np.arange(n) * 300.0,
        "duration_ms": np.full(n, 250.0),
        "y_px": np.full(n, 50.0),
        "image_width_px": 100,
        "image_height_px": 80,
    }
    return conform(defaults | columns, FIXATIONS)


def track(x, y=None, d=None):
    n = len(x)
    return Track(
        "r",
        "",
        "a",
        np.asarray(x, float),
        np.full(n, 40.0) if y is None else np.asarray(y, float),
        np.full(n, 250.0) if d is None else np.asarray(d, float),
        100.0,
        80.0,
    )


def test_rows_are_ordered_by_onset_whatever_the_holes_in_the_index():
    table = fixations(x_px=[3.0, 1.0, 2.0], onset_ms=[900.0, 10.0, 400.0], index=[7, 2, 5])
    assert build_tracks(table)[0].x.tolist() == [1, 2, 3]


def test_one_eye_is_chosen_where_a_trial_has_both():
    table = fixations(
        x_px=[1.0, 2.0, 3.0, 4.0, 5.0], eye=["left", "right", "left", "right", "left"]
    )
    assert [t.x.tolist() for t in build_tracks(table)] == [[1, 3, 5]]
    assert [t.x.tolist() for t in build_tracks(table, eye="right")] == [[2, 4]]
    with pytest.raises(ConfigError, match=r"eye 'middle'.*use one of auto, left, right, both"):
        build_tracks(table, eye="middle")


def test_no_track_holds_the_fixations_of_two_eyes_in_turn():
    table = fixations(
        x_px=[1.0, 2.0, 3.0, 4.0, 5.0], eye=["left", "right", "left", "right", "left"]
    )
    tracks = build_tracks(table, eye="both")
    assert [(t.eye, t.x.tolist()) for t in tracks] == [("left", [1, 3, 5]), ("right", [2, 4])]
    assert track_names(tracks) == ["a.r.left", "a.r.right"]


def test_the_eye_of_a_track_is_that_of_its_recording():
    # The left eye has more fixations of a.jpg, the right one more time in the recording: one eye
    # for both images.
    table = fixations(
        x_px=[1.0, 2.0, 3.0, 4.0, 5.0],
        eye=["left", "left", "right", "right", "left"],
        stimulus=["a.jpg", "a.jpg", "a.jpg", "b.jpg", "b.jpg"],
        duration_ms=[100.0, 100.0, 180.0, 900.0, 300.0],
    )
    assert [(t.stimulus, t.x.tolist()) for t in build_tracks(table)] == [
        ("a.jpg", [3]),
        ("b.jpg", [4]),
    ]


def test_observers_and_stimuli_are_kept_apart():
    table = fixations(x_px=[1.0, 2.0, 3.0], recording=["r1", "r2", "r1"], stimulus=["a", "a", "b"])
    assert [(t.recording, t.stimulus, len(t)) for t in build_tracks(table)] == [
        ("r1", "a", 1),
        ("r2", "a", 1),
        ("r1", "b", 1),
    ]


def test_unknown_image_sizes_are_counted_and_named():
    with pytest.raises(SchemaError, match=r"3 fixations, first on stimulus 'a.jpg'.*--images"):
        build_tracks(fixations(x_px=[1.0, 2.0, 3.0], image_width_px=np.nan))


def test_clean_drops_short_off_image_and_the_first():
    dirty = track([-1, 10, 20, 30, 100, 40, 50], d=[300, 300, 20, 300, 300, 300, 300])
    assert clean(dirty).x.tolist() == [30, 40, 50]
    assert clean(dirty, drop_first=0).x.tolist() == [10, 30, 40, 50]


def test_a_short_track_keeps_its_first_fixation():
    assert clean(track([10, 20, 30])).x.tolist() == [10, 20, 30]


def test_a_fixation_of_exactly_the_least_duration_stays():
    d = np.array([49.999, 50.0, 50.001])
    assert clean(track([10, 20, 30], d=d), min_duration_ms=50.0).x.tolist() == [20, 30]


def test_what_cleaning_drops_has_one_reason_each():
    dirty = track([10, -5, 30, 40, 120, 50, 60], d=np.array([40.0, 40, 250, 250, 250, 250, 250]))
    found = cleaned_out(dirty, drop_first=2)
    assert {reason: np.flatnonzero(which).tolist() for reason, which in found.items()} == {
        "shorter than 50 ms": [0, 1],  # the second is off the image, too
        "off the image": [4],
        "first 2 of their track": [2, 3],
    }
    assert clean(dirty, drop_first=2).x.tolist() == [50, 60]


@given(
    durations, st.sampled_from(TRUNCATIONS), st.sampled_from(["count", "time"]), st.integers(0, 3)
)
def test_levels_are_nested_and_end_with_the_whole_track(d, truncation, by, seed):
    levels = [
        set(m.tolist()) for m in level_members(d, RATIOS, truncation=truncation, by=by, seed=seed)
    ]
    assert all(small <= large for small, large in pairwise(levels))
    assert levels[-1] == set(range(len(d)))


@given(durations, st.sampled_from(["count", "time"]))
def test_tail_is_a_suffix_and_head_a_prefix(d, by):
    n = len(d)
    for m in level_members(d, RATIOS, truncation="tail", by=by):
        assert m.tolist() == list(range(n - len(m), n))
    for m in level_members(d, RATIOS, truncation="head", by=by):
        assert m.tolist() == list(range(len(m)))


def test_ratios_round_up_and_time_is_accumulated():
    assert [len(m) for m in level_members(np.full(10, 1.0), (0.3, 0.31, 1.0))] == [3, 4, 10]
    assert [
        len(m) for m in level_members(np.array([100.0, 100, 800]), (0.5, 0.85, 1.0), by="time")
    ] == [1, 2, 3]


@pytest.mark.parametrize("ratios", [(), (0.5, 0.25), (0.0, 1.0), (0.5, 1.5)])
def test_bad_ratios_are_refused(ratios):
    with pytest.raises(ConfigError, match="ratios"):
        level_members(np.ones(3), ratios)


def test_participants_are_kept_apart():
    tracks = build_tracks(fixations(x_px=[1.0, 2.0, 3.0], participant=["p1", "p2", "p1"]))
    assert [(t.participant, t.x.tolist()) for t in tracks] == [("p1", [1, 3]), ("p2", [2])]
    assert track_names(tracks) == ["a.r.p1", "a.r.p2"]


def test_an_image_that_comes_back_is_a_track_per_showing():
    tracks = build_tracks(
        fixations(x_px=[1.0, 2.0, 3.0, 4.0], stimulus=["a", "a", "b", "a"], trial="1")
    )
    assert [(t.stimulus, t.trial, t.x.tolist()) for t in tracks] == [
        ("a", "1", [1, 2]),
        ("b", "1", [3]),
        ("a", "1#2", [4]),
    ]


def test_where_each_image_has_its_own_clock_the_order_of_rows_says_nothing():
    table = fixations(x_px=[1.0, 3.0, 2.0], stimulus=["a", "b", "a"], onset_ms=[100.0, 0.0, 200.0])
    assert [(t.stimulus, t.x.tolist()) for t in build_tracks(table)] == [("a", [1, 2]), ("b", [3])]


def test_an_image_of_two_sizes_is_refused():
    with pytest.raises(
        SchemaError, match=r"'a\.jpg' has 2 sizes in one trial: 100 x 80 px and 50 x 80 px"
    ):
        build_tracks(fixations(x_px=[1.0, 2.0], image_width_px=[100, 50]))


def test_fixations_without_a_time_are_in_no_track():
    table = fixations(
        x_px=[1.0, 2.0, 3.0], onset_ms=[np.nan, 0.0, 5.0], duration_ms=[200.0, 200.0, np.nan]
    )
    assert build_tracks(table)[0].x.tolist() == [2]


def test_equal_names_are_numbered():
    one = track([1.0])
    assert track_names([one, one, one]) == ["a.r", "a.r.2", "a.r.3"]


def test_a_track_says_what_it_is():
    one = track([1.0, 2.0], d=[1500, 500])
    assert repr(one) == "<Track on 'a' (100 x 80 px): 2 fixations>"
    assert repr(replace(one, participant="p")) == "<Track on 'a' (100 x 80 px) by 'p': 2 fixations>"
    html = replace(one, participant="p", eye="left")._repr_html_()
    for fact in ("Track on a", "100 x 80 px", "2 s", "left"):
        assert fact in html, fact


def test_a_resized_image_moves_either_axis_by_its_own_scale():
    found = track([10, 50], [8, 40]).scaled(50, 160)
    assert (found.x.tolist(), found.y.tolist()) == ([5, 25], [16, 80])
    assert (found.width, found.height) == (50, 160)


def test_fixations_of_one_onset_are_in_the_order_of_their_index():
    table = fixations(x_px=[3.0, 1.0, 2.0], onset_ms=[5.0, 5.0, 5.0], index=[3, 1, 2])
    assert build_tracks(table)[0].x.tolist() == [1, 2, 3]


def test_the_smallest_and_the_largest_image_and_none_beyond(monkeypatch):
    monkeypatch.setattr("gazetrack.maps.track.MAX_IMAGE_PX", 12)
    for width, height in ((1, 1), (3, 4), (12, 1), (1, 12)):
        (one,) = build_tracks(
            fixations(x_px=[0.5], y_px=[0.5], image_width_px=width, image_height_px=height)
        )
        assert (one.width, one.height) == (width, height)
    for width, height in ((0, 4), (4, 0), (13, 1), (1, 13)):
        with pytest.raises(SchemaError, match=f"an image of {width} x {height} px"):
            build_tracks(
                fixations(x_px=[0.5], y_px=[0.5], image_width_px=width, image_height_px=height)
            )


def test_either_size_of_an_image_may_be_unknown():
    for name in ("image_width_px", "image_height_px"):
        with pytest.raises(SchemaError, match=r"not known for 1 fixations, first on stimulus 'b'"):
            build_tracks(fixations(x_px=[1.0, 2.0], stimulus=["a", "b"], **{name: [90, np.nan]}))
    with pytest.raises(SchemaError, match=r"2 sizes in one trial: 100 x 80 px and 100 x 70 px"):
        build_tracks(fixations(x_px=[1.0, 2.0], image_height_px=[80, 70]))


def test_the_edges_of_an_image_are_in_it_where_its_pixels_begin():
    for x, y, is_in in ((0, 0, True), (100, 5, False), (5, 80, False), (99.9, 79.9, True)):
        assert len(clean(track([x], [y]))) == is_in
    for x, y in ((-0.1, 5), (5, -0.1)):
        assert len(clean(track([x], [y]))) == 0


def test_showings_are_counted_by_image_trial_and_eye():
    stimulus = ["a", "b", "a", "b", "a", "b", "a"]
    trial = ["1", "1", "1", "1", "1", "2", "2"]
    tracks = build_tracks(fixations(x_px=np.arange(1.0, 8), stimulus=stimulus, trial=trial))
    assert [(t.stimulus, t.trial, t.x.tolist()) for t in tracks] == [
        ("a", "1", [1]),
        ("b", "1", [2]),
        ("a", "1#2", [3]),
        ("b", "1#2", [4]),
        ("a", "1#3", [5]),
        ("b", "2", [6]),
        ("a", "2", [7]),
    ]


def test_tracks_are_in_the_order_of_their_rows_whatever_the_names_are():
    table = fixations(x_px=[1.0, 2.0, 3.0], recording=["z", "a", "m"]).take([2, 0])
    assert [(t.recording, t.x.tolist()) for t in build_tracks(table)] == [("m", [3]), ("z", [1])]
    both = build_tracks(table, eye="both")
    assert [(t.recording, t.eye) for t in both] == [("m", "right"), ("z", "right")]


@pytest.mark.parametrize(
    ("d", "ratio", "n"),
    [
        ([100, 100, 800], 0.8, 1),
        ([100, 100, 800], 0.80001, 2),
        ([100, 100, 800], 0.9, 2),
        ([0.1] * 10, 0.3, 3),
        ([0, 0, 0, 0], 0.5, 2),
        ([500, 0, 0], 0.01, 3),
        ([5, 1], 1.0, 2),
        ([0, 7, 0], 1.0, 3),
    ],
)
def test_a_share_of_the_time_is_the_fewest_fixations_that_last_so_long(d, ratio, n):
    kept, _ = level_members(np.array(d, float), (ratio, 1.0), by="time")
    assert len(kept) == n


@pytest.mark.parametrize(
    ("n", "ratio", "kept"), [(10, 0.3, 3), (10, 0.301, 4), (3, 0.01, 1), (0, 0.5, 0)]
)
def test_a_share_of_fixations_is_rounded_up_to_one_at_least(n, ratio, kept):
    assert len(level_members(np.ones(n), (ratio, 1.0))[0]) == kept


def test_a_random_choice_depends_on_the_seed_and_on_durations_and_is_in_the_order_of_time():
    d = np.arange(100.0, 140)
    choices = {}
    for truncation in ("random", "shuffled"):
        for seed in (0, 1):
            few, whole = level_members(d, (0.3, 1.0), truncation=truncation, seed=seed)
            choices[truncation, seed] = few.tolist()
            assert sorted(few.tolist()) == few.tolist() or truncation == "shuffled"
            assert (np.sort(whole) == np.arange(40)).all()
            assert (whole.tolist() == list(range(40))) == (truncation == "random")
            again = level_members(d, (0.3, 1.0), truncation=truncation, seed=seed)
            assert again[0].tolist() == few.tolist()
        assert choices[truncation, 0] != choices[truncation, 1]
        others = level_members(d + 1, (0.3, 1.0), truncation=truncation)[0].tolist()
        assert others != choices[truncation, 0]
    assert sorted(choices["shuffled", 0]) == choices["random", 0]
    for kept in level_members(d, (0.3, 1.0), truncation="none"):
        assert kept.tolist() == list(range(40))


def test_fixations_of_one_onset_are_on_one_clock():
    table = fixations(
        x_px=[1.0, 2.0, 3.0], stimulus=["a", "b", "a"], onset_ms=[5.0, 5.0, 9.0], trial="1"
    )
    found = [(t.stimulus, t.trial, t.x.tolist()) for t in build_tracks(table)]
    assert found == [("a", "1", [1]), ("b", "1", [2]), ("a", "1#2", [3])]


def test_of_many_sizes_two_are_named():
    with pytest.raises(
        SchemaError, match=r"has 3 sizes in one trial: 100 x 80 px and 50 x 80 px - "
    ):
        build_tracks(fixations(x_px=[1.0, 2.0, 3.0], image_width_px=[100, 50, 60]))
