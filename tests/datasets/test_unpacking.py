"""Archives, unpacked file by file, whatever they hold."""

import errno
import os
import zipfile
from pathlib import Path

import pytest

from gazetrack.datasets import unpacking
from gazetrack.datasets.unpacking import unpack
from gazetrack.errors import InputError, OutputError
from tests.dataset_server import toy_archive, zipped


def packed(tmp_path, files):
    path = tmp_path / "a.zip"
    path.write_bytes(files if isinstance(files, bytes) else zipped(files))
    return path


def names_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_archives_within_archives_become_folders(tmp_path):
    found = unpack(packed(tmp_path, toy_archive()), tmp_path / "out")
    assert names_in(tmp_path / "out") == [
        "README.txt",
        "Round_1/Subject_1001/S1/S_1001_S1_FXS.csv",
        "Round_1/Subject_1001/S1/S_1001_S1_TEX.csv",
        "Round_1/Subject_1002/S1/S_1002_S1_TEX.csv",
    ]
    assert (len(found.files), found.n_others) == (4, 0)


@pytest.mark.parametrize(
    ("pattern", "n"), [("*_TEX.csv", 2), ("Round_1/Subject_1001/*", 2), ("*.pdf", 0)]
)
def test_what_was_asked_for_alone(tmp_path, pattern, n):
    found = unpack(packed(tmp_path, toy_archive()), tmp_path / "out", [pattern])
    assert (len(found.files), found.n_others) == (n, 4 - n)


def test_what_is_there_stays_and_what_is_cut_off_is_written_anew(tmp_path):
    archive = packed(tmp_path, {"a.csv": "1,2\n", "b.csv": "3,4\n"})
    out = tmp_path / "out"
    unpack(archive, out)
    untouched = (out / "b.csv").stat().st_mtime_ns
    for not_whole in ("1", "1,9\n"):  # of the same size, too
        (out / "a.csv").write_text(not_whole)
        unpack(archive, out)
        assert (out / "a.csv").read_text() == "1,2\n"
        assert (out / "b.csv").stat().st_mtime_ns == untouched


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("x.csv", "1"), ("x.csv", "2")], "two files called 'x.csv'"),
        ([("x.csv", "1"), ("./x.csv", "2")], "two files called 'x.csv'"),
        ([("s.zip", zipped({"n.csv": "1"})), ("s/n.csv", "2")], "two files called 's/n.csv'"),
        ([("a", "1"), ("a/b.csv", "2")], "a file and a folder at 'a/b.csv'"),
        ([("a/b/c.csv", "1"), ("a", "2")], "a file and a folder at 'a'"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_file_takes_the_place_of_another(tmp_path, members, message):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    with pytest.raises(InputError, match=rf"a\.zip.*holds {message}.*unpack it yourself"):
        unpack(path, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_same_file_twice_is_one(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a/x.csv", "a/x.csv", "a/y.csv"):
            archive.writestr(name, "1")
    found = unpack(path, tmp_path / "out")
    assert [file.name for file in found.files] == ["x.csv", "y.csv"]


def test_a_file_that_is_there_and_cannot_be_read_is_named(tmp_path, monkeypatch):
    archive = packed(tmp_path, {"a.csv": "1,2\n"})
    unpack(archive, tmp_path / "out")
    opened = Path.open

    def failing(path, *arguments, **options):
        if path.name == "a.csv":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(InputError, match=r"a\.csv.*cannot be read: Input/output error.*remove it"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "C:x.csv", "a\\..\\x.csv", "a\n.csv"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    archive = packed(tmp_path, {"fine.csv": "1", name: "2"})
    with pytest.raises(InputError, match="leads elsewhere"):
        unpack(archive, tmp_path / "deep" / "out")
    assert names_in(tmp_path / "deep") in (["out/fine.csv"], [])


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_RATIO_MATTERS_BYTES", 1000)
    monkeypatch.setattr(unpacking, "_MAX_RATIO", 100)
    with pytest.raises(InputError, match="100 times its size"):
        unpack(packed(tmp_path, {"a.csv": "0" * 1_000_000}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_MAX_FILES", 3)
    with pytest.raises(InputError, match="more than 3 files"):
        unpack(packed(tmp_path, {f"{n}.csv": "1" for n in range(4)}), tmp_path / "out")


@pytest.mark.parametrize("damage", ["cut", "flip", "none"])
def test_a_damaged_archive_is_named(tmp_path, damage):
    data = bytearray(zipped({"a.csv": os.urandom(4000).hex()}))
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flip":
        data[2000] ^= 0xFF
    else:
        data = bytearray(b"<html>moved</html>")
    with pytest.raises(InputError, match="damaged archive"):
        unpack(packed(tmp_path, bytes(data)), tmp_path / "out")
    assert not (tmp_path / "out" / "a.csv").exists()


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    archive = packed(tmp_path, {"a.csv": "1,2\n"})

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(unpacking, "_copy", full)
    with pytest.raises(OutputError):
        unpack(archive, tmp_path / "out")
    assert names_in(tmp_path / "out") == []
