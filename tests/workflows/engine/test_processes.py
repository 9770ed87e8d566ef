"""Several processes: those that die are replaced, and none outlives the one that began them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from gazetrack.workflows.engine.run import Engine, over
from tests.engine_tasks import HALF_WRITTEN_S, die, refuse, squared, write_slowly
from tests.places import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


def done(function, items, **engine):
    lost = lambda item, error: f"{item[0].name}: {error.what}"  # noqa: E731
    return list(over(function, items, Engine(jobs=2, **engine), total=len(items), lost=lost))


def test_the_results_come_in_order():
    assert done(squared, range(20)) == [number**2 for number in range(20)]


def test_what_a_function_raises_ends_everything():
    with pytest.raises(ValueError, match="nobody likes"):
        done(refuse, range(5))


@posix
def test_items_of_a_worker_that_is_killed_are_done_by_another(tmp_path):
    items = [(tmp_path / f"{number}.txt", int(number == 2)) for number in range(5)]
    assert done(die, items) == [f"{number}.txt" for number in range(5)]
    assert {path.read_text() for path, _ in items} == {"whole"}
    assert list(tmp_path.glob(".*")) == []


@posix
def test_an_item_that_kills_its_workers_is_given_up_and_the_others_are_done(tmp_path):
    items = [(tmp_path / f"{number}.txt", 99 * (number == 1)) for number in range(4)]
    results = done(die, items, retries=1)
    assert results[1].startswith("1.txt: its worker died 2 times")
    assert [results[0], *results[2:]] == ["0.txt", "2.txt", "3.txt"]
    assert len(list(tmp_path.glob("1.txt.try*"))) == 2
    assert not (tmp_path / "1.txt").exists()


def wait_for(condition):
    end = time.monotonic() + HALF_WRITTEN_S / 2
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


# Two processes at work, and the one that has started them.
STARTED = """
import sys
from gazetrack.workflows.engine.run import Engine, over
from tests.engine_tasks import write_slowly
if __name__ == "__main__":
    list(over(write_slowly, sys.argv[1:], Engine(jobs=2), total=2, lost=None))
"""


@posix
def test_processes_end_with_the_one_that_is_killed_and_remove_what_is_half_written(tmp_path):
    script = tmp_path / "started.py"
    script.write_text(STARTED)
    folder = tmp_path / "out"
    files = [str(folder / name) for name in "ab"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(script), *files], env=env)
    wait_for(lambda: len(list(folder.glob(".*.gtmp"))) == 2)
    process.kill()
    process.wait()
    wait_for(lambda: list(folder.iterdir()) == [])


@posix
def test_a_caller_that_stops_early_leaves_nothing_half_written(tmp_path):
    items = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    tasks = over(write_slowly, items, Engine(jobs=2), total=3, lost=None)
    told = iter(range(10))
    with pytest.raises(KeyboardInterrupt):
        _until_half_written(tasks, tmp_path, told)
    assert list(tmp_path.iterdir()) == []


def _until_half_written(tasks, folder, told):
    """Take results until both processes have begun, and be interrupted then."""
    import threading

    def interrupt():
        wait_for(lambda: len(list(folder.glob(".*.gtmp"))) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        list(tasks)
    finally:
        signal.signal(signal.SIGINT, before)
        thread.join()


# A worker that needs a while to tidy up, and is told to end twice meanwhile.
TOLD_TWICE = """
import os, signal, sys, time
from gazetrack import publish
from gazetrack.workflows.engine import processes

processes._begin()
unlink = os.unlink
def slow(path):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)
    unlink(path)
os.unlink = slow
with publish.publish(sys.argv[1]):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_a_worker_that_is_told_twice_to_end_still_tidies_up(tmp_path):
    done = subprocess.run([sys.executable, "-c", TOLD_TWICE, str(tmp_path / "a.bin")], check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
