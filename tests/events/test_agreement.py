"""Agreement of codings: worked vectors, human coders, and invariants."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.events.agreement import Intervals, event_agreement, intervals_of, kappa, match

labels = st.lists(st.booleans(), max_size=60).map(lambda values: np.array(values, bool))


def test_kappa_of_known_tables():
    # 20 yes-yes, 15 no-no, 5 and 10 apart: observed .7, chance .5
    a = np.repeat([True, True, False, False], [20, 5, 10, 15])
    b = np.repeat([True, False, True, False], [20, 5, 10, 15])
    assert kappa(a, b) == pytest.approx(0.4)
    assert kappa(a, a) == 1.0
    assert kappa(np.ones(5, bool), np.ones(5, bool)) == 1.0
    assert np.isnan(kappa(np.zeros(0, bool), np.zeros(0, bool)))


@given(labels, labels)
def test_agreement_is_symmetric_and_bounded(a, b):
    n = min(len(a), len(b))
    one, two = intervals_of(a[:n]), intervals_of(b[:n])
    for iou in (0.0, 0.5):
        there, back = event_agreement(one, two, iou), event_agreement(two, one, iou)
        assert there.f1 == back.f1
        assert 0 <= there.f1 <= 1
    assert event_agreement(one, one).f1 == event_agreement(one, one, 1.0).f1 == 1.0


@given(labels, labels)
def test_pairs_are_one_to_one_and_overlap(a, b):
    one, two = intervals_of(a), intervals_of(b)
    pairs = match(one, two)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(min(one.ends[i], two.ends[j]) > max(one.starts[i], two.starts[j]) for i, j in pairs)


def test_a_split_fixation_matches_its_larger_half():
    whole, halves = (
        Intervals(np.array([0.0]), np.array([10.0])),
        Intervals(np.array([0.0, 4.0]), np.array([3.0, 10.0])),
    )
    assert match(whole, halves) == [(0, 1)]
    found = event_agreement(whole, halves)
    assert (found.matched, found.f1, found.onset_error, found.offset_error) == (
        1,
        pytest.approx(2 / 3),
        4.0,
        0.0,
    )
    assert event_agreement(whole, halves, 0.7).matched == 0


def labelled_runs(events):
    """Runs of equal labels; 255 is undefined and counts as 0, as in the vectors."""
    events = np.where(events == 255, 0, events)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(events)) + 1, [len(events)]])
    return Intervals(edges[:-1].astype(float), edges[1:].astype(float)), events[edges[:-1]].tolist()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("key", "min_iou"), [("maximum-overlap", 0.0), ("iou", 1e-9), ("iou/05", 0.5)]
)
def test_the_worked_vectors_of_startsev_and_zemblys(data_dir, key, min_iou):
    folder = data_dir / "eventbench" / "metric_vectors" / "assets"
    name = "majority_voting"
    expected = json.loads(
        (folder / name / "unittests" / f"{name}_test" / f"{name}.json").read_text()
    )
    one, ours = labelled_runs(pd.read_csv(folder / name / f"{name}.csv")["evt"].to_numpy())
    two, theirs = labelled_runs(
        pd.read_csv(folder / f"{name}_test" / f"{name}.csv")["evt"].to_numpy()
    )
    pairs = match(one, two, min_iou)
    matched = [(ours[i], theirs[j]) for i, j in pairs]
    missed = [(label, -1) for i, label in enumerate(ours) if i not in {i for i, _ in pairs}]
    invented = [(-1, label) for j, label in enumerate(theirs) if j not in {j for _, j in pairs}]
    table = expected[key]["multiclass"]
    assert [*matched, *missed, *invented] == list(zip(table["gt"], table["pr"], strict=True))


def test_kappa_counts_samples_by_their_weight():
    a = np.array([True, True, False, False])
    b = np.array([True, False, True, False])
    # The same as twenty, five, ten and fifteen samples of one weight each.
    assert kappa(a, b, np.array([20.0, 5, 10, 15])) == pytest.approx(0.4)
    assert kappa(a, b, np.array([2.0, 0.5, 1, 1.5])) == pytest.approx(0.4)
    assert kappa(a, ~a) == -1.0
    # Unlike shares: observed .6, chance .8 x .4 + .2 x .6 = .44
    a = np.repeat([True, True, False], [4, 4, 2])
    b = np.repeat([True, False, False], [4, 4, 2])
    assert kappa(a, b) == pytest.approx((0.6 - 0.44) / 0.56)


events = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=8)


def coded(pauses_and_lengths):
    edges = np.cumsum(np.array(pauses_and_lengths, float).reshape(-1))
    return Intervals(edges[::2], edges[1::2])


def greedy(one, two, min_iou):
    """Take the best of all pairs that are left, again and again; of equals the earliest."""
    pairs = []
    for i, (a, b) in enumerate(zip(*one, strict=True)):
        for j, (c, d) in enumerate(zip(*two, strict=True)):
            shared = min(b, d) - max(a, c)
            share = shared / (max(b, d) - min(a, c))
            if shared > 0 and (min_iou == 0 or share >= min_iou):
                pairs.append((-(share if min_iou else shared), i, j))
    chosen = []
    for _, i, j in sorted(pairs):
        if all(i != k and j != m for k, m in chosen):
            chosen.append((i, j))
    return sorted(chosen)


@given(events, events, st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_pairs_are_the_best_of_those_that_are_left(a, b, min_iou):
    one, two = coded(a), coded(b)
    pairs = greedy(one, two, min_iou)
    assert match(one, two, min_iou) == pairs
    found = event_agreement(one, two, min_iou)
    assert (found.matched, found.reference, found.other) == (len(pairs), len(a), len(b))
    onsets = [abs(one.starts[i] - two.starts[j]) for i, j in pairs]
    offsets = [abs(one.ends[i] - two.ends[j]) for i, j in pairs]
    assert found.onset_error == pytest.approx(np.mean(onsets) if pairs else np.nan, nan_ok=True)
    assert found.offset_error == pytest.approx(np.mean(offsets) if pairs else np.nan, nan_ok=True)
    assert found.f1 == (2 * len(pairs) / (len(a) + len(b)) if a or b else 1)


def test_runs_are_intervals_in_samples():
    found = intervals_of(np.array([False, True, True, False, True]))
    assert (found.starts.tolist(), found.ends.tolist()) == ([1, 4], [3, 5])
    assert found.starts.dtype == np.float64


def test_what_takes_no_time_overlaps_with_nothing():
    instant = Intervals(np.array([5.0]), np.array([5.0]))
    assert match(instant, Intervals(np.array([0.0]), np.array([10.0]))) == []


def test_without_a_least_share_the_longest_time_in_common_counts():
    one = Intervals(np.array([0.0]), np.array([100.0]))
    # The first has 60 of 1100 ms in common with it, the second 35 of 100.
    two = Intervals(np.array([-1000.0, 65.0]), np.array([60.0, 100.0]))
    assert match(one, two) == [(0, 0)]
    assert match(one, two, 0.05) == [(0, 1)]
