"""Measures of looks at areas, against a slow oracle and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.measures.dwell import aoi_measures
from gazetrack.measures.hits import Margin, find_hits
from gazetrack.measures.trials import trials_of
from gazetrack.tables.schema import AOI_MEASURES, FIXATIONS
from tests.aoi_tables import NAN, area, areas, box, halves, slow_measures, table


def measured(fixations, aois, meta=None, stated=None, margin_px=0.0, **options):
    trials = trials_of(fixations, meta or {}, stated)
    found = aoi_measures(trials, find_hits(trials, aois, Margin(px=margin_px)), **options)
    assert found.schema.names == AOI_MEASURES.names
    return found.to_pandas()


def test_a_trial_told_by_hand():
    # left, left, right, left: 0-100, 200-300, 400-500 and 600-700 ms.
    found = measured(table([10, 20, 60, 30], [5] * 4), halves())
    left, right = found.to_dict("records")
    assert (left["aoi"], right["aoi"]) == ("left", "right")
    wanted = {
        "dwell_ms": 300,
        "dwell_share_of_fixation_time": 0.75,
        "dwell_share_of_trial": pytest.approx(3 / 7),
        "fixations": 3,
        "fixation_share": 0.75,
        "mean_fixation_ms": 100,
        "visits": 2,
        "entries": 1,
        "revisits": 1,
        "time_to_first_fixation_ms": 0,
        "censored": False,
        "observed_ms": 0,
        "first_fixation_ms": 100,
        "first_fixation_number": 1,
        "first_visit_ms": 200,
        "first_visit_fixations": 2,
        "first_entry_ms": 0,
        "first_exit_ms": 300,
        "last_entry_ms": 600,
        "last_exit_ms": 700,
        "available_ms": 700,
        "area_share": 0.5,
        "window": "fixations",
        "trial_ms": 700,
        "trial_fixations": 4,
        "trial_fixation_ms": 400,
    }
    assert {name: left[name] for name in wanted} == wanted
    assert (right["visits"], right["entries"], right["revisits"]) == (1, 1, 0)
    assert right["time_to_first_fixation_ms"] == 400


def test_an_area_that_nobody_looked_at_is_a_row_and_censored():
    (row,) = measured(table([10], [5]), areas(area("far", box(90, 90, 99, 99)))).to_dict("records")
    assert row["dwell_ms"] == row["fixations"] == row["visits"] == 0
    assert row["dwell_share_of_fixation_time"] == 0
    assert math.isnan(row["time_to_first_fixation_ms"])
    assert math.isnan(row["first_fixation_ms"])
    assert (row["censored"], row["observed_ms"]) == (True, 100)


def test_a_trial_without_usable_gaze_is_a_row():
    found = measured(table([NAN, NAN], [1, 2]), halves())
    assert found["fixations"].tolist() == [0, 0]
    assert found["trial_fixations"].tolist() == [0, 0]
    assert found["censored"].all()
    assert found[["trial_ms", "dwell_share_of_fixation_time"]].isna().all(axis=None)
    assert found["observed_ms"].tolist() == [0, 0]  # nobody knows for how long
    trials = pd.DataFrame({"stimulus": ["cat"], "start_ms": [0.0], "end_ms": [700.0]})
    unseen = trials_of(FIXATIONS.empty_table(), {}, trials)
    stated = aoi_measures(unseen, find_hits(unseen, halves())).to_pandas()
    assert stated["observed_ms"].tolist() == [700, 700]


def test_an_area_that_was_never_seen_is_waited_for_until_it_has_gone():
    brief = area("brief", box(90, 90, 99, 99), onset_ms=100, offset_ms=150)
    late = area("late", box(90, 90, 99, 99), onset_ms=500, offset_ms=5000)
    found = measured(table([10] * 4, [5] * 4), areas(brief, late))
    assert found["censored"].all()
    assert found["observed_ms"].tolist() == [50, 200]


def test_one_fixation_and_none():
    one = measured(table([10], [5]), halves())
    assert one["visits"].tolist() == [1, 0]
    assert len(measured(FIXATIONS.empty_table(), halves())) == 0


def test_a_longest_gap_ends_a_visit():
    fixations = table([10, 20, 30], [5] * 3, onset=[0, 150, 900])
    assert measured(fixations, halves())["visits"].tolist() == [1, 0]
    assert measured(fixations, halves(), max_gap_ms=100)["visits"].tolist() == [2, 0]
    assert measured(fixations, halves(), max_gap_ms=50)["visits"].tolist() == [2, 0]
    assert measured(fixations, halves(), max_gap_ms=49)["visits"].tolist() == [3, 0]


def test_the_time_to_an_area_that_appears_later_is_from_its_onset():
    late = areas(area("a", box(0, 0, 50, 100), onset_ms=300, offset_ms=2000))
    row = measured(table([10, 60, 10], [5] * 3), late).iloc[0]
    assert row["time_to_first_fixation_ms"] == 100  # the third begins at 400
    assert (row["first_entry_ms"], row["available_ms"], row["fixations"]) == (400, 200, 1)
    gone = areas(area("a", box(0, 0, 50, 100), onset_ms=9000, offset_ms=9999))
    row = measured(table([10, 60, 10], [5] * 3), gone).iloc[0]
    assert (row["censored"], row["observed_ms"], row["available_ms"]) == (True, 0, 0)


coordinates = st.integers(0, 99)
durations = st.integers(1, 400)
gaps = st.integers(0, 300)
scanpaths = st.lists(st.tuples(coordinates, coordinates, durations, gaps), min_size=1, max_size=25)


def columns(path):
    x, y, duration, gap = np.array(path, float).T
    onset = np.cumsum(duration + gap) - duration
    return x, y, onset, duration


@settings(deadline=None, max_examples=40)
@given(st.lists(scanpaths, min_size=1, max_size=4), st.sampled_from([math.inf, 100.0]))
def test_the_measures_are_those_of_the_oracle(trials, max_gap_ms):
    parts = [columns(path) for path in trials]
    x, y, onset, duration = (np.concatenate(each) for each in zip(*parts, strict=True))
    names = np.concatenate(
        [np.array([f"t{k}"] * len(path), object) for k, path in enumerate(trials)]
    )
    shapes = {"wide": box(0, 0, 70, 60), "small": box(40, 20, 60, 90)}
    found = measured(
        table(x, y, onset, duration, trial=names),
        areas(*(area(name, shape) for name, shape in shapes.items())),
        max_gap_ms=max_gap_ms,
    )
    assert len(found) == len(trials) * 2
    for row in found.to_dict("records"):
        own_x, own_y, own_onset, own_duration = parts[int(row["trial"][1:])]
        left, top, right, bottom = shapes[row["aoi"]].bounds
        inside = [
            left <= a < right and top <= b < bottom for a, b in zip(own_x, own_y, strict=True)
        ]
        begin = own_onset - own_onset[0]
        window = begin[-1] + own_duration[-1]
        spans = list(zip(begin, begin + own_duration, strict=True))
        wanted = slow_measures(spans, inside, window, max_gap_ms)
        assert {name: row[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)


@settings(deadline=None, max_examples=15)
@given(scanpaths)
def test_the_dwell_in_areas_without_gaps_and_overlaps_is_all_there_is(path):
    quarters = [area(f"{x} {y}", box(x, y, x + 50, y + 50)) for x in (0, 50) for y in (0, 50)]
    found = measured(table(*columns(path)), areas(*quarters))
    assert found["dwell_ms"].sum() == pytest.approx(found["trial_fixation_ms"].iloc[0])
    assert found["fixation_share"].sum() == pytest.approx(1)


@settings(deadline=None, max_examples=15)
@given(scanpaths, st.integers(0, 50), st.integers(0, 50))
def test_gaze_and_areas_moved_together_measure_the_same(path, right, down):
    x, y, onset, duration = columns(path)
    still = measured(table(x, y, onset, duration), areas(area("a", box(20, 30, 60, 70))))
    moved = measured(
        table(x + right, y + down, onset, duration),
        areas(area("a", box(20 + right, 30 + down, 60 + right, 70 + down))),
    )
    assert still.drop(columns="area_share").equals(moved.drop(columns="area_share"))


@settings(deadline=None, max_examples=15)
@given(scanpaths)
def test_a_larger_margin_never_makes_dwell_less(path):
    one = areas(area("a", box(40, 40, 60, 60)))
    dwell = [
        measured(table(*columns(path)), one, margin_px=margin)["dwell_ms"].iloc[0]
        for margin in (0, 3, 20)
    ]
    assert dwell == sorted(dwell)


def test_fixations_that_overlap_keep_their_lengths_and_share_more_than_the_trial():
    # 0-100 and 80-180 ms: 200 ms of dwell in a trial of 180.
    looks = table([10, 10], [5, 5], [0, 80], [100, 100])
    trials = trials_of(looks, {})
    assert "dwell times count such moments twice" in trials.notes[0]
    left = measured(looks, halves()).iloc[0]
    assert (left["dwell_ms"], left["trial_ms"]) == (200, 180)
    assert left["dwell_share_of_trial"] == pytest.approx(200 / 180)
