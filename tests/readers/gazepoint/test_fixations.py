import pandas as pd
import pytest

from gazetrack.readers.gazepoint.fixations import fixations_so_far, joined, named, usable


def rows_of(*rows):
    """Rows of samples: showing, number, duration, x, valid and pupil; all else is the same."""
    columns = ["showing", "index", "duration_ms", "x_px", "valid", "pupil"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(stimulus=0, onset_ms=0.0, y_px=50.0, valid=frame["valid"].astype(bool))


def test_the_last_valid_row_states_a_fixation():
    rows = rows_of(
        (0, 1, 0, 10, 0, 3), (0, 1, 90, 12, 1, 4), (0, 1, 120, 13, 1, 5), (0, 1, 0, 99, 0, 9)
    )
    found = joined([fixations_so_far(rows)])
    assert found[["x_px", "duration_ms", "pupil"]].to_numpy().tolist() == [[13, 120, 4.5]]


def test_a_number_that_is_never_valid_keeps_its_last_row_and_is_no_fixation():
    rows = rows_of((0, 1, 0, 10, 0, 3), (0, 1, 20, 11, 0, 3), (0, 2, 80, 20, 1, 3))
    found = joined([fixations_so_far(rows)])
    assert found["x_px"].tolist() == [11, 20]
    notes = []
    assert usable(found, notes)["x_px"].tolist() == [20]
    assert notes == ["1 fixation numbers are never valid (FPOGV): no fixations"]


@pytest.mark.parametrize("cut", range(1, 5))
def test_it_makes_no_difference_where_the_parts_end(cut):
    rows = rows_of(
        (0, 1, 20, 10, 1, 3),
        (0, 1, 40, 11, 1, 5),
        (0, 2, 0, 20, 0, 9),
        (0, 2, 30, 21, 1, 4),
        (1, 1, 50, 5, 1, 2),
    )
    whole = joined([fixations_so_far(rows)])
    parts = joined([fixations_so_far(rows[:cut]), fixations_so_far(rows[cut:])])
    pd.testing.assert_frame_equal(whole.reset_index(drop=True), parts.reset_index(drop=True))
    assert whole["pupil"].tolist() == [4, 4, 2]


def test_without_parts_there_are_no_fixations():
    assert joined([]).empty


def test_names_stand_for_codes_and_a_single_showing_is_one_recording():
    found = joined([fixations_so_far(rows_of((0, 1, 20, 10, 1, 3)))])
    columns = named(found, {"recording": ["a"], "trial": ["1"], "stimulus": ["", "b.png"]})
    assert (columns["recording"].tolist(), columns["stimulus"].tolist()) == (["a"], [""])
