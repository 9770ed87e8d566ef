"""`benchmarks/run_all.py`: what is met, what is not, and what nobody can judge."""

import subprocess
import sys

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import run_all
from run_all import BENCHES, WORKS, Work, judged, memory_lines

FAST = Work(
    name="read",
    bench="events",
    ours="ours",
    peers=("peer",),
    floor="floor",
    faster=10,
    over_floor=4,
)
TIMES = {"ours": 1.0, "peer a": 30.0, "peer b": 12.0, "floor": 0.5, "other": 0.1}


def line(work, **times):
    return judged(work, {"seconds": TIMES | times})


def test_the_best_peer_counts():
    found = line(FAST)
    assert (found["peer"], found["peer_over_ours"], found["ours_over_floor"]) == ("peer b", 12, 2)
    assert found["met"] is True


@pytest.mark.parametrize("times", [{"peer b": 9.0}, {"floor": 0.2}])
def test_one_reach_that_fails_is_enough(times):
    assert line(FAST, **times)["met"] is False


def test_without_a_peer_nothing_is_judged_but_what_fails():
    alone = {"ours": 1.0, "floor": 0.5}
    assert judged(FAST, {"seconds": alone})["met"] is None
    assert judged(FAST, {"seconds": alone | {"floor": 0.1}})["met"] is False


def test_a_limit_in_seconds():
    work = Work(name="convert", bench="commands", ours="ours", most_s=0.9)
    assert line(work)["met"] is False
    assert line(work, ours=0.8)["met"] is True
    assert line(work)["reach"] == "<= 0.9 s"


def test_a_benchmark_that_failed_is_named_and_not_judged():
    found = judged(FAST, {"error": "more than 5 s"})
    assert (found["error"], found["met"]) == ("more than 5 s", None)
    assert memory_lines({"error": "no room"}) == [
        {"format": "all", "error": "no room", "met": None}
    ]


def test_a_benchmark_that_is_too_slow_or_fails_says_so(monkeypatch, tmp_path):
    def slow(command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(run_all.subprocess, "run", slow)
    assert run_all.run("crf", 5, tmp_path) == {"error": "more than 5 s"}
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nModuleNotFoundError: no cv2\n")
    monkeypatch.setattr(run_all.subprocess, "run", lambda *_, **__: failed)
    assert run_all.run("crf", 5, tmp_path) == {"error": "ModuleNotFoundError: no cv2"}


def test_every_work_names_a_benchmark_that_is_there():
    assert {work.bench for work in WORKS} | {"memory"} == set(BENCHES)
    for script, *_ in BENCHES.values():
        assert (ROOT / "benchmarks" / script).is_file()


def test_scanpaths_are_judged_at_the_size_that_the_line_names():
    work = next(work for work in WORKS if work.bench == "measures")
    seconds = {"multimatch": {"800": 0.01}, "multimatch_gaze": {"800": 2.0}}
    found = judged(work, {"seconds": seconds})
    assert (found["peer"], found["peer_over_ours"]) == ("multimatch_gaze", pytest.approx(200))
    assert found["met"] is True
