"""Tracks, cleaning and reverse truncation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, SchemaError
from gazetrack.schema import FIXATIONS, conform
from gazetrack.track import TRUNCATIONS, Track, build_tracks, clean, level_members

durations = st.lists(st.floats(50, 2000), max_size=40).map(np.array)
RATIOS = (0.25, 0.5, 0.75, 1.0)


def fixations(**columns):
    n = len(columns["x_px"])
    defaults = {
        "recording": "r", "stimulus": "a.jpg", "eye": "right", "index": range(1, n + 1),
        "onset_ms": np.arange(n) * 300.0,
        "duration_ms": np.full(n, 250.0), "y_px": np.full(n, 50.0), "image_width_px": 100, "image_height_px": 80,
    }  # fmt: skip
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
    table = fixations(x_px=[1.0, 2.0, 3.0, 4.0, 5.0], eye=["left", "right", "left", "right", "left"])
    assert build_tracks(table)[0].x.tolist() == [1, 3, 5]
    assert build_tracks(table, eye="right")[0].x.tolist() == [2, 4]
    assert len(build_tracks(table, eye="both")[0]) == 5


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


@given(durations, st.sampled_from(TRUNCATIONS), st.sampled_from(["count", "time"]), st.integers(0, 3))
def test_levels_are_nested_and_end_with_the_whole_track(d, truncation, by, seed):
    levels = [set(m.tolist()) for m in level_members(d, RATIOS, truncation=truncation, by=by, seed=seed)]
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
    assert [len(m) for m in level_members(np.array([100.0, 100, 800]), (0.5, 0.85, 1.0), by="time")] == [1, 2, 3]


@pytest.mark.parametrize("ratios", [(), (0.5, 0.25), (0.0, 1.0), (0.5, 1.5)])
def test_bad_ratios_are_refused(ratios):
    with pytest.raises(ConfigError, match="ratios"):
        level_members(np.ones(3), ratios)
