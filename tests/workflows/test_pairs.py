"""The recordings of a conversion, and what their files are called without their names."""

from __future__ import annotations

import pytest

from gazetrack.errors import ConfigError, InputError, OutputError
from gazetrack.workflows.pairs import find_pairs
from gazetrack.workflows.read import InputOptions


@pytest.fixture
def folder(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x,y,t\n1,2,3\n")
    return tmp_path


def found(paths, **more):
    return find_pairs(paths, InputOptions(), **{"out": None, "names_files": True} | more)


def test_files_are_counted(folder):
    pairs = found([folder])
    assert [source.path.name for source, _ in pairs] == ["a.csv", "b.csv"]
    assert [files[0].label for _, files in pairs] == ["input 1 of 2", "input 2 of 2"]


def test_outputs_are_not_called_after_files_that_are_not_named(folder):
    pairs = found([folder / "a.csv"], names_files=False)
    assert [source.target.name for source, _ in pairs] == ["unnamed"]


def test_an_empty_folder_is_not_named_where_files_are_not(tmp_path):
    with pytest.raises(InputError, match=tmp_path.name):
        found([tmp_path])
    with pytest.raises(InputError) as caught:
        found([tmp_path], names_files=False)
    assert tmp_path.name not in str(caught.value)


def test_a_manifest_is_no_export_and_never_one(folder):
    pairs = found([folder], manifest=folder / "b.csv")
    assert [source.path.name for source, _ in pairs] == ["a.csv"]
    with pytest.raises(OutputError, match="over the input"):
        found([folder / "a.csv"], manifest=folder / "a.csv")


def test_a_manifest_is_of_files_of_this_machine(folder, tmp_path):
    pytest.importorskip("fsspec")
    with pytest.raises(ConfigError, match="files on this machine alone"):
        found([folder], out="memory://tables", manifest=tmp_path / "study.jsonl")
