"""Files with one JSON object a line."""

import math

import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.head import read_head
from gazetrack.readers.text.json_lines import first_objects, number, objects, vector


def head_of(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    return read_head(path)


def test_objects_come_with_their_lines_and_blank_lines_are_passed_over(tmp_path):
    head = head_of(tmp_path, '{"a": 1}\n\n{"b": [2, 3]}\n')
    assert list(objects(head)) == [(1, {"a": 1}), (3, {"b": [2, 3]})]
    assert first_objects(head) == [{"a": 1}, {"b": [2, 3]}]


@pytest.mark.parametrize("line", ["[1]", "3", '{"a": 1', "[" * 50_000, "x"])
def test_a_line_that_is_no_object_is_named(line, tmp_path):
    head = head_of(tmp_path, f'{{"a": 1}}\n{line}\n')
    with pytest.raises(ParseError, match="no JSON object") as caught:
        list(objects(head))
    assert caught.value.line == 2
    assert first_objects(head) == []
    assert first_objects(head, most=1) == [{"a": 1}]


@pytest.mark.parametrize("value", [True, None, "1", [1], {}])
def test_what_is_no_number_is_missing(value):
    assert math.isnan(number(value))
    assert all(map(math.isnan, vector(value, 2)))


def test_numbers_and_lists_of_as_many_as_are_wanted():
    assert number(3) == 3.0
    assert vector([1, 2.5], 2) == (1.0, 2.5)
    assert all(map(math.isnan, vector([1, 2, 3], 2)))
    first, second = vector([1, "x"], 2)
    assert first == 1
    assert math.isnan(second)


def test_a_whole_number_beyond_all_floats_is_missing(tmp_path):
    (found,) = first_objects(head_of(tmp_path, '{"a": 1' + "0" * 400 + "}\n"))
    assert math.isnan(number(found["a"]))
