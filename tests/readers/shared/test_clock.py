"""What the times of a table's rows are counted from, and which files are refused for them."""

import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.shared.clock import check_clock, check_lines, timed_rows
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
