"""What was done of a study: believed while everything is the same, and whole after any crash."""

from __future__ import annotations

import json
import os

import pytest

from gazetrack.errors import InputError, LockedError, OutputError
from gazetrack.workflows.engine import manifest as module
from gazetrack.workflows.engine.manifest import Manifest, looking_in, state_of

PARAMETERS = {"eye": "'auto'", "samples": "False"}


@pytest.fixture
def study(tmp_path):
    """A manifest that says of one recording that it is done."""
    source, table = tmp_path / "a.csv", tmp_path / "out" / "a.parquet"
    table.parent.mkdir()
    source.write_text("raw")
    table.write_text("table")
    path = tmp_path / "study.jsonl"
    with Manifest(path) as manifest:
        files = [state_of(source) | {"sha256": module.sha256_of(source)}]
        outputs = [state_of(table) | {"path": "a.parquet", "sha256": module.sha256_of(table)}]
        manifest.add(
            "a.csv", files=files, parameters=PARAMETERS, outputs=outputs, outcome={"rows_in": 3}
        )
    return path


def why(path, parameters=PARAMETERS, key="a.csv"):
    folder = path.parent
    with Manifest(path, read_only=True) as manifest:
        return manifest.why(
            key, [state_of(folder / "a.csv")], parameters, looking_in(folder / "out")
        )


def touch(path, seconds):
    found = path.stat()
    os.utime(path, (found.st_atime, found.st_mtime + seconds))


def test_what_is_the_same_is_done(study):
    assert why(study) == ""
    with Manifest(study, read_only=True) as manifest:
        assert manifest.outcome("a.csv") == {"rows_in": 3}
        assert manifest.tables("a.csv") == ["a.parquet"]
        assert manifest.written("a.csv", looking_in(study.parent / "out")) == ("a.parquet",)
        assert manifest.written("b.csv", looking_in(study.parent / "out")) == ()
        assert manifest.has_size(3)
        assert not manifest.has_size(4)


def test_another_recording_is_new(study):
    assert why(study, key="b.csv") == "new"


def test_other_parameters_are_named(study):
    assert why(study, PARAMETERS | {"eye": "'left'"}) == "other parameters: eye"
    assert why(study, PARAMETERS | {"new": "1"}) == "other parameters: new"
    assert why(study, {"eye": "'auto'"}) == "other parameters: fewer"


def test_another_version_does_it_again(study, monkeypatch):
    monkeypatch.setattr(module, "__version__", "9.9")
    assert why(study).startswith("made by gazetrack 0.")


def test_a_recording_that_was_changed_is_done_again(study):
    source = study.parent / "a.csv"
    source.write_text("longer")
    assert why(study) == "the recording has changed"
    source.write_text("new")
    touch(source, 5)
    assert why(study) == "the recording has changed"


def test_where_only_the_time_is_another_the_bytes_decide(study, monkeypatch):
    touch(study.parent / "a.csv", 5)
    touch(study.parent / "out" / "a.parquet", 5)
    assert why(study) == ""


def test_of_what_was_not_touched_nothing_is_read(study, monkeypatch):
    monkeypatch.setattr(module, "sha256_of", lambda path: pytest.fail(f"{path} was read"))
    assert why(study) == ""


def test_a_table_that_is_gone_or_changed_is_made_again(study):
    table = study.parent / "out" / "a.parquet"
    table.write_text("TABLE")
    touch(table, 5)
    assert why(study) == "a.parquet has changed"
    table.unlink()
    assert why(study) == "a.parquet is not there"


