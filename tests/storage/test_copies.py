"""Private folders: nobody else's, gone afterwards, and named where they cannot be made."""

from __future__ import annotations

import os
import tempfile

import pytest

from gazetrack.errors import OutputError
from gazetrack.storage.copies import private_folder


def test_a_private_folder_is_nobody_elses(tmp_path):
    with private_folder() as folder:
        assert os.name != "posix" or folder.stat().st_mode & 0o077 == 0


def test_no_folder_for_copies_is_told(monkeypatch):
    before = tempfile.tempdir
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    with pytest.raises(OutputError, match="no folder for temporary files"), private_folder():
        pass
    monkeypatch.setattr(tempfile, "tempdir", before)


def test_nothing_is_left_of_a_private_folder_after_an_error():
    kept = []

    def fails():
        with private_folder() as folder:
            (folder / "a").write_text("x")
            kept.append(folder)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert not kept[0].exists()
