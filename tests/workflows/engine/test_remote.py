"""What happens at a worker: the right folder, the same versions, an end when that is asked for."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

from gazetrack.errors import ClusterError
from gazetrack.workflows.engine import remote
from gazetrack.workflows.engine.remote import Given, Terms, do, stop, versions
from tests.engine_tasks import HALF_WRITTEN_S


def terms(folder, study="one", **other):
    return Terms(study, str(folder), versions() | other)


def test_names_mean_what_they_mean_in_the_folder_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "here.txt").write_text("")
    assert do(Given("here.txt"), function=os.path.exists, terms=terms(tmp_path))


def test_other_versions_are_told(tmp_path):
    with pytest.raises(ClusterError, match=r"has numpy \d\S+, and here it is 0\.1 - install"):
        do(Given(1), function=abs, terms=terms(tmp_path, numpy="0.1"))


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ClusterError, match="does not see the folder"):
        do(Given(1), function=abs, terms=terms(tmp_path / "none"))


def waited(held):
    """Wait until told to stop, and tidy up."""
    try:
        held["begun"].set()
        end = time.monotonic() + HALF_WRITTEN_S
        while time.monotonic() < end:
            time.sleep(0.001)
    except remote.Stopped:
        held["tidied"] = True
        raise


def begin(folder, study, outcome):
    held = {"begun": threading.Event(), "tidied": False}

    def run():
        try:
            outcome.append(do(Given(held), function=waited, terms=terms(folder, study)))
        except remote.Stopped:
            outcome.append("stopped")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert held["begun"].wait(HALF_WRITTEN_S / 2)
    return thread, held


def test_only_tasks_of_a_study_end_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = []
    thread, held = begin(tmp_path, "one", outcome)
    assert asyncio.run(stop("another"))
    assert thread.is_alive()
    assert asyncio.run(stop("one"))
    thread.join(HALF_WRITTEN_S / 2)
    assert outcome == ["stopped"]
    assert held["tidied"]


def test_a_task_of_another_folder_waits_its_turn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    outcome, found = [], []
    thread, _ = begin(tmp_path, "one", outcome)

    def elsewhere():
        found.append(do(Given("."), function=os.path.abspath, terms=terms(other, "two")))

    second = threading.Thread(target=elsewhere, daemon=True)
    second.start()
    second.join(0.2)
    assert found == []
    assert asyncio.run(stop("one"))
    second.join(HALF_WRITTEN_S / 2)
    thread.join(HALF_WRITTEN_S / 2)
    assert found == [str(other)]


def test_a_file_is_seen_where_its_bytes_are_and_not_where_its_name_is(tmp_path, monkeypatch):
    for name in ("ours", "theirs"):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "images" / "p.png").write_bytes(name[:4].encode())
    monkeypatch.chdir(tmp_path / "ours")
    files = [remote.needed("images/p.png")]
    assert remote.unseen(str(tmp_path / "ours"), files) == ""
    assert remote.unseen(str(tmp_path / "theirs"), files) == "images/p.png"
    assert remote.unseen(str(tmp_path), files) == "images/p.png"
    assert remote.unseen(str(tmp_path), []) == ""
