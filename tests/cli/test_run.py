"""gazetrack run, and --study: one file says what a study does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from tests.places import ROOT

GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))
PROGRAM = [sys.executable, "-P", "-c", "from gazetrack_cli.start import gazetrack; gazetrack()"]
TEXT = """
[study]
inputs = ["exports"]
screen = "1920x1080,531x299mm,650mm"

[convert]
samples = true

[events]
source = "detected"
set = { min_duration_ms = "0.06 s" }

[quality]
by = "window"
window = "0.4 s"
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "exports").mkdir()
    for name in "ab":
        (tmp_path / "exports" / f"{name}.csv").write_text(GAZE)
    (tmp_path / "gazetrack.toml").write_text(TEXT)
    return tmp_path


def test_a_study_is_run_and_a_second_run_keeps_all(run, study):
    result = run("gazetrack run gazetrack.toml")
    assert result.code == 0
    header, *rows, last = result.out.splitlines()
    assert header.split() == ["step", "recordings", "made", "kept", "failed", "seconds", "where"]
    assert [row.split()[:5] for row in rows] == [
        ["convert", "2", "2", "0", "0"],
        ["events", "2", "2", "0", "0"],
        ["quality", "2", "2", "0", "0"],
    ]
    assert last == "what each step printed is in results/log"
    assert result.err.splitlines()[0].startswith("convert: 2 made, 0 kept, 0 failed, ")
    # The options of the file are those of the commands.
    tables = study / "results" / "tables"
    assert (tables / "a.samples.parquet").exists()
    (events,) = tables.glob("a.*.events.parquet")
    about = json.loads(pq.read_metadata(events).metadata[b"gazetrack"])
    assert about["screen"]["width_mm"] == 531
    assert about["movements"]["detector"]["min_duration_ms"] == 60
    quality = pq.read_table(study / "results" / "quality.parquet").to_pandas()
    assert set(quality["duration_ms"].round()) == {400}
    assert "wrote results/tables/a.samples.parquet" in (
        study / "results" / "log" / "convert.txt"
    ).read_text("utf-8")

    before = {path: path.stat().st_mtime_ns for path in tables.iterdir()}
    again = run("gazetrack run gazetrack.toml --json")
    told = json.loads(again.out)
    assert [(each["made"], each["kept"]) for each in told] == [(0, 2), (0, 2), (0, 2)]
    assert again.err == ""
    assert {path: path.stat().st_mtime_ns for path in tables.iterdir()} == before


def test_only_what_has_changed_is_done_again(run, study):
    assert run("gazetrack run gazetrack.toml -q").out == ""
    (study / "exports" / "c.csv").write_text(GAZE)
    before = sorted(study.rglob("*"))
    plan = run("gazetrack run gazetrack.toml --dry-run")
    assert (plan.code, plan.err) == (0, "")
    assert plan.out.splitlines() == [
        f"{step}: would be taken: 1 of 3 recordings" for step in ("convert", "events", "quality")
    ]
    assert sorted(study.rglob("*")) == before
    told = json.loads(run("gazetrack run gazetrack.toml --json").out)
    assert [(each["made"], each["kept"]) for each in told] == [(1, 2), (1, 2), (1, 2)]
    (study / "gazetrack.toml").write_text(TEXT.replace("0.06 s", "0.08 s"))
    told = json.loads(run("gazetrack run gazetrack.toml --json").out)
    assert [(each["made"], each["kept"]) for each in told] == [(0, 3), (3, 0), (0, 3)]
    told = json.loads(run("gazetrack run gazetrack.toml --only quality --json --dry-run").out)
    assert told == [
        {"step": "quality", "would": False, "why": "", "where": "results/quality.parquet"}
    ]


def test_a_command_of_its_own_is_told_by_the_study(run, study, monkeypatch):
    below = study / "exports" / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    result = run_in(below, run, "gazetrack quality --study")
    assert result.code == 0
    assert (study / "results" / "quality.parquet").exists()
    # What is typed wins over what the file says.
    result = run_in(below, run, "gazetrack quality ../a.csv --by recording -o here.csv --study")
    assert result.out.splitlines()[-1] == "wrote here.csv (1 rows)"
    assert run_in(study, run, "gazetrack convert exports/a.csv --study gazetrack.toml").code == 0
    assert (study / "results" / "tables" / "a.samples.parquet").exists()
    assert not (study / "results" / "tables" / "b.samples.parquet").exists()


def run_in(folder, run, line):
    os.chdir(folder)  # the fixture `run` has gone to the test's own folder, and goes back
    return run(line)


def test_without_being_asked_no_file_is_looked_for(run, study):
    result = run("gazetrack quality exports/a.csv --json")
    assert result.code == 0
    assert len(json.loads(result.out)) == 1  # by recording, where the file says by window
    assert not (study / "results").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("convert --study a.csv", "a.csv is no study file, which is called .toml"),
        ("convert --study nothing.toml", "nothing.toml: there is no such study file"),
        ("run nothing.toml", "nothing.toml: there is no such study file"),
        ("run", "Missing argument 'STUDY'"),
        ("run gazetrack.toml --only render", "'render' is no step of the study"),
    ],
)
def test_a_study_that_is_none_is_refused(run, study, line, said):
    result = run(f"gazetrack {line}")
    assert result.code in (1, 2)
    assert said in result.err
    assert not (study / "results").exists()


