"""Private folders: nobody else's, gone afterwards, and named where they cannot be made."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

from gazetrack.errors import OutputError
from gazetrack.storage import copies
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


KILLED = """
import os, signal
from gazetrack.storage.copies import private_folder
with private_folder() as folder:
    (folder / "raw.tsv").write_text("gaze of a person")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills its own process by a signal")
def test_copies_of_a_process_that_was_killed_are_removed_by_the_next(tmp_path, monkeypatch):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "raw.tsv").read_text() == "gaze of a person"
    other = tmp_path / ".gazetrack-but-a-file.1.gtmp"
    other.write_text("not ours")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    copies._remove_left.cache_clear()
    with private_folder() as folder, private_folder() as another:
        assert folder != another
        copies._remove_left.cache_clear()
        with private_folder():
            assert folder.is_dir(), "one of a process that works is never taken"
    assert list(tmp_path.iterdir()) == [other]
