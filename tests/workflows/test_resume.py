"""A study goes on where it was stopped: nothing twice, and again what depends on a change."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gazetrack.events.ivt import IVT
from gazetrack.storage.objects import send
from gazetrack.tables.pseudonyms import Pseudonyms
from gazetrack.tables.screen import Screen
from gazetrack.workflows.convert import ConvertOptions, convert, convert_files
from gazetrack.workflows.converting import make_tables
from gazetrack.workflows.engine.run import Engine
from gazetrack.workflows.plan import plan_conversion
from gazetrack.workflows.resume import parameters_of
from tests.object_store import BUCKET
from tests.places import GOLDEN, ROOT

MANIFEST = "study.jsonl"


def gaze(number, n=300):
    return "x,y,t\n" + "".join(
        f"{100 + i % (3 + number)},{200 + number},{4 * i}\n" for i in range(n)
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    for number in range(5):
        (tmp_path / "exports" / f"{number}.csv").write_text(gaze(number))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def convert_again(**options):
    """Convert the exports; return the outcomes and the names of those that were converted."""
    before = {path: path.stat().st_mtime_ns for path in _tables()}
    chosen = ConvertOptions(**{"out": "tables"} | options)
    outcomes = list(convert_files(["exports"], chosen, manifest=MANIFEST))
    made = [path for path in _tables() if before.get(path) != path.stat().st_mtime_ns]
    return outcomes, sorted({path.name.partition(".")[0] for path in made})


def _tables():
    return sorted(Path("tables").glob("*.parquet"))


def reported(outcomes):
    return [outcome.as_json() | {"found": outcome.summary} for outcome in outcomes]


def test_a_second_call_does_nothing_and_reports_the_same(folder):
    first, done = convert_again(samples=True)
    assert done == list("01234")
    second, done = convert_again(samples=True)
    assert done == []
    assert all(outcome.summary.pop("unchanged") for outcome in second)
    as_text = json.loads(json.dumps(reported(first)))  # pairs are lists in JSON
    assert json.loads(json.dumps(reported(second))) == as_text


DAMAGES = {
    "empty": lambda line: line["outcome"].clear(),
    "more": lambda line: line["outcome"].update(invented=1),
    "outputs": lambda line: line["outcome"].update(outputs=3),
    "doubled": lambda line: line["outputs"].append(line["outputs"][0]),
    "counts": lambda line: line["outcome"].update(dropped={"nowhere": "many"}),
    "found": lambda line: line["outcome"]["summary"].update(recordings=3),
    "key": lambda line: line.update(key=[line["key"]]),
    "file": lambda line: line["files"][0].pop("bytes"),
    "digest": lambda line: line["files"][0].pop("sha256"),
    "no files": lambda line: line["files"].clear(),
    "parameters": lambda line: line.update(parameters=None),
    "no outputs": lambda line: line.update(outputs=[{}]),
}


@pytest.mark.parametrize("policy", ["keep", "hash"])
def test_what_damaged_lines_tell_of_is_converted_again(folder, policy):
    pseudonyms = Pseudonyms(policy, b"k" * 32 if policy == "hash" else b"")
    first = convert_again(pseudonyms=pseudonyms)[0]
    path = folder / MANIFEST
    header, *lines = path.read_text().splitlines()
    chosen = ConvertOptions(out="tables", pseudonyms=pseudonyms)
    for name, damage in DAMAGES.items():
        told = json.loads(lines[0])
        damage(told)
        path.write_text("\n".join([header, json.dumps(told), *lines[1:]]) + "\n")
        plan = plan_conversion(["exports"], chosen, MANIFEST)
        assert [planned.action for planned in plan].count("done") == 4, name
    again = convert_again(pseudonyms=pseudonyms, force=True)[0]
    assert [each.status for each in again] == ["ok"] * 5
    assert [each.rows_out for each in again] == [each.rows_out for each in first]


def test_a_new_recording_alone_is_converted(folder):
    convert_again()
    (folder / "exports" / "5.csv").write_text(gaze(5))
    outcomes, done = convert_again()
    assert done == ["5"]
    assert [outcome.file for outcome in outcomes] == [f"exports/{n}.csv" for n in range(6)]


def test_a_recording_that_has_changed_alone_is_converted(folder):
    convert_again()
    (folder / "exports" / "3.csv").write_text(gaze(3, n=400))
    assert convert_again()[1] == ["3"]
    assert convert_again()[1] == []


def test_a_table_that_somebody_else_wrote_is_not_replaced(folder):
    convert_again()
    (folder / "exports" / "3.csv").write_text(gaze(3, n=400))
    other = (folder / "tables" / "2.fixations.parquet").read_bytes()
    (folder / "tables" / "3.fixations.parquet").write_bytes(other)
    outcomes, done = convert_again()
    assert done == []
    assert [outcome.status for outcome in outcomes].count("failed") == 1
    assert "holds another recording" in str(outcomes[3].error)


def test_a_table_that_was_removed_alone_is_made_again(folder):
    convert_again()
    (folder / "tables" / "2.fixations.parquet").unlink()
    assert convert_again()[1] == ["2"]


def test_other_parameters_do_all_of_it_again(folder):
    convert_again()
    assert convert_again(screen=Screen(1920, 1080))[1] == list("01234")
    assert convert_again(screen=Screen(1920, 1080), force=True)[1] == []


def test_tables_of_a_detector_lie_beside_the_others(folder):
    detector = IVT(velocity_threshold_deg_s=50)
    convert_again()
    assert convert_again(detector=detector)[1] == list("01234")
    assert convert_again()[1] == []
    assert convert_again(detector=detector)[1] == []
    assert convert_again(detector=replace(detector, velocity_threshold_deg_s=60))[1] == list(
        "01234"
    )


def test_what_failed_is_tried_again(folder):
    bad = folder / "exports" / "2.csv"
    good = bad.read_text()
    bad.write_text("x,y,t\n1,2,oops\n")
    outcomes, done = convert_again()
    assert [outcome.status for outcome in outcomes].count("failed") == 1
    bad.write_text(good)
    outcomes, done = convert_again()
    assert done == ["2"]
    assert {outcome.status for outcome in outcomes} == {"ok"}


def test_the_manifest_among_the_exports_is_no_export(folder, monkeypatch):
    monkeypatch.chdir(folder / "exports")
    for _ in range(2):
        outcomes = convert(".", manifest=MANIFEST)
        assert [outcome.status for outcome in outcomes] == ["ok"] * 5


def test_it_goes_on_from_another_folder_and_after_a_move(folder, monkeypatch):
    convert_again()
    moved = folder.with_name("moved")
    folder.rename(moved)
    monkeypatch.chdir(moved / "exports")
    before = {path: path.stat().st_mtime_ns for path in (moved / "tables").iterdir()}
    outcomes = convert(moved / "exports", out="../tables", manifest=f"../{MANIFEST}")
    assert {path: path.stat().st_mtime_ns for path in (moved / "tables").iterdir()} == before
    assert outcomes[0].outputs[0]["path"] == "../tables/0.fixations.parquet"


def test_parts_of_a_data_set_are_added_once(folder):
    def add():
        options = ConvertOptions(dataset="set")
        outcomes = list(convert_files(["exports"], options, manifest=MANIFEST))
        return outcomes, {path: path.stat().st_mtime_ns for path in Path("set").rglob("*.parquet")}

    convert_again()
    first, parts = add()
    second, again = add()
    assert len(parts) == 5
    assert again == parts
    assert reported(second)[0]["outputs"] == reported(first)[0]["outputs"]
    next(iter(parts)).unlink()
    assert len(add()[1]) == 5
    assert convert_again()[1] == []


def test_files_of_one_recording_are_one(folder):
    for path in (folder / "exports").iterdir():
        path.unlink()
    source = next(path for path in (GOLDEN / "pupil_core").iterdir() if _has_parts(path))
    for path in source.iterdir():
        if path.suffix == ".csv":
            (folder / "exports" / path.name).write_bytes(path.read_bytes())
    first, _ = convert_again()
    second, done = convert_again()
    assert done == []
    assert [outcome.status for outcome in second] == [outcome.status for outcome in first]


def _has_parts(case):
    return case.is_dir() and len(list(case.glob("*.csv"))) > 0


@pytest.mark.parametrize("policy", ["hash", "drop"])
def test_where_files_are_not_named_the_manifest_names_none(folder, policy):
    (folder / "exports" / "0.csv").rename(folder / "exports" / "anna_berger.csv")
    pseudonyms = Pseudonyms(policy, b"k" * 32 if policy == "hash" else b"")
    _, done = convert_again(pseudonyms=pseudonyms)
    assert len(done) == 5
    told = (folder / MANIFEST).read_text()
    assert "anna" not in told
    assert "exports" not in told
    second, done = convert_again(pseudonyms=pseudonyms)
    assert done == []
    assert [outcome.file for outcome in second] == [f"input {n} of 5" for n in range(1, 6)]
    # Another one comes before them in the order: labels are those of today.
    (folder / "exports" / "0.csv").write_text(gaze(8))
    third, done = convert_again(pseudonyms=pseudonyms)
    assert len(done) == 1
    assert [outcome.file for outcome in third] == [f"input {n} of 6" for n in range(1, 7)]


def test_another_key_does_all_of_it_again_and_stays_secret(folder):
    convert_again(pseudonyms=Pseudonyms("hash", b"k" * 32))
    _, done = convert_again(pseudonyms=Pseudonyms("hash", b"l" * 32), force=True)
    assert len(done) == 5
    assert "kkkk" not in (folder / MANIFEST).read_text()
    assert (b"k" * 32).hex() not in (folder / MANIFEST).read_text()


def test_all_that_tables_depend_on_is_a_parameter():
    """A new option is one, unless it is said here why it is none."""
    options = ConvertOptions()
    told = parameters_of(options, options.pseudonyms)
    left_out = set(vars(options)) - set(told)
    assert left_out == {"out", "dataset", "force", "recursive"}
    other = replace(options, eye="left", columns={"x": "a"})
    changed = parameters_of(other, options.pseudonyms)
    assert {name for name in told if told[name] != changed[name]} == {"eye", "columns"}
    turned = parameters_of(replace(options, columns={"y": "b", "x": "a"}), options.pseudonyms)
    assert turned == parameters_of(
        replace(options, columns={"x": "a", "y": "b"}), options.pseudonyms
    )


# Converts slowly, so that it can be killed in the middle.
SLOWLY = """
import os, sys, time
from gazetrack.workflows.convert import ConvertOptions, convert_files
from gazetrack.workflows.engine.run import Engine
if __name__ == "__main__":
    options = ConvertOptions(out="tables")
    engine = Engine(jobs=int(sys.argv[1]))
    for outcome in convert_files(["exports"], options, engine, manifest="study.jsonl"):
        print(outcome.file, flush=True)
        time.sleep(0.2)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_study_that_was_killed_goes_on_and_does_nothing_twice(folder, jobs):
    for number in range(5, 12):
        (folder / "exports" / f"{number}.csv").write_text(gaze(number))
    whole = {}
    for outcome in convert_files(["exports"], ConvertOptions(out="whole")):
        (output,) = outcome.outputs
        whole[output["path"].removeprefix("whole/")] = output["sha256"]
    script = folder / "slowly.py"
    script.write_text(SLOWLY)
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, script, str(jobs)], env=env, stdout=subprocess.PIPE, text=True
    )
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    # To its end: its workers, which end soon after it, hold the pipe as well.
    process.communicate()
    lines = (folder / MANIFEST).read_text().splitlines()[1:]
    noted = {json.loads(line)["key"] for line in lines}
    assert 3 <= len(noted) <= 12
    outcomes, done = convert_again()
    assert not {f"exports/{name}.csv" for name in done} & noted
    assert [outcome.status for outcome in outcomes] == ["ok"] * 12
    made = {
        output["path"].removeprefix("tables/"): output["sha256"]
        for outcome in outcomes
        for output in outcome.outputs
    }
    assert made == whole
    assert list((folder / "tables").glob(".*")) == []


