"""What the surroundings may do to a command.

They are files planted in the working directory, streams that are closed or full, and signals. Every
test runs the command in a process of its own, as a shell does.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

import gazetrack.kernels
from tests.places import GOLDEN, ROOT

pytestmark = pytest.mark.usefixtures("interrupts_are_heeded")
GAZE = "x,y,t\n" + "".join(f"{100 + i % 3},{200 + i % 2},{i * 4}\n" for i in range(200))
PROGRAM = [sys.executable, "-P", "-c", "from gazetrack_cli.start import gazetrack; gazetrack()"]

# All that numba asks of PyYAML, so that the test needs no package: a text of "key: value" lines.
YAML = """
def safe_load(file):
    text = file.read()
    if "\\0" in text:
        raise ValueError("unacceptable character #x0000")
    return dict(line.split(": ", 1) for line in text.splitlines()) or None
"""
# An index file of numba's cache: reading it makes the folder "ran".
INDEX = """
import pathlib, pickle, sys
class Foreign:
    def __reduce__(self):
        return pathlib.Path.mkdir, (pathlib.Path(sys.argv[1]), 0o777, False, True)
sys.stdout.buffer.write(pickle.dumps(Foreign()))
"""


def shell(*arguments, cwd, **options):
    """Run `gazetrack` in a process of its own."""
    env = {**os.environ, **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 600} | options
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=cwd, text=True, env=env, check=False, **options
    )


def kernels():
    """(source file, qualified name, first line) of every compiled function."""
    folder = Path(gazetrack.kernels.__file__).parent
    for path in sorted(folder.glob("*.py")):
        module = import_module(
            f"gazetrack.kernels.{path.stem}" if path.stem != "__init__" else "gazetrack.kernels"
        )
        for value in vars(module).values():
            function = getattr(value, "py_func", value if callable(value) else None)
            if getattr(function, "__module__", "") == module.__name__ and hasattr(
                function, "__code__"
            ):
                yield path, function.__qualname__, function.__code__.co_firstlineno


@pytest.fixture
def yaml(tmp_path):
    """Where a PyYAML is installed: the environment that says so."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "yaml.py").write_text(YAML)
    return {
        "PYTHONPATH": os.pathsep.join(
            [str(modules), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        )
    }


def plant_cache(folder, ran):
    """Write foreign index files wherever numba could look for the kernels' below a folder."""
    index = subprocess.run(
        [sys.executable, "-c", INDEX, str(ran)], capture_output=True, check=True
    ).stdout
    from numba.core.caching import _CacheLocator

    version = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
    for path, name, line in kernels():
        below = folder / _CacheLocator.get_suitable_cache_subpath(str(path))
        below.mkdir(parents=True, exist_ok=True)
        plain = name.replace("<", "").replace(">", "")
        (below / f"{path.stem}.{plain}-{line}.{version}.nbi").write_bytes(index)


def test_a_cache_named_by_a_file_of_the_working_directory_is_never_read(tmp_path, yaml):
    study, ran = tmp_path / "study", tmp_path / "ran"
    study.mkdir()
    (study / "a.csv").write_text(GAZE)
    plant_cache(study / "planted", ran)
    (study / ".numba_config.yaml").write_text("cache_dir: planted\n")
    done = shell("convert", "a.csv", cwd=study, env=yaml)
    assert not ran.exists(), "code from the working directory has run"
    assert (done.returncode, done.stderr) == (0, "")
    assert (study / "a.fixations.parquet").exists()


@pytest.mark.parametrize(
    ("command", "content"), [("convert", b"cache_dir: \0\n"), ("info", b"opt: nonsense\n")]
)
def test_a_damaged_settings_file_of_numba_stops_nothing(tmp_path, yaml, command, content):
    study = tmp_path / "study"
    study.mkdir()
    (study / "a.csv").write_text(GAZE)
    (study / ".numba_config.yaml").write_bytes(content)
    done = shell(command, "a.csv", cwd=study, env=yaml)
    assert (done.returncode, done.stderr) == (0, "")
    assert "200 samples" in done.stdout or "samples: 200" in done.stdout


@pytest.fixture
def study(tmp_path):
    """Four exports, one of them damaged."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("a", "c", "d"):
        (folder / f"{name}.csv").write_text(GAZE)
    (folder / "b.csv").write_text("x,y,t\n1,2,0\n1,oops,4\n")
    return folder


EXPORTS = ("a.csv", "b.csv", "c.csv", "d.csv")
CONVERT = ("convert", *EXPORTS, "--report", "report.jsonl")


def tables(folder):
    return sorted(path.name[0] for path in folder.glob("*.fixations.parquet"))


def statuses(folder):
    return [
        json.loads(line)["status"] for line in (folder / "report.jsonl").read_text().splitlines()
    ]


def closed_output():
    """A pipe whose reader has gone, as that of `| head -1` has after the first line."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are POSIX")
