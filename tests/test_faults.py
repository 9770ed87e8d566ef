"""Every command that writes, with every kind of fault at the calls that change files.

A part of them, evenly spread; `benchmarks/robustness.py` takes all. Where the runs of a command are
slow, few.
"""

from __future__ import annotations

import shutil
import sys

import pytest

from tests.fault_cases import LEFT_OUT, MODEL, TOOLKIT, tried
from tests.faults import Bench, Calls, Fault, faults_of, run, seen_by_the_system, spread, tree

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="names of descriptors are Linux's"
)
SLOW = {
    "plot": 2,
    "report": 2,
    "bids": 4,
    "measures": 4,
    "predict": 2,
    "train": 2,
    "gradtrack-compare": 2,
}
N_FAULTS = 8
N_CRASHES = 24


@pytest.fixture(scope="module", params=(*TOOLKIT, *MODEL), ids=lambda case: case.name)
def bench(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults") / "work"
    if request.param in TOOLKIT:
        yield Bench(request.param, folder)
        return
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    # Of networks this small, threads take longer to wait for each other than to compute.
    torch.set_num_threads(1)
    yield Bench(request.param, folder)
    torch.set_num_threads(threads)


def test_a_fault_leaves_the_old_outputs_or_the_new_and_is_told(bench):
    faults = spread(faults_of(bench.calls), SLOW.get(bench.case.name, N_FAULTS))
    tried = {fault: bench.try_fault(fault) for fault in faults}
    assert all(hit for _, hit in tried.values())
    assert {fault: wrong for fault, (wrong, _) in tried.items() if wrong} == {}


def test_a_crash_leaves_the_old_outputs_or_the_new_and_the_next_run_mends_all(bench):
    crashes = spread(bench.crashes(), N_CRASHES)
    mended = spread(range(len(crashes)), SLOW.get(bench.case.name, 4) // 2)
    wrong = {
        (n, when): bench.try_crash(found, again=number in mended)
        for number, (n, when, found) in enumerate(crashes)
    }
    assert {where: what for where, what in wrong.items() if what} == {}


def test_every_output_is_on_the_disk_before_it_has_its_name(bench):
    published = [call for call in bench.calls if call.name in ("replace", "rename")]
    assert published
    assert list(bench.unsynced()) == []


def test_nothing_is_changed_elsewhere(bench):
    """But for what is kept compiled, in the user's own folder."""
    kept = ("/.cache/", "/gazetrack-cache", "/matplotlib", "/dev/null")
    strange = [path for path in bench.elsewhere if not any(word in path for word in kept)]
    assert strange == []


@pytest.mark.parametrize("name", ["convert"])
def test_the_system_sees_no_other_calls_than_we_do(name, tmp_path):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    (case,) = (case for case in TOOLKIT if case.name == name)
    bench = Bench(case, tmp_path / "work")
    ours = {}
    for call in bench.calls:
        ours[call.name] = ours.get(call.name, 0) + 1
    theirs = seen_by_the_system(bench)
    for call in ("open", "mkdir", "replace", "unlink", "rmdir", "fsync", "link"):
        assert theirs.get(call, 0) <= ours.get(call, 0), call
    assert theirs["write"] > 0


def test_every_command_is_tried_or_left_out_for_a_reason():
    """A new one that writes files is a case; one that writes none says so."""
    from gazetrack_cli.main import COMMANDS
    from gazetrack_cli.programs import PROGRAMS

    there = {f"gazetrack {name}" for name in COMMANDS} | {*PROGRAMS} - {"gazetrack"}
    assert there == tried() | {*LEFT_OUT}
    assert not tried() & {*LEFT_OUT}


# A harness that finds nothing proves nothing: commands that do wrong on purpose.


def in_place(path):
    with path.open("w") as file:
        file.write("new text")


def beside(path):
    other = path.with_name("other")
    other.write_text("new text")
    other.replace(path)


@pytest.mark.parametrize("write", [in_place, beside])
def test_what_does_not_publish_is_found(tmp_path, write):
    """A crash half way shows a file that is neither old nor new, or one whose bytes may be lost."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    seen = []
    with Calls(tmp_path, lambda n, call, when: seen.append(tree(tmp_path))) as calls:
        write(path)
    halves = {contents["a.txt"] for contents in seen} - {b"old", b"new text"}
    assert (halves == {b"", b"new "}) == (write is in_place)
    assert "fsync" not in {call.name for call in calls.made}


def test_a_command_of_which_a_fault_is_not_told_is_found(tmp_path, monkeypatch):
    """The harness sees exit code 0 with the outputs of before."""
    (case,) = (case for case in TOOLKIT if case.name == "fixations")
    bench = Bench(case, tmp_path / "work")
    monkeypatch.setattr("tests.faults.run", lambda *given: type(run(*given))(0, "", ""))
    wrong, hit = bench.try_fault(Fault(1, 28))
    assert hit
    assert wrong == ["t/a.auto.fixations.parquet: neither the old one nor the new"]