@pytest.mark.slow
def test_a_study_on_several_processes_is_noted_too(folder):
    options = ConvertOptions(out="tables")
    list(convert_files(["exports"], options, Engine(jobs=2), manifest=MANIFEST))
    assert convert_again()[1] == []


@pytest.fixture(params=["memory", "s3"])
def lab(request, tmp_path):
    """A folder of each store with three exports, and what puts files into it."""
    if request.param == "memory":
        url = request.getfixturevalue("memory_store")
    else:
        request.getfixturevalue("object_store")
        url = f"s3://{BUCKET}"

    def put(name, text):
        (tmp_path / "to-put").write_text(text)
        send(tmp_path / "to-put", f"{url}/{name}")

    for number in range(3):
        put(f"exports/{number}.csv", gaze(number))
    return url, put


def convert_there(url, monkeypatch, **options):
    """Convert the exports of a store; return the outcomes and the names of those converted."""
    made = []

    def listening(source, *arguments):
        made.append(source.name)
        return make_tables(source, *arguments)

    chosen = ConvertOptions(**{"out": f"{url}/tables"} | options)
    with monkeypatch.context() as patched:
        patched.setattr("gazetrack.workflows.convert.make_tables", listening)
        outcomes = list(convert_files([f"{url}/exports"], chosen, manifest=MANIFEST))
    return outcomes, sorted(made)


