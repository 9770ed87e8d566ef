import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.text.header import Header
from gazetrack.readers.tobii.columns import (
    MEDIA_NORM,
    SCREEN_MM,
    SCREEN_NORM,
    SCREEN_PX,
    _split,
    find_columns,
    has_mapped_gaze,
    has_timestamp,
    time_unit,
    unit_of,
    unreadable_gaze,
)


def header(*names):
    return Header(names=names, lines=1, delimiter="\t", quoted=False)


def found(*names):
    return {key: names[at] for key, (at, _) in find_columns(header(*names), None).items()}


@pytest.mark.parametrize(
    "name",
    ["Gaze point X", "Gaze point X (DACSpx)", "Gaze point X [DACS px]", "GazePointX (ADCSpx)"],
)
def test_a_column_goes_by_its_name_of_any_year(name):
    assert found("Recording timestamp", name) == {"t": "Recording timestamp", "x": name}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Gaze point X", SCREEN_PX),
        ("Gaze point X [DACS norm]", SCREEN_NORM),
        ("GazePointX (ADCSmm)", SCREEN_MM),
        ("Gaze point X (MCSnorm)", MEDIA_NORM),
        ("Gaze point X [HUCS mm]", ""),
    ],
)
def test_the_unit_stands_in_brackets(name, unit):
    assert unit_of(name) == unit


def test_of_several_units_the_one_that_says_most_about_the_screen_is_taken():
    names = ("Gaze point X [MCS norm]", "Gaze point X [DACS norm]", "Gaze point X [DACS px]")
    assert found(*names)["x"] == "Gaze point X [DACS px]"
    assert found(*names[:2])["x"] == "Gaze point X [DACS norm]"


def test_all_gaze_points_are_in_one_unit():
    names = ("Gaze point X [DACS px]", "Gaze point Y [DACS px]", "Gaze point left X [DACS mm]")
    assert set(found(*names)) == {"x", "y"}


def test_positions_of_fixations_may_be_in_pixels_beside_gaze_in_another_unit():
    names = ("Gaze point X [MCS norm]", "Fixation point X")
    assert found(*names) == {"x": names[0], "fixation_x": names[1]}


def test_one_column_under_two_names_is_refused():
    with pytest.raises(ParseError, match="are the same") as caught:
        find_columns(header("Participant name", "Participant"), None)
    assert caught.value.column == 2


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("Recording timestamp", ""),
        ("Recording timestamp [ms]", "ms"),
        ("Recording timestamp [\u03bcs]", "us"),
        ("RecordingTimestamp [us]", "us"),
        ("Recording timestamp [s]", "s"),
    ],
)
def test_timestamps_may_state_their_unit(name, unit):
    assert has_timestamp(["Sensor", name])
    assert time_unit(name) == unit


def test_gaze_in_the_units_of_the_user_cannot_be_read():
    assert unreadable_gaze(header("Gaze point X [HUCS mm]")) == "Gaze point X [HUCS mm]"
    assert unreadable_gaze(header("Gaze point X [DACS px]")) == ""


def test_mapped_gaze_is_told_by_its_column():
    assert has_mapped_gaze(["Mapped gaze data X [Shelf]"])
    assert not has_mapped_gaze(["Gaze point X"])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Gaze point X [DACS px]", ("gaze point x", "dacs px")),
        ("GazePointX (ADCSpx)", ("gaze point x", "adcspx")),
        ("Pupil (left) [mm]", ("pupil (left)", "mm")),
        ("x ((a)", ("x", "(a")),
        ("x]", ("x]", "")),
        ("(a)", ("", "a")),
        ("x [a] ", ("x [a]", "")),
        ("", ("", "")),
    ],
)
def test_a_unit_stands_in_the_last_brackets_of_a_name(name, parts):
    assert _split(name) == parts