def test_no_study_above_is_said(run, study):
    (study / "gazetrack.toml").unlink()
    result = run("gazetrack convert --study")
    assert result.code == 1
    assert "no gazetrack.toml here, nor in a folder above" in result.err


def test_a_wrong_value_that_only_the_command_knows_names_its_table(run, study):
    (study / "gazetrack.toml").write_text(TEXT.replace("min_duration_ms", "min_duraton_ms"))
    result = run("gazetrack run gazetrack.toml")
    assert result.code == 2
    assert "gazetrack.toml:9: [events] " in result.err
    assert "'min_duraton_ms' is none of" in result.err
    # The other steps are taken all the same.
    assert (study / "results" / "quality.parquet").exists()
    result = run("gazetrack events --study")
    assert result.code == 2
    assert "note: what was not typed is from" in result.err
    # The path before it is cut where it is long, as those of tests are.
    assert result.err.endswith(" [events]\n")


def test_recordings_that_fail_do_not_stop_the_others(run, study):
    (study / "exports" / "bad.csv").write_text("x,y,t\n" + "1,2,oh no\n" * 3)
    result = run("gazetrack run gazetrack.toml")
    assert result.code == 1
    assert "bad.csv" in result.err
    rows = [row.split()[:5] for row in result.out.splitlines()[1:4]]
    assert rows[0] == ["convert", "3", "2", "0", "1"]
    (study / "exports" / "bad.csv").unlink()
    result = run("gazetrack run gazetrack.toml")
    assert result.code == 0
    assert result.out.splitlines()[1].split()[:5] == ["convert", "2", "0", "2", "0"]


# Once some recordings are noted, the next file stays half-written for ten minutes, and says so.
STUCK = """
import os, pathlib, time
replace, notes = os.replace, pathlib.Path("results/log/recordings.jsonl")
def stuck(*names, **more):
    if notes.exists() and len(notes.read_bytes().splitlines()) > 3:
        os.replace = replace
        pathlib.Path("stuck").touch()
        time.sleep(600)
    replace(*names, **more)
os.replace = stuck
from gazetrack_cli.start import gazetrack
gazetrack()
"""


def stuck_in_the_middle(study, **streams):
    """Start a run of a study of many recordings, and wait until it is in the middle of a file."""
    for number in range(10):
        (study / "exports" / f"more-{number}.csv").write_text(GAZE)
    command = [sys.executable, "-P", "-c", STUCK, "run", "gazetrack.toml"]
    process = subprocess.Popen(command, cwd=study, text=True, **streams)
    end = time.monotonic() + 300
    while not (study / "stuck").exists():
        assert process.poll() is None, process.returncode
        assert time.monotonic() < end, process.kill()
        time.sleep(0.01)
    assert list((study / "results").rglob(".*.gtmp"))
    return process


