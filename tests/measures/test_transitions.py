"""Transitions between areas, and the entropies of chains that are known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.measures.hits import find_hits
from gazetrack.measures.transitions import counted, states, stationary, transitions
from gazetrack.measures.trials import trials_of
from tests.aoi_tables import area, areas, box, halves, table


def found(fixations, aois):
    trials = trials_of(fixations, {})
    hits = find_hits(trials, aois)
    return tuple(one.to_pandas() for one in transitions(trials, hits))


def quarters(sequence):
    """Fixations in a quarter of the image each: 0 and 1 above, 2 below left; 3 is outside."""
    places = np.array([(10, 10), (60, 10), (10, 60), (60, 60)])[list(sequence)]
    return table(*places.T)


THREE = areas(
    area("a", box(0, 0, 50, 50)), area("b", box(50, 0, 100, 50)), area("c", box(0, 50, 50, 100))
)


def test_transitions_told_by_hand():
    steps, entropy = found(quarters([0, 0, 1, 3, 0, 1]), THREE)
    without = steps[steps["states"] == "aois"]  # a a b a b
    wanted = [["a", "a", 1, 1 / 3], ["a", "b", 2, 2 / 3], ["b", "a", 1, 1]]
    names = ["from_aoi", "to_aoi", "transitions", "probability"]
    assert without[names].values.tolist() == wanted
    with_outside = steps[steps["states"] == "aois+outside"]
    assert with_outside[names].values.tolist() == [
        *wanted[:2],
        ["b", "(outside)", 1, 1],
        ["(outside)", "a", 1, 1],
    ]
    assert entropy[["states", "n_states", "fixations", "transitions"]].values.tolist() == [
        ["aois", 3, 5, 4],
        ["aois+outside", 4, 6, 5],
    ]
    # Of a chain a -> a 1/3, a -> b 2/3, b -> a, pi is 3/5 and 2/5.
    row = entropy.iloc[0]
    step = -(math.log2(1 / 3) / 3 + 2 * math.log2(2 / 3) / 3)
    assert row["transition_entropy_bits"] == pytest.approx(0.6 * step)
    at = -(0.6 * math.log2(0.6) + 0.4 * math.log2(0.4))
    assert row["stationary_entropy_bits"] == pytest.approx(at)
    assert row["stationary_entropy_share"] == pytest.approx(at / math.log2(3))
    assert row["fixation_stationary_entropy_bits"] == pytest.approx(at)  # 3 of 5 fixations in a


def test_gaze_that_goes_in_circles_has_no_entropy_of_transitions():
    _, entropy = found(quarters([0, 1, 2] * 4 + [0]), THREE)
    assert entropy["transition_entropy_bits"].tolist() == [0, 0]
    assert entropy["stationary_entropy_bits"].iloc[0] == pytest.approx(math.log2(3))
    assert entropy["stationary_entropy_share"].iloc[0] == pytest.approx(1)


def test_a_chain_that_ends_where_it_never_left_has_no_stationary_distribution():
    _, entropy = found(quarters([0, 1, 0, 2]), THREE)
    assert entropy["transition_entropy_bits"].isna().all()
    assert entropy["stationary_entropy_bits"].isna().all()
    assert entropy["fixation_stationary_entropy_bits"].iloc[0] == pytest.approx(1.5)
    assert entropy["fixation_transition_entropy_bits"].iloc[0] == pytest.approx(0.5)


def test_one_fixation_has_no_transition():
    steps, entropy = found(quarters([0]), THREE)
    assert len(steps) == 0
    assert entropy["transitions"].tolist() == [0, 0]
    assert entropy.filter(like="entropy").isna().all(axis=None)


def test_of_areas_that_overlap_the_smallest_is_the_state():
    nested = areas(
        area("face", box(0, 0, 80, 80)),
        area("eye", box(10, 10, 20, 20)),
        area("same", box(0, 0, 80, 80)),
    )
    trials = trials_of(table([15, 50, 90], [15, 50, 90]), {})
    (hits,) = find_hits(trials, nested).by_stimulus
    assert states(hits).tolist() == [1, 0, 3]


def test_trials_stay_apart():
    names = np.array(["t0", "t0", "t1", "t1"], object)
    steps, _ = found(table([10, 60, 60, 10], [5] * 4, trial=names), halves())
    own = steps[steps["states"] == "aois"]
    assert own[["trial", "from_aoi", "to_aoi"]].values.tolist() == [
        ["t0", "left", "right"],
        ["t1", "right", "left"],
    ]


sequences = st.lists(st.integers(0, 3), min_size=0, max_size=40)


@given(sequences)
def test_counts_are_those_of_pairs_one_by_one(sequence):
    wanted = np.zeros((4, 4), int)
    for here, there in pairwise(sequence):
        wanted[here, there] += 1
    assert (counted(np.array(sequence, np.intp), 4) == wanted).all()


@given(sequences)
def test_a_stationary_distribution_stays_what_it_is(sequence):
    counts = counted(np.array(sequence, np.intp), 4)
    pi = stationary(counts)
    if np.isnan(pi).any():
        return
    leaving = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    assert pi.sum() == pytest.approx(1)
    assert pi @ (counts / leaving) == pytest.approx(pi, abs=1e-9)


def test_two_groups_that_gaze_may_end_in_have_no_one_distribution():
    counts = np.array([[0, 1, 1], [0, 3, 0], [0, 0, 3]])
    assert np.isnan(stationary(counts)).all()
    assert stationary(np.array([[0, 1, 0], [0, 3, 0], [0, 0, 0]])).tolist() == [0, 1, 0]
