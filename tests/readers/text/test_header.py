"""The header of delimited text, and what a reader asks of its columns."""

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.head import read_head
from gazetrack.readers.text.header import header_of, needed_header


def header(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return header_of(read_head(path))


@pytest.mark.parametrize(
    ("line", "delimiter", "names"),
    [
        ("t\tx\ty", "\t", ("t", "x", "y")),
        ("t;x;y", ";", ("t", "x", "y")),
        ("t, x ,y", ",", ("t", "x", "y")),
        ("Gaze point X (px, left)\tt", "\t", ("Gaze point X (px, left)", "t")),
        ('"a;b";c', ";", ("a;b", "c")),
        ("t,x,", ",", ("t", "x", "")),
    ],
)
def test_names_are_what_the_delimiter_separates(line, delimiter, names, tmp_path):
    found = header(tmp_path, f"{line}\n1\n")
    assert found.names == names
    assert found.delimiter == delimiter


def test_it_is_the_first_line_that_is_not_blank(tmp_path):
    assert header(tmp_path, "\n  \nt,x\n1,2\n").lines == 3


def test_a_mark_of_the_encoding_within_the_file_is_no_part_of_a_name(tmp_path):
    assert header(tmp_path, "\n\ufefft,x\n1,2\n").names == ("t", "x")


@pytest.mark.parametrize("text", ["one word\n1,2\n", "\n\n", "1\n"])
def test_a_line_without_a_delimiter_is_none(text, tmp_path):
    assert header(tmp_path, text) is None


def test_a_table_must_have_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("word\n")
    with pytest.raises(ParseError, match="no header line"):
        needed_header(read_head(path))


def test_quotes_below_a_header_count_unless_tabs_separate_cells(tmp_path):
    assert header(tmp_path, 't,x\n1,"2"\n').quoted
    assert not header(tmp_path, 't\tx\n1\t"2"\n').quoted


def test_columns_that_are_needed_are_there_once(tmp_path):
    found = header(tmp_path, "t,x,y,x\n1,2,3,4\n")
    assert found.needed({"time": "t", "down": "y"}, "float64", "a.csv") == {
        "time": (0, "float64"),
        "down": (2, "float64"),
    }
    with pytest.raises(ParseError, match="column 'x' is there twice"):
        found.needed({"right": "x"}, "float64", "a.csv")
    with pytest.raises(ParseError, match="no column 'pupil'"):
        found.needed({"pupil": "pupil"}, "float32", "a.csv")


def test_of_columns_that_may_be_missing_those_that_are_there_are_asked_for(tmp_path):
    found = header(tmp_path, "t,x,y,x\n1,2,3,4\n")
    assert found.present({"image": "picture", "down": "y"}, "text", "a.csv") == {
        "down": (2, "text")
    }
    with pytest.raises(ParseError, match="column 'x' is there twice"):
        found.present({"right": "x"}, "float64", "a.csv")
