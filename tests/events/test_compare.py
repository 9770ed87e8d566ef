"""Two tables of fixations compared."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import DataError
from gazetrack.events.compare import (
    compare_fixations,
    joined,
    left_out,
    overall,
    taken_for_one,
)
from gazetrack.tables.schema import FIXATIONS, conform


def table(onsets, durations, recording="r", eye="both", **columns):
    given = {"recording": recording, "eye": eye, "onset_ms": onsets, "duration_ms": durations}
    return conform(
        given | {name: np.array(values, object) for name, values in columns.items()}, FIXATIONS
    )


def test_a_table_agrees_with_itself():
    a = table([0.0, 500.0], [300.0, 200.0])
    (row,) = compare_fixations(a, a)
    assert (row["matched"], row["f1"], row["f1_iou"], row["kappa"]) == (2, 1, 1, 1)
    assert (row["onset_error_ms"], row["offset_error_ms"]) == (0, 0)


def test_figures_by_hand():
    a = table([0.0, 500.0, 900.0], [300.0, 200.0, 100.0])
    b = table([20.0, 690.0], [300.0, 110.0])
    (row,) = compare_fixations(a, b)
    assert (row["reference"], row["other"], row["matched"], row["matched_iou"]) == (3, 2, 2, 1)
    assert row["f1"] == pytest.approx(4 / 5)
    assert row["f1_iou"] == pytest.approx(2 / 5)
    assert (row["onset_error_ms"], row["offset_error_ms"]) == (105, 60)
    agreed = 280 + 180 + 10 + 100 + 0  # both in, both out: 320-500, and 690-700, and 800-900
    assert row["kappa"] == pytest.approx(_kappa(agreed / 1000, 0.6, 0.41))


def _kappa(observed, p, q):
    chance = p * q + (1 - p) * (1 - q)
    return (observed - chance) / (1 - chance)


def test_recordings_by_name_or_the_only_one_and_eyes_with_their_like():
    a = table([0.0], [100.0], recording="a")
    assert compare_fixations(a, table([0.0], [100.0], recording="b"))[0]["f1"] == 1
    two = table([0.0, 0.0], [100.0, 100.0], recording=np.array(["b", "c"], object))
    with pytest.raises(DataError, match="no recording in common"):
        compare_fixations(a, two)
    eyes = table([0.0, 0.0], [100.0, 90.0], eye=np.array(["left", "right"], object))
    assert [row["eyes"] for row in compare_fixations(eyes, eyes)] == ["left", "right"]
    assert [row["eyes"] for row in compare_fixations(table([0.0], [90.0]), eyes)] == [
        "both, left",
        "both, right",
    ]


def test_a_trial_that_one_table_lacks_counts_against_it():
    a = table([0.0, 1000.0], [100.0, 100.0], trial=["1", "2"])
    b = table([0.0], [100.0], trial=["1"])
    rows = compare_fixations(a, b)
    assert [(row["trial"], row["f1"]) for row in rows] == [("1", 1), ("2", 0)]
    assert overall(rows)["f1"] == pytest.approx(2 / 3)
    unnamed = table([0.0, 1000.0], [100.0, 100.0])
    assert [row["f1"] for row in compare_fixations(a, unnamed)] == [1]


def test_stimuli_with_clocks_of_their_own_are_compared_apart():
    a = table(
        [0.0, 200.0, 50.0, 400.0], [150.0, 150.0, 300.0, 100.0], stimulus=["x", "x", "y", "y"]
    )
    rows = compare_fixations(a, a)
    assert [(row["stimulus"], row["reference"], row["f1"], row["kappa"]) for row in rows] == [
        ("x", 2, 1, 1),
        ("y", 2, 1, 1),
    ]
    (row,) = compare_fixations(a, table([0.0], [150.0]))  # which names none
    assert row["stimulus"] == ""


def test_of_two_fixations_with_one_onset_the_longest_counts():
    a = table([0.0, 0.0, 100.0], [80.0, 50.0, 50.0])
    (row,) = compare_fixations(a, a)
    assert (row["reference"], row["matched"], row["f1"], row["kappa"]) == (2, 2, 1, 1)
    (row,) = compare_fixations(a, table([0.0, 100.0], [80.0, 50.0]))
    assert (row["f1"], row["offset_error_ms"]) == (1, 0)


def test_recordings_of_one_table_only_are_told():
    a, b = (
        table([0.0, 0.0], [9.0, 9.0], recording=np.array(names, object))
        for names in (("p", "q"), ("q", "r"))
    )
    assert [row["recording"] for row in compare_fixations(a, b)] == ["q"]
    assert left_out(a, b) == ["p", "r"]
    assert left_out(table([0.0], [9.0]), table([0.0], [9.0], recording="s")) == []


def test_a_table_without_fixations_matches_none():
    none, some = table([], []), table([0.0, 50.0], [9.0, 9.0], trial=["1", "2"])
    for a, b in ((none, some), (some, none)):
        rows = compare_fixations(a, b)
        assert [(row["matched"], row["f1"]) for row in rows] == [(0, 0), (0, 0)]
        assert left_out(a, b) == []
    assert compare_fixations(none, none) == []
    assert overall([])["f1"] == 1


def test_kappa_is_exact_and_takes_no_longer_for_long_times():
    (row,) = compare_fixations(table([0.0, 1e12], [0.25, 0.5]), table([0.0, 1e12], [0.5, 0.25]))
    assert row["kappa"] == pytest.approx(
        _kappa(1 - 0.5 / (1e12 + 0.5), 0.75 / (1e12 + 0.5), 0.75 / (1e12 + 0.5)), rel=1e-3
    )


def test_what_has_no_time_is_no_fixation():
    a = table([0.0, 100.0, 200.0, np.nan], [50.0, 0.0, np.nan, 50.0])
    (row,) = compare_fixations(a, table([0.0], [50.0]))
    assert (row["reference"], row["other"], row["matched"]) == (1, 1, 1)


def test_a_fixation_ends_where_the_next_one_begins():
    a = table([100.0, 0.0], [100.0, 180.0])  # in no order, and 80 ms of both at once
    (row,) = compare_fixations(a, table([0.0, 100.0], [100.0, 100.0]))
    assert (row["f1_iou"], row["offset_error_ms"], row["kappa"]) == (1, 0, 1)


def test_eyes_that_the_other_table_lacks_are_matched_by_none():
    rows = compare_fixations(table([0.0], [90.0], eye="left"), table([0.0], [90.0], eye="right"))
    found = [(row["eyes"], row["reference"], row["other"], row["matched"]) for row in rows]
    assert found == [("left", 1, 0, 0), ("right", 0, 1, 0)]


def test_rows_are_added_up_and_what_is_not_known_is_left_out():
    rows = [
        {"reference": 3, "other": 2, "matched": 2, "matched_iou": 2, "kappa": 0.5},
        {"reference": 1, "other": 4, "matched": 1, "matched_iou": 0, "kappa": 1.0},
        {"reference": 2, "other": 0, "matched": 0, "matched_iou": 0, "kappa": np.nan},
    ]
    for row, onset in zip(rows, (10.0, 30.0, np.nan), strict=True):
        row |= {"onset_error_ms": onset, "offset_error_ms": 2 * onset}
    found = overall(rows)
    assert (found["rows"], found["reference"], found["other"]) == (3, 6, 6)
    assert (found["matched"], found["matched_iou"]) == (3, 2)
    assert (found["f1"], found["f1_iou"]) == (0.5, pytest.approx(1 / 3))
    assert (found["kappa"], found["onset_error_ms"], found["offset_error_ms"]) == (0.75, 20, 40)
    nothing = overall([])
    assert (nothing["f1"], nothing["f1_iou"]) == (1, 1)
    assert np.isnan([nothing["kappa"], nothing["onset_error_ms"]]).all()


def test_the_only_recordings_of_two_tables_are_taken_for_one():
    a, b = table([0.0], [9.0], recording="a"), table([0.0], [9.0], recording="b")
    assert taken_for_one(a, b) == ("a", "b")
    assert taken_for_one(a, a) is None
    both = joined([a, b])
    assert taken_for_one(a, both) is taken_for_one(both, a) is taken_for_one(both, both) is None
    assert both["recording"].to_pylist() == ["a", "b"]


def test_rows_are_in_the_order_in_which_trials_come():
    a = table([0.0, 1000.0, 2000.0], [90.0, 90.0, 90.0], trial=["b", "c", "a"])
    assert [row["trial"] for row in compare_fixations(a, a)] == ["b", "c", "a"]
    fewer = table([0.0], [90.0], trial=["a"])
    other = table([0.0, 1000.0, 2000.0], [90.0, 90.0, 90.0], trial=["c", "b", "a"])
    assert [row["trial"] for row in compare_fixations(fewer, other)] == ["a", "c", "b"]


def test_a_trial_of_nothing_that_lasts_is_no_trial():
    a = table([0.0, 1000.0], [90.0, 0.0], trial=["1", "2"])
    assert [row["trial"] for row in compare_fixations(a, a)] == ["1"]