def test_a_run_that_was_killed_goes_on(study):
    killed = stuck_in_the_middle(study, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    done = subprocess.run(
        [*PROGRAM, "run", "gazetrack.toml"], cwd=study, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second, *_ = done.stderr.splitlines()
    assert first == "note: an earlier run of this study stopped in convert; this one goes on"
    made, kept = (int(second.split()[at]) for at in (1, 3))
    assert made + kept == 12
    assert kept >= 2


def test_a_step_taken_twice_keeps_two_accounts(run, study):
    text = TEXT.partition("[convert]")[0]
    text += '[[events]]\nsource = "detected"\n[[events]]\nsource = "detected"\ndetector = "ivt"\n'
    (study / "gazetrack.toml").write_text(text)
    assert run("gazetrack run gazetrack.toml -q").code == 0
    told = json.loads(run("gazetrack run gazetrack.toml --json").out)
    assert [(each["step"], each["made"], each["kept"]) for each in told] == [
        ("convert", 0, 2),
        ("events", 0, 2),
        ("events 2", 0, 2),
    ]


@pytest.mark.usefixtures("interrupts_are_heeded")
def test_ctrl_c_ends_a_run_with_its_code_and_leaves_nothing_half_written(study):
    stopped = stuck_in_the_middle(study, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stopped.send_signal(signal.SIGINT)
    said = stopped.communicate(timeout=300)[1]
    assert stopped.returncode == 130
    assert said.splitlines()[-1] == "gazetrack: error: interrupted"
    names = [path.name for path in (study / "results").rglob("*") if path.is_file()]
    assert all(name.endswith((".parquet", ".jsonl", ".txt")) for name in names)


def test_what_lies_beside_an_export_is_a_part_of_a_report(run, tmp_path):
    import gzip

    name = "sub-01_task-look_recording-eye1_physio"
    columns = ["timestamp", "x_coordinate", "y_coordinate"]
    about = {"SamplingFrequency": 250, "StartTime": 0, "Columns": columns}
    about |= {"PhysioType": "eyetrack", "RecordedEye": "left"}
    (tmp_path / f"{name}.json").write_text(json.dumps(about))
    rows = "".join(f"{4 * i}\t{100 + i % 3}\t{200 + i % 2}\n" for i in range(200))
    with gzip.open(tmp_path / f"{name}.tsv.gz", "wt") as file:
        file.write(rows)
    text = f'[study]\ninputs = ["{name}.tsv.gz"]\nsteps = ["report"]\n'
    (tmp_path / "study.toml").write_text(text)
    assert run("gazetrack run study.toml").code == 0
    plan = "gazetrack run study.toml --dry-run"
    assert run(plan).out == "report: done before\n"
    (tmp_path / f"{name}.json").write_text(json.dumps(about | {"SamplingFrequency": 500}))
    assert run(plan).out == "report: would be taken: its files have changed\n"


def test_two_runs_at_once_are_one_too_many(run, study):
    from gazetrack.workflows.engine.manifest import Manifest

    (study / "results" / "log").mkdir(parents=True)
    with Manifest(study / "results" / "log" / "steps.jsonl"):
        result = run("gazetrack run gazetrack.toml")
    assert result.code == 7
    assert "another run works on this study - wait until it has ended" in result.err
    assert "--manifest" not in result.err


def test_a_terminal_shows_all_steps_in_one_display(run, study, monkeypatch):
    monkeypatch.setattr(sys.stderr.__class__, "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    result = run("gazetrack run gazetrack.toml")
    assert result.code == 0
    shown = result.err
    assert "\x1b[?25h" in shown
    last = shown.rsplit("convert", 1)[1]
    assert [step in last for step in ("events", "quality")] == [True, True]
    assert last.count("2 made, 0 kept, 0 failed") == 3
    assert last.count("2/2") == 3


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The example of the documentation, with the files that its first lines say how to make."""
    text = (ROOT / "examples" / "study.toml").read_text("utf-8")
    (tmp_path / "study.toml").write_text(text, "utf-8")
    (code,) = re.findall(r"^#     python -c '(.*)'$", text, re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    return tmp_path


def test_the_example_from_exports_to_a_report(run, example):
    result = run("gazetrack run study.toml")
    assert result.code == 0, result.err
    rows = [row.split() for row in result.out.splitlines()[1:-1]]
    steps = ["convert", "events", "quality", "measures", "measures", "render", "report"]
    assert [row[0] for row in rows] == steps
    out = example / "results"
    looks = pq.read_table(out / "measures.parquet").to_pandas()
    assert set(looks["aoi"]) == {"lesion"}
    assert set(pq.read_table(out / "measures-2.parquet")["method"].to_pylist()) == {
        "dtw",
        "levenshtein",
    }
    quality = pq.read_table(out / "quality.parquet").to_pandas()
    assert len(quality) == 12
    assert quality["window_std_deg"].notna().all()  # the screen is known
    maps = json.loads(pq.read_metadata(out / "maps" / "maps.parquet").metadata[b"gazetrack"])
    assert (maps["params"]["levels"], maps["params"]["min_duration_ms"]) == (3, 80)
    page = (out / "report.html").read_text("utf-8")
    assert "<title>Four readers</title>" in page
    assert "4 of 4" in page
    told = json.loads(run("gazetrack run study.toml --json").out)
    assert [each["made"] for each in told] == [0] * 7
    assert [each["kept"] for each in told] == [4] * 7
    several = run("gazetrack measures --study study.toml")
    assert several.code == 2
    assert "[[measures]] is there several times" in several.err
    # What a step reads is what it depends on.
    (example / "images" / "lesion-001.png").touch()
    (example / "masks" / "lesion-001.png").unlink()
    plan = json.loads(run("gazetrack run study.toml --dry-run --json").out)
    why = {each["step"]: each["why"] for each in plan if each["why"]}
    assert why == {"measures": "other files"}
    # One more reader: a page about all of them.
    (example / "exports" / "reader-05.asc").write_bytes(
        (example / "exports" / "reader-04.asc").read_bytes()
    )
    plan = json.loads(run("gazetrack run study.toml --dry-run --json").out)
    why = {each["step"]: each["why"] for each in plan}
    assert (why["convert"], why["render"]) == ("1 of 5 recordings", "after convert")
    assert why["report"] == "other files"


def test_where_names_are_not_kept_the_notes_name_nobody(run, study):
    (study / "exports" / "a.csv").rename(study / "exports" / "smith.csv")
    text = TEXT.replace("[study]", '[study]\nparticipant = "drop"')
    (study / "gazetrack.toml").write_text(text)
    assert run("gazetrack run gazetrack.toml").code == 0
    assert run("gazetrack quality --study").code == 0
    assert list((study / "results").rglob("*.jsonl"))
    for note in (study / "results").rglob("*"):
        if note.suffix in (".jsonl", ".txt"):
            assert "smith" not in note.read_text("utf-8"), note
