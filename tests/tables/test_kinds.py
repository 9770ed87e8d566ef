"""Events are found by their kinds, whatever codes each part of the table has for them."""

import pyarrow as pa
import pytest

from gazetrack.tables.kinds import count_kinds, not_of_kinds, of_kinds
from gazetrack.tables.schema import EVENTS, conform


def events(*kinds):
    return conform({"kind": list(kinds), "onset_ms": [float(i) for i in range(len(kinds))]}, EVENTS)


@pytest.fixture
def in_parts():
    parts = [events("message", "fixation"), events("fixation", "saccade", "message"), events()]
    return pa.concat_tables(parts)


def test_some_kinds_stay(in_parts):
    assert of_kinds(in_parts, "fixation")["onset_ms"].to_pylist() == [1, 0]
    assert of_kinds(in_parts, "saccade", "message")["kind"].to_pylist() == [
        "message",
        "saccade",
        "message",
    ]
    assert of_kinds(in_parts, "blink").num_rows == 0


def test_some_kinds_are_left_out(in_parts):
    assert not_of_kinds(in_parts, "message")["kind"].to_pylist() == [
        "fixation",
        "fixation",
        "saccade",
    ]


def test_kinds_are_counted_in_the_order_of_their_appearance(in_parts):
    assert list(count_kinds(in_parts).items()) == [("message", 2), ("fixation", 2), ("saccade", 1)]


def test_a_table_without_events_has_no_kinds():
    none = conform({}, EVENTS)
    assert count_kinds(none) == {}
    assert of_kinds(none, "fixation").num_rows == 0
    assert not_of_kinds(none, "fixation").num_rows == 0
