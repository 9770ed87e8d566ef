"""A file from a server: whole and as published, or an error that says what happened."""

import dataclasses
import errno
import os
import sys

import pytest

from gazetrack.datasets.fetching import fetch
from gazetrack.errors import ConfigError, InputError, OutputError

DATA = bytes(range(256)) * 4000


@pytest.fixture
def file(shop):
    return shop.publish("data.bin", DATA)


def test_a_file_is_fetched_once(shop, file, tmp_path):
    steps = []
    path = fetch(file, tmp_path, lambda done, total: steps.append((done, total)))
    assert path.read_bytes() == DATA
    assert steps[-1] == (len(DATA), len(DATA))
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.bin"]
    fetch(file, tmp_path)
    assert len(shop.asked) == 1


def test_a_call_goes_on_where_the_one_before_was_cut_off(shop, file, tmp_path):
    shop.breaks_after = 300_000
    with pytest.raises(InputError, match="broke off") as caught:
        fetch(file, tmp_path)
    assert "kept" in caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.bin.part"]
    n_there = (tmp_path / "data.bin.part").stat().st_size
    shop.breaks_after = None
    assert fetch(file, tmp_path).read_bytes() == DATA
    assert shop.asked[-1] == ("data.bin", f"bytes={n_there}-")
    assert n_there > 0


def test_a_server_may_begin_anew(shop, file, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"something else")
    shop.ranges = False
    assert fetch(file, tmp_path).read_bytes() == DATA


def test_a_part_that_is_whole_already_needs_no_more(shop, file, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(DATA)
    assert fetch(file, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("before", [b"", b"a part of another file"])
def test_another_file_than_was_published_is_thrown_away(shop, file, tmp_path, before):
    shop.files["data.bin"] = b"tampered with" * 9
    if before:
        (tmp_path / "data.bin.part").write_bytes(before)
    with pytest.raises(InputError, match=file.md5):
        fetch(file, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_fetched_anew(shop, file, tmp_path):
    (tmp_path / "data.bin").write_bytes(b"half")
    assert fetch(file, tmp_path).read_bytes() == DATA


def test_without_a_digest_nothing_is_pieced_together(shop, file, tmp_path):
    file = dataclasses.replace(file, md5="")
    (tmp_path / "data.bin.part").write_bytes(b"of another packing")
    assert fetch(file, tmp_path).read_bytes() == DATA
    assert shop.asked == [("data.bin", None)]


def test_a_server_without_the_file(shop, file, tmp_path):
    del shop.files["data.bin"]
    with pytest.raises(InputError, match="404 Not Found") as caught:
        fetch(file, tmp_path)
    assert "home" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_nobody_there(file, tmp_path):
    away = dataclasses.replace(file, url="http://127.0.0.1:9/data.bin")
    with pytest.raises(InputError, match="no connection") as caught:
        fetch(away, tmp_path)
    assert "online" in caught.value.hint


def test_a_full_disk_keeps_what_is_there(shop, file, tmp_path, monkeypatch):
    opened = os.fdopen

    class Full:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, data):
            if self._file.tell() >= 262_144:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._file.write(data)

    monkeypatch.setattr(os, "fdopen", lambda *args: Full(opened(*args)))
    with pytest.raises(OutputError, match="No space left") as caught:
        fetch(file, tmp_path)
    assert "--dir" in caught.value.hint
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.bin.part"]
    monkeypatch.setattr(os, "fdopen", opened)
    assert fetch(file, tmp_path).read_bytes() == DATA


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such flag here")
def test_a_planted_link_is_not_followed(shop, file, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "data.bin.part").symlink_to(victim)
    with pytest.raises(OutputError):
        fetch(file, folder)
    assert victim.read_text() == "mine"


def test_without_pooch_it_says_what_to_install(file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ConfigError, match=r"gazetrack\[datasets\]"):
        fetch(file, tmp_path)


def test_what_came_before_an_early_break_is_kept(shop, file, tmp_path):
    shop.breaks_after = 500
    for n_calls in (1, 2, 3):
        with pytest.raises(InputError, match="broke off"):
            fetch(file, tmp_path)
        assert (tmp_path / "data.bin.part").read_bytes() == DATA[: 500 * n_calls]
    shop.breaks_after = None
    assert fetch(file, tmp_path).read_bytes() == DATA


def test_a_killed_process_leaves_what_the_next_one_takes(shop, file, tmp_path, monkeypatch):
    """Under a name that is the same each time; the file gets its own with its bytes on the disk."""
    synced = []
    with monkeypatch.context() as killed:
        killed.setattr(os, "fsync", lambda _: synced.append(file.name))
        killed.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch(file, tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.bin.part"]
    assert synced
    assert fetch(file, tmp_path).read_bytes() == DATA
    assert [entry.name for entry in tmp_path.iterdir()] == ["data.bin"]
