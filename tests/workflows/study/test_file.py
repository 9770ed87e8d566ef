"""A study file: read, found, and where something stands in it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.study.file import MOST_BYTES, StudyFile, find_study, read_study

TEXT = '''# a study
name = 1

[study]
# the exports
inputs = [
  "a",   # one
  "b",
]

out = "results"
screen.pixels = "1x1"

[events]
set = { min_duration_ms = 60 }
note = """
[convert]
eye = "left"
"""
detector = "ivt"

[[measures]]
aois = "x"
[[measures]]
aois = "y"
out = "z"
'''
LINES = {
    ("name",): 2,
    ("study",): 4,
    ("study", "inputs"): 6,
    ("study", "out"): 11,
    ("study", "screen", "pixels"): 12,
    ("events",): 14,
    ("events", "set"): 15,
    ("events", "set", "min_duration_ms"): 15,
    ("events", "note"): 16,
    ("events", "detector"): 20,
    ("measures",): 22,
    ("measures", 0, "aois"): 23,
    ("measures", 1): 24,
    ("measures", 1, "aois"): 25,
    ("measures", 1, "out"): 26,
    ("convert",): None,
    ("study", "nothing"): None,
}


def written(folder, text, name="study.toml"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("keys", "line"), list(LINES.items()), ids=str)
def test_what_is_said_has_a_line(tmp_path, keys, line):
    assert read_study(written(tmp_path, TEXT)).line_of(list(keys)) == line


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 30), st.integers(0, 4), st.lists(st.sampled_from(["", "# x"]), max_size=4))
def test_a_line_is_found_among_any_number_of_others(n_keys, n_values, blank):
    lines, expected = ["[a]"], {}
    for number in range(n_keys):
        lines += blank
        expected[f"k{number}"] = len(lines) + 1
        lines += [f"k{number} = [", *["  1,"] * n_values, "]"]
    text = "\n".join(lines)
    study = StudyFile(None, tomllib.loads(text), text)
    assert {key: study.line_of(["a", key]) for key in expected} == expected


def test_a_file_is_found_here_or_above(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    with pytest.raises(InputError, match=r"no gazetrack\.toml here, nor in a folder above"):
        find_study(inner)
    outer = written(tmp_path, "", "gazetrack.toml")
    assert find_study(inner) == outer
    nearest = written(inner, "", "gazetrack.toml")
    assert find_study(inner) == nearest


def test_what_is_no_toml_says_where(tmp_path):
    with pytest.raises(ConfigError, match=r"study\.toml:2:\d+: no TOML: .*texts stand in quotes"):
        read_study(written(tmp_path, "[study]\nout = results\n"))
    with pytest.raises(ConfigError, match=r"study\.toml: no TOML: "):
        read_study(written(tmp_path, '[study]\nout = ["results"'))
    with pytest.raises(ConfigError, match=r"study\.toml.*no TOML: "):
        read_study(written(tmp_path, "[study]\n[study]\n"))


def test_what_is_no_file_of_text_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such study file"):
        read_study(tmp_path / "nothing.toml")
    with pytest.raises(InputError, match="there is no such study file"):
        read_study(tmp_path)
    (tmp_path / "study.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot be read"):
        read_study(tmp_path / "study.toml")
    deep = "x = " + "[" * 100_000
    with pytest.raises(ConfigError, match=r"nested too deeply|no TOML"):
        read_study(written(tmp_path, deep))
    (tmp_path / "study.toml").write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(InputError, match="too large"):
        read_study(tmp_path / "study.toml")


def test_tables_are_one_or_several(tmp_path):
    study = read_study(written(tmp_path, TEXT))
    assert study.each("convert") == []
    assert [table["aois"] for table in study.each("measures")] == ["x", "y"]
    assert len(study.each("events")) == 1
    with pytest.raises(ConfigError, match=r"study\.toml:2: name is no table"):
        study.each("name")


def test_an_unknown_key_names_the_nearest(tmp_path):
    study = read_study(written(tmp_path, "[study]\nscren = 1\n"))
    error = study.unknown(["study", "scren"], ["screen", "out"], "unknown")
    assert str(error).startswith(str(tmp_path))
    assert error.line == 2
    assert error.hint == "did you mean 'screen'? there are out, screen"


def test_a_key_that_is_there_twice_is_said_to_be(tmp_path):
    (tmp_path / "study.toml").write_text("[study]\nout = 'a'\nout = 'b'\n")
    with pytest.raises(ConfigError, match=r"study\.toml:3:.*there twice: keep one"):
        read_study(tmp_path / "study.toml")
