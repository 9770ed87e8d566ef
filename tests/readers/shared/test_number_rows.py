"""Rows in parts are sorted, and found by their keys, as those of one whole are."""

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.readers.shared import number_rows
from gazetrack.readers.shared.number_rows import (
    LastValues,
    NumberRows,
    in_order,
    least_behind,
    sorted_rows,
)
from gazetrack.tables import spill

NAN = float("nan")
KEYS = st.one_of(st.integers(0, 9).map(float), st.just(NAN))


@pytest.fixture(autouse=True)
def _short_parts(monkeypatch):
    monkeypatch.setattr(number_rows, "_PART_ROWS", 3)
    monkeypatch.setattr(spill, "SPILL_ROWS", 5)


def rows_of(keys):
    rows = NumberRows(("key", "place"))
    for place, key in enumerate(keys):
        rows.add(key, float(place))
    assert rows.count == len(keys)
    return rows.parts()


def test_rows_come_back_in_their_order():
    parts = rows_of([5.0, 1.0, NAN, 2.0])
    assert [value for part in parts for value in part["place"].to_pylist()] == [0, 1, 2, 3]
    assert rows_of([]) == []


@given(keys=st.lists(KEYS, max_size=30))
def test_rows_are_sorted_without_those_that_have_no_key(keys):
    batches = sorted_rows(rows_of(keys), "key")
    found = [
        row
        for batch in batches
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]
    known = [(key, float(place)) for place, key in enumerate(keys) if not math.isnan(key)]
    assert found == sorted(known, key=lambda row: row[0])


@given(keys=st.lists(KEYS, max_size=30), wanted=st.lists(KEYS, max_size=10))
def test_the_last_value_under_a_key_is_found(keys, wanted):
    values = LastValues(sorted_rows(rows_of(keys), "key"), "key", "place")
    by_key = {key: float(place) for place, key in enumerate(keys) if not math.isnan(key)}
    expected = [by_key.get(key, NAN) for key in wanted]
    np.testing.assert_array_equal(values.of(np.array(wanted, float)), expected)


def test_few_rows_are_held_back():
    """Parts in order but for their edges are given on part by part."""
    keys = ([1.0, 2.0, 4.0], [3.0, 5.0, 6.0], [7.0, 8.0, 9.0])
    parts = [pa.record_batch({"key": pa.array(part)}) for part in keys]
    least = least_behind([min(part["key"].to_pylist()) for part in parts])
    given_on = [batch.num_rows for batch in in_order(parts, "key", least)]
    assert given_on == [2, 4, 3]


def test_what_lies_behind_is_the_least_of_all_later_ones():
    assert least_behind([3.0, 1.0, 2.0]).tolist() == [1.0, 2.0, math.inf]
    assert least_behind([]).tolist() == []


def test_no_more_rows_wait_than_those_of_a_part():
    rows = NumberRows(("key",))
    for place in range(100):
        rows.add(float(place))
        assert len(rows._waiting) < 3
    table = pa.Table.from_batches(rows.parts())
    assert table["key"].to_pylist() == list(range(100))


@pytest.mark.parametrize("length", [1, 2, 12])
def test_equal_rows_may_have_an_order_of_their_own(length):
    values = [1.0, 2, 2, 1, 3, 2, 3, 3, 2, 4, 4, 3]
    ranks = [1, 1, 0, 0, 1, 0, 0, 1, 1, 1, 0, 0]
    rows = pa.record_batch({"v": values, "rank": ranks, "at": list(range(12))})
    parts = [rows.slice(at, length) for at in range(0, 12, length)]
    behind = least_behind([min(part["v"].to_pylist()) for part in parts])
    found = [row for part in in_order(parts, "v", behind, "rank") for row in part.to_pylist()]
    expected = sorted(rows.to_pylist(), key=lambda row: (row["v"], row["rank"]))
    assert found == expected
