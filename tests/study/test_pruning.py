"""Runs that are given up: which, that they are said to be, and that nothing depends on a pause."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from gradtrack_model.study import runner
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.study.pruning import RULE, MedianRule, curve_of, read_curve
from tests.pages_of_html import read_page
from tests.studies import jobs_of, run

PEER = json.loads((Path(__file__).parent / "pruning.json").read_text())


def rows_of(curve):
    return [{"step": step, "val_dice": value} for step, value in curve.items()]


def ended_at(rule, curve):
    """Return the step at which a run is given up, or None."""
    rows = []
    for row in rows_of(curve):
        rows.append(row)
        if rule.reason(rows):
            return row["step"]
    return None


def test_it_ends_the_runs_that_optuna_ends():
    rule = MedianRule(steps=PEER["steps"])
    ends = []
    for one in PEER["runs"]:
        curve = {int(step): value for step, value in one["curve"].items()}
        ends.append(ended_at(rule, curve))
        if ends[-1] is None:
            rule.curves.append(curve)
    assert ends == [one["ended"] for one in PEER["runs"]]
    assert 5 < sum(end is not None for end in ends) < len(ends) - 5


def test_every_run_has_its_time_and_enough_others_to_be_compared_with():
    bad, good = {10: 0.1, 20: 0.1, 30: 0.1}, {10: 0.5, 20: 0.5, 30: 0.5}
    assert ended_at(MedianRule(steps=30, curves=[good] * 2), bad) is None
    assert ended_at(MedianRule(steps=30, curves=[good] * 3), bad) == 10
    assert ended_at(MedianRule(steps=60, curves=[good] * 3), bad) == 20
    assert ended_at(MedianRule(steps=30, curves=[{7: 0.9}] * 3), bad) is None
    # One that was good once may become so again; one as good as the median is not hopeless.
    assert ended_at(MedianRule(steps=30, curves=[good] * 3), {10: 0.6, 20: 0.1, 30: 0.1}) is None
    assert ended_at(MedianRule(steps=30, curves=[good] * 3), good) is None


def test_a_curve_is_that_of_the_file(tmp_path):
    value = 0.123456789
    (tmp_path / "metrics.csv").write_text(f"step,loss,val_dice\n1,0.5,\n2,0.4,{value:.6g}\n")
    assert read_curve(tmp_path / "metrics.csv") == {2: 0.123457}
    rows = [{"step": 1, "loss": 0.5}, {"step": 2, "val_dice": value}]
    assert curve_of(rows) == {2: 0.123457}


@pytest.fixture
def doomed(monkeypatch):
    """Let the fourth run be far worse than the three before it, whatever it learns."""
    real = runner.read_curve

    def curve(path):
        return dict.fromkeys(real(path), 2.0)

    monkeypatch.setattr(runner, "read_curve", curve)


def contents(folder):
    return {
        name: (folder / "run" / name).read_bytes()
        for name in ("best.safetensors", "last.safetensors")
    }


@pytest.mark.slow
def test_hopeless_runs_end_and_every_table_says_so(folder, doomed, tmp_path):
    jobs = jobs_of(folder, ("full", "gradtrack"), (0, 1), image_size=32)
    told = []
    done = compare_methods(jobs, tmp_path / "out", prune=True, tell=told.append)
    assert [result.facts["steps"] for result in told] == [6, 6, 6, 3]
    assert told[3].facts["given_up"].startswith("given up after step 3 of 6: its best validation")
    assert [line["ended_early"] for line in done.lines] == [0, 1]
    table = (tmp_path / "out" / "comparison.md").read_text()
    assert "| gradtrack, 1 of 2 runs ended early |" in table
    facts = json.loads((tmp_path / "out" / "comparison.json").read_text())
    assert facts["pruning"] == RULE
    assert facts["runs"][3]["given_up"] == told[3].facts["given_up"]
    assert RULE in read_page(tmp_path / "out" / "comparison.html").text
    report = read_page(tmp_path / "out" / "gradtrack" / "1" / "run" / "report.html").text
    assert "given up after step 3 of 6" in report
    # Called again, nothing is done twice; without the rule, the run goes on to its end.
    again = []
    compare_methods(jobs, tmp_path / "out", prune=True, tell=again.append)
    assert all(result.again for result in again)
    whole = compare_methods(jobs, tmp_path / "out", tell=(later := []).append)
    assert [result.facts["steps"] for result in later] == [6, 6, 6, 6]
    assert [line["ended_early"] for line in whole.lines] == [0, 0]
    never = tmp_path / "never"
    compare_methods(jobs[3:], never)
    assert contents(jobs[3].folder(tmp_path / "out")) == contents(jobs[3].folder(never))


def test_an_interrupted_comparison_ends_the_same_runs(folder, doomed, tmp_path):
    jobs = jobs_of(folder, ("full", "gradtrack"), (0, 1), image_size=32)

    def stop(job, progress):
        if job.name == "gradtrack" and job.seed == 1 and progress.step == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = compare_methods(jobs, tmp_path / "out", prune=True, report=stop)
    assert stopped.stopped_by == signal.SIGTERM
    done = compare_methods(jobs, tmp_path / "out", prune=True)
    assert [result.facts["steps"] for result in done.results] == [6, 6, 6, 3]


def test_the_command_prunes_where_it_is_told_to(folder):
    line = "--preset tiny --steps 3 --image-size 32 --batch-size 2 --set val_every=3"
    line += " --set tensorboard=false --methods full --prune --json -q"
    done = run(line)
    assert done.return_value == 0
    facts = json.loads((folder / "comparison" / "comparison.json").read_text())
    assert facts["pruning"] == RULE
