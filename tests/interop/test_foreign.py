"""Events and clocks of other programs, in our words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gazetrack.interop.foreign import event_table, is_by_trial, kind_of
from gazetrack.tables.schema import EVENTS


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("fixation", "fixation"),
        ("fixation_ivt", "fixation"),
        ("Saccade", "saccade"),
        ("microsaccade_engbert", "microsaccade"),
        ("BAD_blink", "blink"),
        ("smooth pursuit", "smooth_pursuit"),
        ("pso", "pso"),
        ("odd one", "odd one"),
    ],
)
def test_names_of_events(name, kind):
    assert kind_of(name) == kind


def events(**columns):
    known = {"kind": ["saccade", "fixation"], "onset_ms": [20.0, 10.0], "duration_ms": [5.0, 10.0]}
    return pd.DataFrame(known | columns)


def test_events_are_in_the_order_of_time_and_numbered():
    table, notes = event_table(events(kind=["fixation_ivt", "fixation"]), "anna")
    assert table.schema.equals(EVENTS)
    assert table["onset_ms"].to_pylist() == [10.0, 20.0]
    assert table["index"].to_pylist() == [1, 2]
    assert table["recording"].to_pylist() == ["anna", "anna"]
    assert notes == []


def test_numbers_of_the_export_stay():
    table, _ = event_table(events(index=[7, None], kind=["fixation", "fixation"]), "anna")
    assert table["index"].to_pylist() == [1, 7]


def test_who_was_recorded_is_known_of_all_events_of_a_recording():
    found, _ = event_table(events(participant=["p1", None], recording=["a", "a"]), "x")
    assert found["participant"].to_pylist() == ["p1", "p1"]
    other, _ = event_table(events(participant=["p1", None], recording=["a", "b"]), "x")
    assert other["participant"].to_pylist() == ["", "p1"]


def test_our_own_detected_events_stay_where_they_are_all():
    both, notes = event_table(events(source=["tracker", "detected"]), "anna")
    assert both["kind"].to_pylist() == ["saccade"]
    assert notes == ["1 events that gazetrack had detected are left out"]
    alone, notes = event_table(events(source=["detected", "detected"]), "anna")
    assert (alone.num_rows, notes) == (2, [])


def test_no_events_are_an_empty_table():
    table, _ = event_table(events().iloc[:0], "anna")
    assert table.schema.equals(EVENTS)
    assert table.num_rows == 0


@pytest.mark.parametrize(
    ("times", "trials", "expected"),
    [
        ([0, 1, 2, 3, 4, 5], [1, 1, 1, 2, 2, 2], False),  # one clock
        ([0, 1, 2, 0, 1, 2], [1, 1, 1, 2, 2, 2], True),
        ([0, 1, 2, 0, 1, 2], [1, 1, 1, 1, 2, 2], False),  # it begins again within a trial
        ([0, 1, 2, 0, 1, 2], [1, 1, 1, 1, 1, 1], False),
    ],
)
def test_clocks_of_trials_begin_again_with_them(times, trials, expected):
    assert is_by_trial(np.array(times, float), np.array(trials)) is expected