def test_names_are_seen_from_the_folder_of_the_manifest(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Manifest("study.jsonl") as manifest:
        for path in (tmp_path / "x" / "b.csv", module.Path("x/b.csv"), module.Path("x/../x/b.csv")):
            assert manifest.name_of(path) == "x/b.csv"


@pytest.mark.parametrize("keep", range(0, 40, 3))
def test_a_line_that_was_cut_short_is_as_if_it_were_not_there(study, keep):
    with Manifest(study) as manifest:
        manifest.add("b.csv", files=[], parameters={}, outputs=[], outcome={})
    header, first, second = study.read_bytes().splitlines(keepends=True)
    study.write_bytes(header + first + second[:keep])
    assert why(study) == ""
    assert why(study, key="b.csv") == "new"
    with Manifest(study) as manifest:
        manifest.add("c.csv", files=[], parameters={}, outputs=[], outcome={})
    with Manifest(study, read_only=True) as manifest:
        assert manifest.outcome("a.csv") == {"rows_in": 3}
        assert manifest.outcome("c.csv") == {}


def test_the_last_word_about_a_recording_counts(study):
    with Manifest(study) as manifest:
        manifest.add("a.csv", files=[], parameters={}, outputs=[], outcome={"rows_in": 4})
        assert manifest.outcome("a.csv") == {"rows_in": 4}
    with Manifest(study, read_only=True) as manifest:
        assert manifest.outcome("a.csv") == {"rows_in": 4}


def test_damaged_lines_are_as_if_they_were_not_there(study):
    with study.open("ab") as file:
        file.write(b'[1, 2]\n{"key": "a.csv"}\n\xff\xfe\n' + b"[" * 100_000 + b"\n")
    assert why(study) == ""


@pytest.mark.parametrize("content", [b"x,y,t\n", b'{"file": "a"}\n', b"[" * 100_000])
def test_another_file_is_never_appended_to(tmp_path, content):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(OutputError, match="is there and is no manifest"):
        Manifest(path)
    assert path.read_bytes() == content


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(OutputError, match="cannot be written: Is a directory"):
        Manifest(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        Manifest(tmp_path, read_only=True)


@pytest.mark.skipif(os.name != "posix", reason="locks are POSIX")
def test_two_calls_do_not_work_with_one_manifest(study):
    with Manifest(study), pytest.raises(LockedError, match="another call works with it"):
        Manifest(study)
    with Manifest(study):
        pass


def test_reading_alone_makes_no_file(tmp_path):
    with Manifest(tmp_path / "none.jsonl", read_only=True) as manifest:
        assert manifest.why("a", [], {}, tmp_path) == "new"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told(study, monkeypatch):
    with Manifest(study) as manifest:
        monkeypatch.setattr(module.os, "write", lambda *_: 3)
        with pytest.raises(OutputError, match="no room"):
            manifest.add("b.csv", files=[], parameters={}, outputs=[], outcome={})


def test_every_line_is_json(study):
    header, line = study.read_text().splitlines()
    assert json.loads(header) == {"gazetrack_manifest": 1}
    assert json.loads(line)["key"] == "a.csv"


WHOLE = {"key": "a.csv", "version": "9", "files": [], "parameters": {}, "outputs": []}
DAMAGES = [
    {"key": ["a.csv"]},
    {"version": None},
    {"parameters": None},
    {"files": [{}]},
    {"files": [3]},
    {"files": {"bytes": 3, "sha256": ""}},
    {"files": [{"bytes": "3", "sha256": ""}]},
    {"outputs": [{}]},
    {"outputs": [{"path": 1, "bytes": 3, "sha256": ""}]},
    {"outcome": 3},
]


@pytest.mark.parametrize("damage", DAMAGES, ids=json.dumps)
def test_a_line_whose_values_are_not_what_they_are_is_as_if_it_were_not_there(study, damage):
    with study.open("a") as file:
        file.write(json.dumps(WHOLE | {"outcome": {}} | damage) + "\n")
    assert why(study) == ""
    with Manifest(study) as manifest:
        assert manifest.has_size(3)
        assert manifest.outcome("a.csv") == {"rows_in": 3}


def test_a_line_without_files_has_the_size_of_none(study):
    with study.open("a") as file:
        file.write(json.dumps(WHOLE | {"outcome": {}}) + "\n")
    with Manifest(study, read_only=True) as manifest:
        assert not manifest.has_size(3)


def test_an_empty_file_is_begun(tmp_path):
    path = tmp_path / "study.jsonl"
    path.touch()
    with Manifest(path, read_only=True) as manifest:
        assert not manifest.has_size(3)
    assert path.read_bytes() == b""
    with Manifest(path) as manifest:
        manifest.add("a.csv", files=[], parameters={}, outputs=[], outcome={})
    with Manifest(path, read_only=True) as manifest:
        assert manifest.outcome("a.csv") == {}


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX")
@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("target", ["study.jsonl", "none.jsonl"])
def test_a_symbolic_link_is_refused(study, read_only, target):
    link = study.parent / "link.jsonl"
    link.symlink_to(target)
    with pytest.raises(OutputError, match="is a symbolic link"):
        Manifest(link, read_only=read_only)


@pytest.mark.skipif(os.name != "posix", reason="locks are POSIX")
def test_it_is_locked_before_it_is_read(study, monkeypatch):
    lock = module._lock

    def late(descriptor, path):
        # Another call notes something, and ends, just before this one has the lock.
        with study.open("a") as file:
            file.write(json.dumps(WHOLE | {"key": "b.csv", "outcome": {"rows_in": 5}}) + "\n")
        lock(descriptor, path)

    monkeypatch.setattr(module, "_lock", late)
    with Manifest(study) as manifest:
        assert manifest.outcome("b.csv") == {"rows_in": 5}
