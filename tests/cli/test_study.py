"""Commands about many recordings: what would be done, going on after a stop, and clusters."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from gazetrack.simulate.example import write_example
from gazetrack_cli.main import cli

GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))
PROGRAM = [sys.executable, "-P", "-c", "from gazetrack_cli.start import gazetrack; gazetrack()"]
SLURM = '[slurm]\njobs = 2\ncores = 4\nmemory = "8GB"\nqueue = "short"\n'


@pytest.fixture
def exports(tmp_path):
    folder = tmp_path / "exports"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.csv").write_text(GAZE)
    return folder


def test_a_dry_run_says_what_would_be_done_and_does_nothing(run, exports, tmp_path):
    line = "gazetrack convert exports -o tables --manifest study.jsonl"
    before = sorted(tmp_path.rglob("*"))
    result = run(f"{line} --dry-run")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        *(f"would convert exports/{name}.csv (generic): new" for name in "abc"),
        "of 3 recordings: 3 to convert, 0 done before, 0 skipped, 0 that would fail",
    ]
    assert sorted(tmp_path.rglob("*")) == before
    assert run(f"{line} -q").code == 0
    (exports / "d.csv").write_text(GAZE)
    result = run(f"{line} --dry-run --eye left")
    assert "would convert exports/a.csv (generic): other parameters: eye" in result.out
    result = run(f"{line} --dry-run")
    assert result.out.splitlines() == [
        "would convert exports/d.csv (generic): new",
        "of 4 recordings: 1 to convert, 3 done before, 0 skipped, 0 that would fail",
    ]


def test_a_dry_run_names_what_would_fail(run, exports):
    (exports / "bad.csv").write_text("")
    result = run("gazetrack convert exports/a.csv exports/bad.csv --dry-run --json")
    assert result.code == 1
    told = json.loads(result.out)
    assert [each["action"] for each in told] == ["convert", "fail"]
    assert "bad.csv" in told[1]["message"]
    assert result.err.count("\n") == 1


def test_a_dry_run_shows_the_script_of_a_queue(run, exports, tmp_path):
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "slurm.toml").write_text(SLURM)
    result = run("gazetrack fixations exports --cluster slurm.toml --dry-run")
    assert result.code == 0
    assert "#SBATCH -p short\n" in result.out
    assert "#SBATCH --cpus-per-task=4\n" in result.out


@pytest.mark.parametrize("command", ["convert", "quality"])
def test_a_dry_run_refuses_a_file_about_a_queue_before_it_says_anything(
    run, exports, tmp_path, command
):
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "slurm.toml").write_text(SLURM + "bla = 3\n")
    result = run(f"gazetrack {command} exports --cluster slurm.toml --dry-run")
    assert (result.code, result.out) == (2, "")
    assert "slurm.toml: has a key 'bla'" in result.err
    assert result.err.count("\n") == 1


def test_a_queue_whose_programs_are_not_here_is_refused_in_one_line(
    run, exports, tmp_path, monkeypatch
):
    pytest.importorskip("dask_jobqueue")
    (tmp_path / "slurm.toml").write_text(SLURM)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("gazetrack convert exports --cluster slurm.toml -q")
    assert (result.code, result.out) == (8, "")
    assert "no program sbatch here" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["convert", "fixations"])
def test_a_study_goes_on_where_it_was(run, exports, tmp_path, command):
    line = f"gazetrack {command} exports -o tables --manifest study.jsonl --report report.jsonl"
    first = run(line)
    report = (tmp_path / "report.jsonl").read_text()
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "tables").iterdir()}
    again = run(line)
    # Nothing was written, and it does not say so.
    assert first.out.count("  wrote tables") == 3
    assert (again.code, again.err) == (0, "")
    assert again.out == first.out.replace("  wrote tables", "  unchanged: tables")
    assert (tmp_path / "report.jsonl").read_text() == report
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tables").iterdir()} == times


def test_a_report_of_quality_goes_on_where_it_was(run, exports, tmp_path):
    line = "gazetrack quality exports --manifest study.jsonl"
    before = sorted(tmp_path.rglob("*"))
    result = run(f"{line} --dry-run")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        *(f"would measure exports/{name}.csv (generic): new" for name in "abc"),
        "of 3 recordings: 3 to measure, 0 done before, 0 skipped, 0 that would fail",
    ]
    assert sorted(tmp_path.rglob("*")) == before
    first = run(f"{line} -o first.parquet")
    again = run(f"{line} -o again.parquet")
    assert (again.code, again.out.replace("again", "first")) == (0, first.out)
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "first.parquet").read_bytes()
    told = run(f"{line} --dry-run --by trial").out
    assert "would measure exports/a.csv (generic): other parameters: by" in told
    assert run("gazetrack quality exports --manifest x.csv -o x.csv").code == 2
    assert not (tmp_path / "x.csv").exists()


def test_a_dry_run_of_maps_says_how_many_and_writes_none(run, tmp_path):
    example = write_example(tmp_path, n_images=4, size=(48, 64))
    assert run(f"gazetrack convert {example.exports[1]} -o tables -q").code == 0
    before = sorted(tmp_path.rglob("*"))
    render = "gazetrack render tables --placement fit -o maps"
    result = run(f"{render} --dry-run")
    assert (result.code, result.err) == (0, "")
    *tables, last = result.out.splitlines()
    assert all("fixations to render" in line for line in tables)
    n_rows = int(re.match(r"would render (\d+) tracks on \d+ images, 4 levels: ", last)[1])
    assert last.endswith("MB, into maps")
    assert sorted(tmp_path.rglob("*")) == before
    assert run(f"{render} -q").code == 0
    before = sorted(tmp_path.rglob("*"))
    result = run("gazetrack refine maps --dry-run")
    assert (result.code, result.err) == (0, "")
    assert f"maps.parquet: would refine {n_rows} of {n_rows} tracks" in result.out
    assert run(f"{render} --crf --max-total-mb 0 --dry-run").code == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_a_manifest_over_something_else_is_refused(run, exports):
    result = run("gazetrack convert exports --manifest exports/a.csv")
    assert (result.code, result.out) == (3, "")
    assert "is there and is no manifest" in result.err
    assert (exports / "a.csv").read_text() == GAZE
    result = run("gazetrack convert exports --manifest x.jsonl --report x.jsonl")
    assert result.code == 2


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        ("--cluster slurm", 2, "use local, tcp://HOST:PORT, or a TOML file"),
        ("--cluster none.toml", 1, "none.toml"),
        ("--jobs 0", 2, "--jobs"),
        ("--retries 0", 2, "--retries"),
    ],
)
def test_a_cluster_that_is_none_is_refused_in_one_line(run, exports, options, code, what):
    result = run(f"gazetrack convert exports {options}")
    assert (result.code, result.out) == (code, "")
    assert what in result.err
    assert not list(exports.glob("*.parquet"))


def test_a_scheduler_that_cannot_be_reached_is_an_exit_code_of_its_own(run, exports, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("gazetrack.workflows.engine.cluster._CONNECT_SECONDS", 1)
    result = run("gazetrack convert exports --cluster tcp://127.0.0.1:9")
    assert (result.code, result.out) == (8, "")
    assert re.fullmatch(
        r"gazetrack: error: cannot reach the scheduler at tcp://127\.0\.0\.1:9 - .* \[CLUSTER\]\n",
        result.err,
    )


def test_commands_of_many_recordings_have_the_same_options():
    for name in ("convert", "fixations", "quality"):
        command = cli.get_command(None, name)
        options = {option for parameter in command.params for option in parameter.opts}
        assert options >= {"--jobs", "--cluster", "--retries"}
        assert options >= {"--manifest", "--dry-run"}
    for name in ("render", "refine"):
        command = cli.get_command(None, name)
        options = {option for parameter in command.params for option in parameter.opts}
        assert options >= {"--jobs", "--cluster", "--retries", "--dry-run"}


# In every process, a disk that takes ten minutes to sync, so that files stay half-written.
SLOW_DISK = """
import os, time
fsync = os.fsync
def slow(number):
    end = time.monotonic() + 600
    while time.monotonic() < end:
        time.sleep(0.01)
    fsync(number)
os.fsync = slow
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.slow
@pytest.mark.usefixtures("interrupts_are_heeded")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_cluster_with_nothing_half_written(exports, tmp_path, number, code):
    pytest.importorskip("distributed")
    modules = tmp_path / "slow"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(SLOW_DISK)
    # A worker that makes the folder waits for its name to be on the disk, and only then begins: as
    # long as the other takes to publish its table.
    (tmp_path / "tables").mkdir()
    arguments = ("convert", "exports", "-o", "tables", "--cluster", "local", "--jobs", "2", "-q")
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(modules)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 300
    while len(list((tmp_path / "tables").glob(".*.gtmp"))) < 2:
        assert time.monotonic() < end, process.kill() or process.communicate()
        time.sleep(0.01)
    if number == signal.SIGINT:  # from a keyboard it goes to all processes
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    output, errors = process.communicate(timeout=300)  # and no file is whole before ten minutes
    assert (process.returncode, output) == (code, "")
    assert errors in ("gazetrack: error: interrupted\n", "gazetrack: error: stopped by SIGTERM\n")
    assert list((tmp_path / "tables").iterdir()) == []
