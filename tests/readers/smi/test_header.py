import pytest

from gazetrack.readers.base import read_head
from gazetrack.readers.smi.header import (
    is_stimulus,
    message_text,
    properties_of,
    rate_of,
    sample_header,
    screen_of,
    with_messages_as_rows,
)
from gazetrack.tables.screen import Screen

LINES = (
    "## [iView]",
    "## Sample Rate:\t500",
    "## Calibration Area:\t1680\t1050",
    "## Stimulus Dimension [mm]:\t474\t297",
    "## Head Distance [mm]:\t700",
)
COLUMNS = "Time\tType\tTrial\tL POR X [px]\tL POR Y [px]"


def head_of(folder, *lines):
    path = folder / "a.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_head(path)


def test_the_lines_before_the_table_state_rate_and_screen():
    properties = properties_of(LINES)
    notes = []
    assert rate_of(properties) == 500
    assert screen_of(properties, notes) == Screen(1680, 1050, 474, 297, 700)
    assert notes == ["screen taken from the calibration area"]


@pytest.mark.parametrize("rate", ["", "0", "fast", "20000", "500 Hz"])
def test_a_rate_that_cannot_be_is_none(rate):
    assert rate_of({"Sample Rate": rate}) is None


@pytest.mark.parametrize(
    ("area", "size", "distance", "screen"),
    [
        ("", "", "", None),
        ("1680", "", "", None),
        ("1680 1050", "0 0", "0", Screen(1680, 1050)),
        ("1680 1050", "474,5 297", "", Screen(1680, 1050, 474.5, 297)),
        ("0 0", "", "", None),
    ],
)
def test_what_smi_was_not_told_is_0_or_missing(area, size, distance, screen):
    properties = {
        "Calibration Area": area,
        "Stimulus Dimension [mm]": size,
        "Head Distance [mm]": distance,
    }
    assert screen_of(properties, []) == screen


def test_the_header_stands_below_any_number_of_lines(tmp_path):
    header = sample_header(head_of(tmp_path, *LINES, "Time is short", COLUMNS))
    assert header.lines == len(LINES) + 2
    assert header.names[:2] == ("Time", "Type")
    assert sample_header(head_of(tmp_path, *LINES)) is None


def test_messages_become_rows_of_as_many_cells_and_lines_keep_their_numbers(tmp_path):
    head = head_of(tmp_path, COLUMNS, "1\tSMP\t1\t5\t6", "2\tMSG\t1\t# Message: a\tb.jpg")
    rewritten = with_messages_as_rows(head, sample_header(head))
    lines = rewritten.text.splitlines()
    assert lines[1] == "1\tSMP\t1\t5\t6"
    assert lines[2] == "2\tMSG # Message: a b.jpg\t1\t\t"


@pytest.mark.parametrize(
    ("cell", "text", "shown"),
    [
        ("# Message: a.jpg", "a.jpg", True),
        ("# Message: my picture.PNG ", "my picture.PNG", True),
        ("# Message: image=a.jpg", "image=a.jpg", False),
        ("# Message: start", "start", False),
        (" a.mp4", "a.mp4", True),
    ],
)
def test_a_message_that_is_the_name_of_a_file_is_a_stimulus(cell, text, shown):
    assert message_text(cell) == text
    assert is_stimulus(text) == shown


def test_names_and_values_are_what_stands_about_the_first_colon():
    lines = ("## A b :\t c:d ", "Sample Rate:500", "##:", "no colon", "a\tb: c", "  : x", "E:")
    assert properties_of(lines) == {"A b": "c:d", "Sample Rate": "500", "E": ""}
