"""What times tell of their clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gazetrack.tables.clock import Clock


def followed(*parts, groups=None):
    """Take times part by part, and return the clock and the places at which it begins again."""
    clock, places, rows = Clock(), [], 0
    for number, part in enumerate(parts):
        t = np.array(part, np.float64)
        own = None if groups is None else np.array(groups[number])
        places += (rows + clock.take(t, own)).tolist()
        rows += len(t)
    return clock, places


def test_a_clock_that_goes_forward_says_nothing():
    clock, places = followed([0, 4, 8, 12])
    assert (clock.pairs, clock.notes, places, clock.in_no_order) == (3, [], [], False)


@pytest.mark.parametrize(
    "parts", [[[0, 4, 8, 6, 10, 14]], [[0, 4, 8], [6, 10, 14]], [[0, 4], [8], [], [6], [10, 14]]]
)
def test_a_step_back_is_counted_within_and_between_parts(parts):
    clock, places = followed(*parts)
    assert clock.notes == ["the clock steps back 1 times, by 2 ms at most"]
    assert (clock.first_back, places) == (3, [])


@pytest.mark.parametrize(
    ("times", "places"),
    [
        ([0, 16, 0, 16], [2]),  # exactly where it began
        ([100, 116, 132, 90, 106], [3]),  # before where it began
        ([100, 116, 90, 106], []),  # two late samples are no recording
        ([100, 90, 104, 108], []),  # it had not gone forward yet
        ([0, 500, 2000, 900, 1000], [3]),  # more than a second
        ([0, 500, 2000, 1000, 1500], []),
        ([0, 16, 0, 16, 0, 16], [2, 4]),
    ],
)
def test_a_clock_begins_again_at_its_beginning_or_more_than_a_second_back(times, places):
    clock, found = followed(times)
    assert found == places
    assert clock.first_restart == (places[0] if places else -1)


def test_each_group_has_a_clock_of_its_own():
    clock, places = followed(
        [0, 100, 4, 104, 8, 100], [108, 12], groups=[[0, 1, 0, 1, 0, 1], [1, 0]]
    )
    assert places == [5]
    assert clock.pairs == 6
    assert (clock.backwards, clock.restarts, clock.notes) == (1, 1, [])


def test_times_in_no_order_and_backwards_times_are_told_apart():
    rng = np.random.default_rng(0)
    times = 4.0 * np.arange(200)
    shuffled, _ = followed(rng.permutation(times))
    reverse, places = followed(times[::-1])
    assert shuffled.in_no_order
    assert "rows in no order" in shuffled.disorder
    assert reverse.in_no_order
    assert "199 of 199 times" in reverse.disorder
    assert "runs backwards" in reverse.disorder
    assert places == []


def test_a_clock_that_stands_still():
    clock, _ = followed([5, 5, 5])
    assert clock.never_forward
    clock, _ = followed([5, 5, 6])
    assert not clock.never_forward
    assert clock.notes == ["the clock stands still: 1 samples have the time of the one before them"]


@given(st.lists(st.integers(0, 3000), max_size=30), st.data())
def test_parts_do_not_matter(times, data):
    groups = data.draw(st.lists(st.integers(0, 2), min_size=len(times), max_size=len(times)))
    cut = data.draw(st.integers(0, len(times)))
    whole, places = followed(times, groups=[groups])
    parts, again = followed(times[:cut], times[cut:], groups=[groups[:cut], groups[cut:]])
    assert places == again
    assert whole == parts
