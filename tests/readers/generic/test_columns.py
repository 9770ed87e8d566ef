import pytest

from gazetrack.errors import ConfigError
from gazetrack.readers.base import read_head
from gazetrack.readers.generic.columns import axes_of_columns, chosen, guess
from gazetrack.readers.text.header import Header


def header(*names):
    return Header(names=names, lines=1, delimiter=",", quoted=False)


@pytest.fixture
def head(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    return read_head(path)


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (("t", "x", "y"), {"t": "t", "x": "x", "y": "y"}),
        (("Timestamp", "Gaze_X", "Gaze_Y"), {"t": "Timestamp", "x": "Gaze_X", "y": "Gaze_Y"}),
        (("x", "y", "onset"), {}),
        (("x", "t"), {}),
        (
            ("onset", "lx", "ly", "rx", "ry"),
            {"t": "onset", "left_x": "lx", "left_y": "ly", "right_x": "rx", "right_y": "ry"},
        ),
    ],
)
def test_names_that_mean_one_thing_only(names, columns):
    assert guess(header(*names)) == columns


def test_of_names_that_differ_in_case_the_first_is_taken():
    assert guess(header("T", "t", "x", "y"))["t"] == "T"


def test_units_stand_in_brackets_behind_the_names(head):
    given = {"t": "when [s]", "x": "a[norm]", "y": "b [norm]"}
    columns, units = chosen(given, header("when", "a", "b"), head)
    assert columns == {"t": "when", "x": "a", "y": "b"}
    assert units == {"t": "s", "x": "norm", "y": "norm"}


def test_two_eyes_are_no_position_of_a_fixation(head):
    names = ("left_x", "left_y", "right_x", "right_y", "duration")
    with pytest.raises(ConfigError, match="x, y and t"):
        chosen({name: name for name in names}, header(*names), head)


def test_the_settings_say_how_positions_are_counted(head):
    axes = axes_of_columns({"x": "a", "y": "b"}, {}, {"unit": "norm", "y_axis": "down"}, head, [])
    assert (axes.unit, axes.origin, axes.y_up, axes.stated) == ("norm", "top_left", False, True)


def test_what_is_stated_wins_over_the_names_of_columns(head):
    notes = []
    columns = {"x": "x_norm", "y": "y_norm"}
    assert axes_of_columns(columns, {"x": "px"}, {}, head, notes).unit == "px"
    assert notes == []
    assert axes_of_columns(columns, {}, {}, head, notes).unit == "norm"
    assert notes == ["positions in norm by the names of their columns"]
