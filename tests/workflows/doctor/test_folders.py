"""Caches that cannot be kept, models that are others, and disks that are full."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gazetrack.workflows.doctor import folders
from gazetrack.workflows.doctor.folders import check_folders, size_of, unwritable


@pytest.fixture
def kernels(monkeypatch, tmp_path):
    """The folder of compiled kernels, as `cache_folder` would find it."""
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("GAZETRACK_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "kernels"
    folder.mkdir()
    monkeypatch.setattr(folders, "kernel_cache", lambda: folder)
    return folder


def by_name(name):
    return next(one for one in check_folders() if one.name == name)


def test_compiled_kernels_are_counted(kernels):
    (kernels / "a").mkdir()
    (kernels / "a" / "text.nbc").write_bytes(b"x" * 3000)
    (kernels / "a" / "text.nbi").write_bytes(b"x" * 72)
    found = by_name("compiled kernels")
    assert found.state == "ok"
    assert found.facts == {"folder": str(kernels), "bytes": 3072, "kernels": 1}
    assert found.what == f"{kernels}: 1 kernels, 3.0 KiB"


def test_nothing_compiled_is_a_note_that_says_how(kernels):
    found = by_name("compiled kernels")
    assert found.state == "note"
    assert "gazetrack warm-up" in found.do


def test_no_private_folder_is_a_problem(kernels, monkeypatch):
    monkeypatch.setattr(folders, "kernel_cache", lambda: None)
    found = by_name("compiled kernels")
    assert found.state == "problem"
    assert "NUMBA_CACHE_DIR" in found.do


def test_uncompiled_kernels_are_a_problem(kernels, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    found = by_name("compiled kernels")
    assert (found.state, found.do) == ("problem", "unset NUMBA_DISABLE_JIT")


def test_a_full_disk_is_a_problem(kernels, monkeypatch):
    def full(**_where):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    for name in ("compiled kernels", "prompt models"):
        found = by_name(name)
        assert found.state == "problem"
        assert "No space left on device" in found.what
        assert "make room" in found.do


def test_a_folder_that_is_to_be_made_is_tried_at_its_parent(tmp_path):
    assert unwritable(tmp_path / "a" / "b") == ""
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    assert unwritable(tmp_path / "file" / "b") == f"{tmp_path / 'file'} is a file"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    assert "Permission denied" in unwritable(tmp_path)


def test_other_models_under_a_known_name_are_a_problem(kernels, tmp_path):
    folder = tmp_path / "models" / "mobilesam"
    folder.mkdir(parents=True)
    for name in ("encoder.onnx", "decoder.onnx"):
        (folder / name).write_bytes(b"something else")
    found = by_name("prompt models")
    assert found.state == "problem"
    assert "mobilesam" in found.what
    assert found.do.startswith(f"remove {folder}, then: ")


def test_no_models_are_a_note(kernels):
    found = by_name("prompt models")
    assert (found.state, found.facts["installed"]) == ("note", [])


def test_no_home_is_a_problem(kernels, monkeypatch):
    def homeless():
        raise RuntimeError("no home")

    monkeypatch.delenv("GAZETRACK_MODELS")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    found = by_name("prompt models")
    assert found.state == "problem"
    assert "GAZETRACK_MODELS" in found.do


def test_whatever_else_is_kept_has_its_size(kernels, tmp_path):
    for name in ("kernels", "models", "datasets"):
        folder = tmp_path / "caches" / "gazetrack" / name
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"12345")
    found = by_name("datasets")
    assert found.facts["bytes"] == 5
    assert [one.name for one in check_folders()].count("kernels") == 0


def test_little_room_for_temporary_files_is_a_problem(kernels, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    found = by_name("temporary files")
    assert found.state == "problem"
    assert "TMPDIR" in found.do


def test_what_goes_while_it_is_counted_counts_nothing(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").write_bytes(b"12")
    real = Path.lstat

    def gone(path):
        if path.name == "b":
            raise FileNotFoundError
        return real(path)

    monkeypatch.setattr(Path, "lstat", gone)
    assert size_of(tmp_path) == 3
