"""JSON from anybody: what is wrong with it is said with the line or the field."""

from __future__ import annotations

import math

import pytest

from gazetrack.errors import InputError, ParseError
from gazetrack.measures.aoi_files import json_file
from gazetrack.measures.aoi_files.json_file import Fields, load


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": }', r":2: is no JSON: Expecting value"),
        ('{"a": 1, "a": 2}', "the key 'a' is there twice"),
        ('{"a": NaN}', "NaN is no number of JSON"),
        ("[1]", "is JSON, but no object"),
        ("[" * 100_000, "is no JSON"),
        ('{"a": "\xe4"}'.encode("latin-1"), "is no JSON"),
    ],
)
def test_what_is_no_object_is_told(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ParseError, match=message):
        load(path)


def test_a_mark_of_the_encoding_is_no_part_of_it(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert load(tmp_path / "a.json") == {"a": 1}


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text('{"a": 1}')
    monkeypatch.setattr(json_file, "MAX_BYTES", 8)
    assert load(tmp_path / "a.json")
    monkeypatch.setattr(json_file, "MAX_BYTES", 7)
    with pytest.raises(InputError, match="more than 7 bytes"):
        load(tmp_path / "a.json")
    with pytest.raises(InputError, match="cannot be read"):
        load(tmp_path / "none.json")


def test_fields_are_what_they_should_be(tmp_path):
    fields = Fields({"n": 1, "t": "x", "p": [[1, 2], [3.5, 4, 0]], "nothing": None}, "it", tmp_path)
    assert fields.number("n") == 1.0
    assert fields.text("t") == "x"
    assert fields.points("p") == ((1, 2), (3.5, 4))
    assert fields.number("nothing", 7.0) == 7
    assert not fields.has("nothing")
    assert Fields({"n": 10**400}, "it", tmp_path).number("n") == math.inf
    assert fields.size("w", "h") is None
    for call, message in (
        (lambda: fields.number("t"), 'it has "x" as t'),
        (lambda: fields.text("n"), "it has 1 as n"),
        (lambda: fields.number("missing"), "it has no missing"),
        (lambda: fields.only(["n", "t", "p"]), "it has an unknown field 'nothing'"),
        (lambda: Fields({"p": [[1]]}, "it", tmp_path).points("p"), r"a corner \[1\]"),
        (lambda: Fields({"b": True}, "it", tmp_path).number("b"), "it has true as b"),
        (lambda: Fields({"w": 1e308, "h": 1}, "it", tmp_path).size("w", "h"), "an image of 1e"),
        (lambda: Fields({"w": 1.5, "h": 2}, "it", tmp_path).size("w", "h"), "an image of 1.5 x 2"),
        (lambda: Fields([], "it", tmp_path), "it is no object"),
    ):
        with pytest.raises(ParseError, match=message):
            call()


def test_a_misspelt_field_is_told_what_it_may_be(tmp_path):
    with pytest.raises(ParseError) as caught:
        Fields({"widht_px": 1}, "it", tmp_path).only(["x_px", "width_px"])
    assert "did you mean 'width_px'?" in caught.value.hint