@pytest.mark.parametrize("how", ["closed by its reader", "full", "closed from the start"])
def test_a_standard_output_that_takes_nothing_stops_no_batch(study, how):
    options = {"stdout": closed_output() if how == "closed by its reader" else None}
    if how == "full":
        if not Path("/dev/full").exists():
            pytest.skip("no /dev/full on this system")
        options["stdout"] = os.open("/dev/full", os.O_WRONLY)
    if how == "closed from the start":
        options["preexec_fn"] = lambda: os.close(1)
    done = shell(*CONVERT, cwd=study, **options)
    assert tables(study) == ["a", "c", "d"]
    assert statuses(study) == ["ok", "failed", "ok", "ok"]
    about_input, about_output = done.stderr.strip().splitlines()
    assert "b.csv:3:2" in about_input
    assert "standard output" in about_output
    assert "the work is done" in about_output
    assert done.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize(("options", "code"), [(["--json"], 3), (["-q"], 0)])
def test_what_was_asked_for_on_a_full_output_is_missed_and_what_was_not_is_not(
    study, options, code
):
    done = shell("convert", "a.csv", *options, cwd=study, stdout=os.open("/dev/full", os.O_WRONLY))
    assert done.returncode == code
    assert done.stderr.count("\n") == (code != 0)
    assert tables(study) == ["a"]


@pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX")
def test_a_command_that_only_prints_ends_quietly_with_its_reader(study):
    done = shell("formats", cwd=study, stdout=closed_output())
    assert (done.returncode, done.stderr) == (0, "")
    done = shell("formats", cwd=study, stdout=None, preexec_fn=lambda: os.close(1))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "standard output cannot be written" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_standard_error_stops_no_batch(study):
    done = shell(*CONVERT, cwd=study, stderr=os.open("/dev/full", os.O_WRONLY))
    assert done.returncode == 1
    assert tables(study) == ["a", "c", "d"]
    assert statuses(study) == ["ok", "failed", "ok", "ok"]


@pytest.mark.skipif(os.name != "posix", reason="closed descriptors are POSIX")
def test_a_closed_standard_error_stops_no_command_that_would_draw_a_bar(tmp_path):
    export = GOLDEN / "gazemedseg" / "fractions" / "input.csv"
    (tmp_path / "a.csv").write_bytes(export.read_bytes())
    silent = {"cwd": tmp_path, "stderr": None, "preexec_fn": lambda: os.close(2)}
    converted = shell("convert", "a.csv", **silent)
    rendered = shell("render", "a.fixations.parquet", "--size", "16", **silent)
    assert (converted.returncode, rendered.returncode) == (0, 0)
    assert "wrote maps" in rendered.stdout
    assert (tmp_path / "maps" / "maps.parquet").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("convert", ""),
        ("convert", "a.csv", "--out", ""),
        ("info", ""),
        ("render", ""),
        ("convert", "a.csv", "--key", ""),
    ],
)
def test_an_unset_variable_is_not_the_working_directory(study, arguments):
    before = sorted(study.iterdir())
    done = shell(*arguments, cwd=study)
    assert (done.returncode, done.stdout) == (2, "")
    assert "a name is empty" in done.stderr
    assert sorted(study.iterdir()) == before


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
def test_a_key_that_others_may_read_is_told(study):
    hashed = ("convert", "a.csv", "--participant", "hash", "-q", "--force")
    assert shell(*hashed, cwd=study).stderr == ""
    (study / "gazetrack.key").chmod(0o640)
    done = shell(*hashed, cwd=study)
    assert done.returncode == 0
    assert done.stderr == (
        "gazetrack: warning: gazetrack.key: other users may read the key of the "
        "pseudonyms - chmod 600 it\n"
    )


