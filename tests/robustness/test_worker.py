"""The process that judges mutants is started again when it dies, and its death is a fault."""

import os
import sys
import time

import pytest

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import _goals_mutants
import _mutant_worker
from _mutant_verdicts import Verdict

ANSWER = '{"number": 1, "case": "a", "what": "b", "kind": "any"}'


def worker(monkeypatch, program):
    """A worker whose process is a program of one line."""
    made = _mutant_worker.Worker(7)
    made._command = [sys.executable, "-c", f"print('ready', flush=True)\n{program}"]
    return made


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import os; input(); os.abort()", "exit status -6"),
        ("import time; input(); time.sleep(600)", "no answer within"),
        ("import os, signal; input(); os.kill(os.getpid(), signal.SIGXCPU)", "of the processor"),
    ],
)
def test_a_process_that_dies_or_hangs_is_a_hard_failure(monkeypatch, program, said):
    if said == "no answer within":  # one that dies has all the time that it takes
        monkeypatch.setattr(_mutant_worker, "HANGS_AFTER_S", 0.5)
    start = time.monotonic()
    one = worker(monkeypatch, program)
    found = list(one.verdicts([3, 4]))
    one.close()
    assert [(verdict.number, verdict.verdict) for verdict in found] == [(3, "hard"), (4, "hard")]
    assert said in found[0].detail
    assert time.monotonic() - start < 300


def test_answers_are_verdicts(monkeypatch):
    one = worker(monkeypatch, f"while True: input(); print('''{ANSWER}''', flush=True)")
    found = list(one.verdicts([1, 2]))
    one.close()
    assert [verdict.verdict for verdict in found] == ["read", "read"]
    assert os.getpid()


def made(n, **facts):
    return [
        Verdict(number=number, **{"case": "a", "what": "b", "kind": "any"} | facts)
        for number in range(n)
    ]


def judged(found):
    """Return the rows that follow from what became of mutants, by their goals."""
    counts = _goals_mutants.counted(found)
    return {goal: of_counts(counts, [7]) for goal, of_counts in _goals_mutants.OF_COUNTS.items()}


def test_rows_count_and_judge():
    assert judged(made(5000) + made(3, verdict="hard"))["G1"].met is False
    assert judged(made(10))["G1"].met is None, "fewer than the floor asks for"
    assert judged(made(10) + made(1, verdict="hard"))["G1"].met is False
    enough = made(5000) + made(300, kind="error") + made(300, kind="harmless")
    enough += made(300, kind="notice", verdict="refused", parsing=True, placed=True)
    rows = judged(enough)
    assert all(row.met for row in rows.values())
    assert rows["G4"].figure == "100.00 % of 300"
    assert rows["G3"].figure == "0 of 300; 0 of 300"
    without = {kind: [one for one in enough if one.kind != kind] for kind in ("error", "harmless")}
    rows = judged(without["error"])
    assert (rows["G3"].met, rows["G4"].met) == (None, True), "a share of none is no ground"
    rows = judged([*without["harmless"], *made(9, kind="harmless")])
    assert (rows["G3"].met, rows["G4"].met) == (True, None)
    enough += made(1, kind="error", verdict="silent")
    assert judged(enough)["G3"].met is False