def test_exports_and_tables_of_a_store_are_done_once(folder, lab, monkeypatch):
    url, put = lab
    first, made = convert_there(url, monkeypatch)
    assert made == list("012")
    second, made = convert_there(url, monkeypatch)
    assert made == []
    assert all(outcome.summary.pop("unchanged") for outcome in second)
    assert json.loads(json.dumps(reported(second))) == json.loads(json.dumps(reported(first)))
    assert second[0].outputs[0]["path"] == f"{url}/tables/0.fixations.parquet"
    put("exports/1.csv", gaze(1, n=400))
    plan = plan_conversion([f"{url}/exports"], ConvertOptions(out=f"{url}/tables"), MANIFEST)
    assert [each.action for each in plan] == ["done", "convert", "done"]
    outcomes, made = convert_there(url, monkeypatch)
    assert ([one.status for one in outcomes], made) == (["ok"] * 3, ["1"])  # without --force
    # The same bytes, sent again: a digest says so, and a time of change does not.
    put("exports/2.csv", gaze(2))
    assert convert_there(url, monkeypatch)[1] == ([] if url.startswith("s3") else ["2"])
    assert convert_there(url, monkeypatch)[1] == []
    put("exports/2.csv", gaze(2).replace("100,202,0", "101,202,0"))
    assert convert_there(url, monkeypatch)[1] == ["2"]
    assert convert_there(url, monkeypatch, eye="left")[1] == list("012")