def start_slowly(tmp_path, *arguments, cwd):
    """Start `gazetrack` where a disk takes ten minutes to sync, with files half-written."""
    modules = tmp_path / "slow"
    modules.mkdir()
    code = (
        "import os, time\nfsync = os.fsync\n"
        "os.fsync = lambda number: (time.sleep(600), fsync(number))\n"
    )
    (modules / "sitecustomize.py").write_text(code)
    env = os.environ | {"PYTHONPATH": str(modules)}
    return subprocess.Popen(
        [*PROGRAM, *arguments],
        cwd=cwd,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def half_written(folder):
    return list(folder.glob(".*.gtmp"))


def wait_for(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_signal_ends_a_command_with_nothing_half_written(study, tmp_path, number, code, jobs):
    # Quietly: a command that takes more than ten seconds tells how far it is.
    process = start_slowly(tmp_path, *CONVERT, "--jobs", str(jobs), "-q", cwd=study)
    wait_for(lambda: len(half_written(study)) == jobs)
    if number == signal.SIGINT:  # from a keyboard it goes to all processes
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    output, errors = process.communicate(timeout=300)  # and no file is whole before ten minutes
    assert (process.returncode, output) == (code, "")
    assert errors in ("gazetrack: error: interrupted\n", "gazetrack: error: stopped by SIGTERM\n")
    assert half_written(study) == []
    assert sorted(path.name for path in study.iterdir()) == list(EXPORTS)


# Sends itself the signal where a module is imported for the first time.
EARLY = """
import builtins, os, signal
real = builtins.__import__
def imported(name, *rest):
    if name == {name!r}:
        builtins.__import__ = real
        os.kill(os.getpid(), {number})
    return real(name, *rest)
builtins.__import__ = imported
from gazetrack_cli.start import gazetrack
gazetrack()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("name", ["click", "pyarrow", "numba"])
def test_a_signal_while_modules_are_imported_prints_no_traceback(study, name):
    for number in (signal.SIGINT, signal.SIGTERM):
        code = EARLY.format(name=name, number=int(number))
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, "convert", "a.csv"],
            cwd=study,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 128 + number
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1
        assert tables(study) == []


def test_the_installed_commands_begin_there():
    text = (ROOT / "pyproject.toml").read_text()
    scripts = text.partition("[project.scripts]")[2].partition("[tool")[0]
    places = re.findall(r'^[\w-]+ = "([\w.]+):(\w+)"$', scripts, re.MULTILINE)
    # As many as lines have been written: none is missed by the pattern above.
    assert len(places) == scripts.count(" = ") == 8
    assert all(callable(getattr(import_module(module), name)) for module, name in places)
    assert {module for module, _ in places} == {"gazetrack_cli.start"}


NAMES = (b"caf\xe9.csv", b"caf\xe8.csv", "caf\u00e9.csv".encode(), b"plain.csv")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse such names")
@pytest.mark.parametrize("locale", [pytest.param("C.UTF-8", marks=pytest.mark.slow), "C"])
def test_names_that_are_no_text_are_converted_and_reported(tmp_path, locale):
    import pyarrow.parquet as pq

    for name in NAMES:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text(GAZE)
    # As on a system whose encoding is ASCII: Python would choose UTF-8 by itself.
    narrow = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"} if locale == "C" else {}
    env = {"LC_ALL": locale, "LANG": locale} | narrow
    done = shell(
        "convert", ".", "--report", "report.jsonl", cwd=tmp_path, env=env, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = [
        json.loads(line) for line in (tmp_path / "report.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(found) == len({entry["file"] for entry in found}) == 4
    written = sorted(tmp_path.glob("*.fixations.parquet"))
    assert len(written) == 4
    recordings = {pq.read_table(path)["recording"][0].as_py() for path in written}
    assert recordings == {"caf\\xe9", "caf\\xe8", "caf\u00e9", "plain"}
    sources = {
        json.loads(pq.read_schema(path).metadata[b"gazetrack"])["source"]["file"]
        for path in written
    }
    assert sources == {f"{name}.csv" for name in recordings}
    done = shell("info", ".", "--json", cwd=tmp_path, env=env, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert sum(entry["file"].endswith(".csv") for entry in json.loads(done.stdout)) == 4


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse such names")
def test_an_error_names_a_file_whose_name_is_no_text(tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")).write_text(
        "x,y,t\n1,2,0\n1,oops,4\n"
    )
    done = shell("convert", ".", "--report", "report.jsonl", cwd=tmp_path)
    assert "caf\\xe9.csv:3:2: " in done.stderr
    assert done.returncode == 1
    (entry,) = [
        json.loads(line) for line in (tmp_path / "report.jsonl").read_text("utf-8").splitlines()
    ]
    assert (entry["status"], entry["line"], os.fsencode(entry["file"])) == (
        "failed",
        3,
        b"caf\xe9.csv",
    )


def limited():
    """Let a process take two gigabytes of addresses beyond what Python and its libraries take."""
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (2**31, 2**31))


def write_bomb(path, columns, times):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(columns)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(table)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are Linux's")
def test_small_files_that_would_fill_the_memory_end_with_one_line(tmp_path):
    import numpy as np
    import pyarrow as pa

    ones = dict.fromkeys(("onset_ms", "duration_ms", "x_px", "y_px"), np.ones(1_000_000))
    write_bomb(
        tmp_path / "a.fixations.parquet", {"stimulus": pa.array(["a.png"] * 1_000_000), **ones}, 60
    )
    done = shell("render", "a.fixations.parquet", cwd=tmp_path, preexec_fn=limited)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "a.fixations.parquet: would take" in done.stderr
    maps = {
        "image_id": ["p"],
        "levels": pa.array([1], pa.int32()),
        "height": pa.array([30_000], pa.int32()),
    }
    maps |= {
        "width": pa.array([30_000], pa.int32()),
        "maps": pa.array([bytes(900_000_000)], pa.binary()),
    }
    (tmp_path / "maps").mkdir()
    (tmp_path / "images").mkdir()
    write_bomb(tmp_path / "maps" / "maps.parquet", maps, 1)
    assert (tmp_path / "maps" / "maps.parquet").stat().st_size < 200_000
    done = shell("refine", cwd=tmp_path, preexec_fn=limited)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "maps.parquet: row 1 unpacks to 858 MB" in done.stderr
