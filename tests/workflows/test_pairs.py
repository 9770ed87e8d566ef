"""The recordings of a conversion, and what their files are called without their names."""

from __future__ import annotations

import pytest

from gazetrack.errors import InputError, OutputError
from gazetrack.workflows.inputs import find_sources
from gazetrack.workflows.pairs import find_pairs, without_manifest
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


def test_a_manifest_may_be_of_outputs_that_lie_elsewhere(folder, tmp_path):
    pytest.importorskip("fsspec")
    pairs = found([folder], out="memory://tables", manifest=tmp_path / "study.jsonl")
    assert {source.out_url for source, _ in pairs} == {"memory://tables"}


def test_exports_but_for_the_manifest_among_them(folder):
    sources = find_sources([folder])
    assert without_manifest(sources, folder / "study.jsonl") == sources
    assert without_manifest(sources, folder / "a.csv") == sources[1:]
