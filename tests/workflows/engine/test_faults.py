"""Faults at a worker: what they are about fails by name, all else is done, the next call goes on.

Those of the workers themselves, which die, are in the tests of each engine.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from gazetrack.errors import InputError, OutputError
from gazetrack.workflows.convert import convert_files
from gazetrack.workflows.convert_options import ConvertOptions
from gazetrack.workflows.engine.run import Engine
from tests.object_store import BUCKET

MANIFEST = "study.jsonl"
LAB = f"s3://{BUCKET}"
NAMES = ("a", "b", "c")

# In every process that is started: no room for what is called after b, once all of it is written.
FULL_DISK = """
import errno, os
fsync = os.fsync
def full(number):
    if "/b.fixations" in os.readlink(f"/proc/self/fd/{number}").replace("/.", "/"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    fsync(number)
os.fsync = full
"""


def gaze(name):
    return "x,y,t\n" + "".join(f"{100 + i % 3},{ord(name)},{4 * i}\n" for i in range(200))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "exports").mkdir()
    for name in NAMES:
        (tmp_path / "exports" / f"{name}.csv").write_text(gaze(name))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def converted(engine, exports="exports", out="tables"):
    options = ConvertOptions(out=out)
    return list(convert_files([exports], options, engine, manifest=MANIFEST))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="files are told by their numbers")
@pytest.mark.parametrize("cluster", [None, pytest.param("local", marks=pytest.mark.slow)])
def test_a_full_disk_at_a_worker(folder, monkeypatch, cluster):
    if cluster is not None and importlib.util.find_spec("distributed") is None:
        pytest.skip("a cluster needs: pip install 'gazetrack[cluster]'")
    (folder / "full").mkdir()
    (folder / "full" / "sitecustomize.py").write_text(FULL_DISK)
    engine = Engine(jobs=2, cluster=cluster)
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", str(folder / "full"), prepend=os.pathsep)
        outcomes = converted(engine)
    assert [outcome.status for outcome in outcomes] == ["ok", "failed", "ok"]
    error = outcomes[1].error
    assert isinstance(error, OutputError)
    assert Path(error.path).name == "b.fixations.parquet"
    assert "No space left on device" in error.what
    assert outcomes[1].outputs == []
    # Nothing of it is there, half-written or not.
    tables = folder / "tables"
    assert sorted(path.name for path in tables.iterdir()) == [
        f"{name}.fixations.parquet" for name in ("a", "c")
    ]
    before = {path: path.stat().st_mtime_ns for path in tables.iterdir()}
    assert [outcome.status for outcome in converted(Engine())] == ["ok"] * 3
    after = {path: path.stat().st_mtime_ns for path in tables.iterdir()}
    assert after.keys() - before.keys() == {tables / "b.fixations.parquet"}
    assert all(after[path] == time for path, time in before.items())


@pytest.fixture
def store(object_store):
    for name in NAMES:
        object_store.put(f"exports/{name}.csv", gaze(name).encode())
    return object_store


def test_a_store_that_is_busy_for_a_moment_fails_nothing(folder, store):
    faults = store.faults
    faults.status, faults.times, faults.path = 503, 2, "/b."
    outcomes = converted(Engine(), f"{LAB}/exports", f"{LAB}/tables")
    assert faults.times == 0
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3


@pytest.mark.parametrize(
    ("jobs", "status", "method", "kind", "says"),
    [
        pytest.param(
            *(2, 403, "GET", InputError, "may not be read: the store refuses (403)"),
            marks=pytest.mark.slow,
        ),
        (1, 503, "PUT", OutputError, "cannot be written: the store is busy or broken (503)"),
    ],
)
def test_a_store_that_refuses_fails_it_alone(folder, store, jobs, status, method, kind, says):
    faults = store.faults
    faults.status, faults.times, faults.method, faults.path = status, 999, method, "/b."
    outcomes = converted(Engine(jobs=jobs), f"{LAB}/exports", f"{LAB}/tables")
    faults.times = 0
    assert [outcome.status for outcome in outcomes] == ["ok", "failed", "ok"]
    error = outcomes[1].error
    assert isinstance(error, kind)
    assert says in error.what
    assert str(error.path).startswith(f"{LAB}/")
    assert Path(str(error.path)).name.startswith("b.")
    tables = [f"tables/{name}.fixations.parquet" for name in NAMES]
    assert store.names()[3:] == [tables[0], tables[2]]
    # The next call does what is left, and nothing twice.
    faults.asked.clear()
    assert [one.status for one in converted(Engine(), f"{LAB}/exports", f"{LAB}/tables")] == [
        "ok"
    ] * 3
    sent = {asked.rpartition("/")[2] for asked in faults.asked if asked.startswith("PUT")}
    assert sent == {"b.fixations.parquet"}
