import numpy as np
import pytest

from gazetrack.readers.text.cells import Texts
from gazetrack.readers.text.table import Columns
from gazetrack.readers.tobii.rows import Names, is_one_of, sorted_rows, starts_of_runs


def table(**columns):
    """Columns of a part of an export: texts as they are, all else as numbers."""
    found = {}
    for key, values in columns.items():
        if isinstance(values[0], str):
            names = list(dict.fromkeys(values))
            codes = np.array([names.index(value) for value in values], np.int32)
            found[key] = Texts(codes, names)
        else:
            found[key] = np.array(values, float)
    return Columns(n_rows=len(values), found=found)


@pytest.mark.parametrize(
    ("columns", "starts"),
    [
        (([1, 1, 2, 2, 1],), [0, 2, 4]),
        (([1, 1, 1, 1], [0, 0, 5, 5]), [0, 2]),
        (([np.nan, np.nan, 1, np.nan],), [0, 2, 3]),
        (([],), []),
    ],
)
def test_a_run_begins_where_any_column_changes(columns, starts):
    arrays = [np.array(column, float) for column in columns]
    assert starts_of_runs(*arrays).tolist() == starts


def test_pairs_of_texts_are_numbered_as_they_come_over_all_parts():
    names = Names()
    first = table(recording=["r1", "r1", "r2"], participant=["ann", "bob", "bob"])
    second = table(recording=["r2", "r1"], participant=["bob", "ann"])
    assert names.codes(first, "recording", "participant").tolist() == [0, 1, 2]
    assert names.codes(second, "recording", "participant").tolist() == [2, 0]
    assert list(names.pairs) == [("r1", "ann"), ("r1", "bob"), ("r2", "bob")]


def test_of_either_text_the_second_counts_where_there_is_no_first():
    names = Names(either=True)
    part = table(stimulus=["a", "", "a", ""], media=["x", "b", "y", ""])
    assert names.codes(part, "stimulus", "media").tolist() == [0, 1, 0, 2]
    assert list(names.pairs) == [("a", ""), ("b", ""), ("", "")]


def test_rows_are_told_apart_by_sensor_and_event_and_the_rest_is_counted():
    part = table(
        t=[0, 1, 2, np.nan, 4],
        sensor=["Eye Tracker", "Mouse", "", "Eye Tracker", ""],
        event=["", "", "KeyPress", "", ""],
    )
    dropped = {"Mouse sensor": 2}
    is_sample, is_message = sorted_rows(part, dropped)
    assert is_sample.tolist() == [True, False, False, False, False]
    assert is_message.tolist() == [False, False, True, False, False]
    assert dropped == {"Mouse sensor": 3, "no timestamp": 1, "no sensor": 1}


def test_studio_3_writes_events_into_the_rows_of_samples():
    part = table(t=[0, 1], gaze_index=[1, np.nan], event=["KeyPress", ""])
    dropped = {}
    is_sample, is_message = sorted_rows(part, dropped)
    assert (is_sample.tolist(), is_message.tolist()) == ([True, False], [True, False])
    assert dropped == {"no sensor": 1}


def test_a_column_that_is_not_there_holds_empty_texts():
    assert is_one_of(table(t=[0, 1]), "validity_left", {"", "Invalid"}).all()
