"""The lock of a run's folder."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gazetrack.errors import LockedError
from gradtrack_model.training.folder_lock import FolderLock

pytest.importorskip("fcntl")


def test_one_at_a_time(tmp_path):
    folder = tmp_path / "runs" / "mine"
    lock = FolderLock(folder)
    assert folder.is_dir()
    with pytest.raises(LockedError, match="another trainer works in this folder - wait for it"):
        FolderLock(folder)
    lock.close()
    lock.close()  # a second time does nothing
    FolderLock(folder).close()


def test_a_process_that_is_gone_holds_no_lock(tmp_path):
    code = f"""
import os
from pathlib import Path
from gradtrack_model.training.folder_lock import FolderLock
FolderLock(Path({str(tmp_path)!r}))
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    FolderLock(tmp_path).close()


def test_a_file_in_the_way_is_left_to_whoever_writes(tmp_path):
    (tmp_path / "file").write_text("mine")
    FolderLock(tmp_path / "file").close()
    assert (tmp_path / "file").read_text() == "mine"