def test_a_table_of_a_store_that_is_gone_or_another_is_made_again(folder, lab, monkeypatch):
    url, put = lab
    convert_there(url, monkeypatch)
    put("tables/0.fixations.parquet", "of somebody else")
    outcomes, _ = convert_there(url, monkeypatch)
    assert [one.status for one in outcomes] == ["failed", "ok", "ok"]
    outcomes, made = convert_there(url, monkeypatch, force=True)
    assert made == ["0"]
    assert convert_there(url, monkeypatch)[1] == []


def test_parts_of_a_data_set_in_a_store_are_added_once(folder, lab, monkeypatch):
    url, _ = lab
    options = {"out": None, "dataset": f"{url}/set"}
    assert convert_there(url, monkeypatch, **options)[1] == list("012")
    assert convert_there(url, monkeypatch, **options)[1] == []


def test_exports_of_a_store_may_have_tables_here_and_the_other_way_round(folder, lab, monkeypatch):
    url, _ = lab
    for _, made in (convert_there(url, monkeypatch, out="near") for _ in "ab"):
        assert made in (list("012"), [])
    assert made == []
    options = ConvertOptions(out=f"{url}/far")
    list(convert_files(["exports"], options, manifest="other.jsonl"))
    plan = plan_conversion(["exports"], options, "other.jsonl")
    assert {each.action for each in plan} == {"done"}


def test_an_object_of_which_its_store_says_nothing_is_done_each_time(folder, lab, monkeypatch):
    url, _ = lab
    monkeypatch.setattr("gazetrack.storage.states._TAGS", ())
    monkeypatch.setattr("gazetrack.storage.states._TIMES", ())
    convert_there(url, monkeypatch, out="near")
    plan = plan_conversion([f"{url}/exports"], ConvertOptions(out="near"), MANIFEST)
    assert {each.why for each in plan} == {"its store does not say whether it has changed"}
    outcomes, made = convert_there(url, monkeypatch, out="near")
    assert (made, {one.status for one in outcomes}) == (list("012"), {"ok"})


def test_exports_of_a_store_that_are_not_to_be_named_are_known_by_its_digest(
    folder, lab, monkeypatch
):
    url, put = lab
    put("exports/anna_berger.csv", gaze(7))
    pseudonyms = Pseudonyms("hash", b"k" * 32)
    assert len(convert_there(url, monkeypatch, pseudonyms=pseudonyms)[1]) == 4
    told = (folder / MANIFEST).read_text()
    assert "anna" not in told
    assert "exports" not in told
    # A time of change may be that of two recordings: without a digest, none is recognised.
    left = convert_there(url, monkeypatch, pseudonyms=pseudonyms)[1]
    assert len(left) == (0 if url.startswith("s3") else 4)


def test_a_manifest_holds_no_secret_of_an_address(folder, memory_store):
    url = "memory://ann:password@lab/exports"
    (folder / "to-put").write_text(gaze(0))
    send(folder / "to-put", f"{url}/0.csv")
    options = ConvertOptions(out="near")
    for _ in range(2):
        list(convert_files([f"{url}/0.csv"], options, manifest=MANIFEST))
    assert "password" not in (folder / MANIFEST).read_text()
    assert [each.action for each in plan_conversion([f"{url}/0.csv"], options, MANIFEST)] == [
        "done"
    ]
