"""What the times of a table's rows are counted from, and which files are refused for them."""

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.shared.clock import (
    RowClock,
    TimedParts,
    check_clock,
    check_line_parts,
    check_lines,
    timed_rows,
)
from gazetrack.readers.text.header import needed_header

NAN = float("nan")


@pytest.fixture
def table(tmp_path):
    """A table of ten rows under a header in line 3, with a blank line after its second row."""
    path = tmp_path / "a.csv"
    rows = [f"{row},0" for row in range(10)]
    path.write_text("\n".join(["", "", "t,x", *rows[:2], "", *rows[2:]]) + "\n")
    head = read_head(path)
    return head, needed_header(head)


def test_times_count_from_the_first_row_that_has_one(table):
    timed = timed_rows(*table, np.array([NAN, 100.0, NAN, 104.5]))
    assert timed.rows.tolist() == [False, True, False, True]
    assert timed.t_ms.tolist() == [0.0, 4.5]
    assert timed.origin_ms == 100.0
    assert timed.dropped == {"no time": 2}


def test_rows_that_are_no_samples_are_neither_used_nor_counted(table):
    among = np.array([False, True, True, False, True])
    timed = timed_rows(*table, np.array([90.0, NAN, 100.0, NAN, 120.0]), among)
    assert timed.rows.tolist() == [False, False, True, False, True]
    assert timed.t_ms.tolist() == [0.0, 20.0]
    assert timed.origin_ms == 100.0
    assert timed.dropped == {"no time": 1}
    assert among.tolist() == [False, True, True, False, True]


def test_nothing_is_dropped_where_all_rows_have_a_time(table):
    assert timed_rows(*table, np.array([5.0, 6.0])).dropped == {}


def test_without_any_time_the_origin_is_0(table):
    timed = timed_rows(*table, np.array([NAN, NAN]))
    assert timed.t_ms.size == 0
    assert timed.origin_ms == 0.0
    assert timed.dropped == {"no time": 2}


def test_the_line_with_which_a_second_recording_begins_is_named(table):
    time = np.array([0.0, 1000, NAN, 2000, 3000, 0, 1000, 2000])
    with pytest.raises(ParseError, match="a second recording begins here") as caught:
        timed_rows(*table, time)
    assert caught.value.line == 10  # the sixth row: three lines of header, a blank one


def test_each_group_has_a_clock_of_its_own(table):
    time = np.array([0.0, 1000, 2000, 0, 1000, 2000])
    groups = np.array(list("aaabbb"), object)
    check_clock(*table, time, np.ones(6, bool), groups)
    with pytest.raises(ParseError, match="a second recording"):
        check_clock(*table, time, np.ones(6, bool))


def test_rows_in_no_order_are_refused_at_the_first_that_is_before_the_one_above_it(table):
    time = np.array([0.0, 50, 40, 60, 30, 20, 70, 10])
    with pytest.raises(ParseError, match="rows in no order: 4 of 7 times") as caught:
        check_lines(table[0], time, np.arange(11, 19))
    assert caught.value.line == 13
    assert "sort the rows" in caught.value.hint


@pytest.mark.parametrize("n_first", [1, 3, 5, 9])
@pytest.mark.parametrize(
    "times",
    [
        [1.0, 2.0, NAN, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        [10.0, 20.0, NAN, 30.0, 40.0, 50.0, 10.0, 20.0, 30.0, 40.0],
        [10.0, 20.0, NAN, 15.0, 12.0, 50.0, 13.0, 11.0, 60.0, 14.0],
        [5000.0, NAN, 6000.0, 7000.0, 5500.0, 8000.0, 9000.0, 9100.0, 9200.0, 9300.0],
    ],
)
def test_a_table_in_parts_is_refused_where_the_whole_one_is(table, times, n_first):
    def outcome(check):
        try:
            check()
        except ParseError as error:
            return str(error), error.line
        return None

    t = np.array(times)
    used = np.isfinite(t)
    clock = RowClock(*table)
    for part in (slice(0, n_first), slice(n_first, None)):
        clock.take(t[part][used[part]], used[part])
    expected = outcome(lambda: check_clock(*table, t[used], used))
    assert outcome(clock.check) == expected
    lines = np.arange(3.0, 13.0)
    parts = [
        (t[part][used[part]], lines[part][used[part]])
        for part in (slice(0, n_first), slice(n_first, None))
    ]
    expected = outcome(lambda: check_lines(table[0], t[used], lines[used]))
    assert outcome(lambda: check_line_parts(table[0], parts)) == expected


def test_rows_in_parts_are_timed_as_at_once(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_text("t,x\n1,2\n")
    head = read_head(path)
    header = needed_header(head)
    time = np.array([np.nan, 5.0, 7, np.nan, 9, 11])
    among = np.array([True, True, True, False, True, False])
    whole = timed_rows(head, header, time, among.copy())
    parts = TimedParts(head, header)
    found = [parts.take(time[at : at + 2], among[at : at + 2]) for at in range(0, 6, 2)]
    parts.check()
    np.testing.assert_array_equal(np.concatenate([rows for rows, _ in found]), whole.rows)
    np.testing.assert_array_equal(np.concatenate([t for _, t in found]), whole.t_ms)
    assert parts.origin_ms == whole.origin_ms == 5
    assert parts.dropped == whole.dropped == {"no time": 1}
