"""The same work on a cluster of Dask: the same bytes, and every way in which one can fail."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import pytest

from gazetrack.errors import ClusterError, ConfigError
from gazetrack.maps.parameters import CRFParams, MapParams
from gazetrack.maps.store import read_maps
from gazetrack.simulate.example import write_example
from gazetrack.workflows.convert import ConvertOptions, convert, convert_files
from gazetrack.workflows.engine import remote
from gazetrack.workflows.engine.cluster import DaskWorkers
from gazetrack.workflows.engine.run import Engine, over
from gazetrack.workflows.refine import refine
from gazetrack.workflows.render import render
from tests.engine_tasks import (
    HALF_WRITTEN_S,
    die,
    is_imported,
    refuse,
    squared,
    write_slowly,
)
from tests.places import ROOT

distributed = pytest.importorskip("distributed")
CRF = CRFParams(position_px=8, iterations=2)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")


@pytest.fixture(scope="module")
def address():
    """A cluster of two workers that runs already, as one at a laboratory does."""
    import dask

    settings = {
        "distributed.scheduler.allowed-failures": 0,
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=50,
        ) as cluster,
    ):
        yield cluster.scheduler_address


def done(function, items, address, **engine):
    lost = lambda item, error: f"{item[0].name}: {error.what}"  # noqa: E731
    engine = Engine(cluster=address, **engine)
    return list(over(function, items, engine, total=len(items), lost=lost))


def wait_for(condition):
    end = time.monotonic() + HALF_WRITTEN_S / 2
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def test_the_results_come_in_order(address):
    assert done(squared, range(50), address) == [number**2 for number in range(50)]


def test_what_a_function_raises_ends_everything(address):
    with pytest.raises(ValueError, match="nobody likes"):
        done(refuse, range(5), address)


def test_tables_are_the_same_bytes_as_those_made_here(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exports").mkdir()
    for number in range(4):
        rows = "".join(f"{100 + i % (3 + number)},200,{4 * i}\n" for i in range(300))
        (tmp_path / "exports" / f"{number}.csv").write_text("x,y,t\n" + rows)
    (tmp_path / "exports" / "bad.csv").write_bytes(b"x,y,t\n1,2,oops\n")
    reports = {}
    for name, engine in (("here", Engine()), ("there", Engine(cluster=address))):
        # Names of files are relative: they mean what they mean here, wherever a worker began.
        options = ConvertOptions(out=name, samples=True, events=True)
        outcomes = [each.as_json() for each in convert_files(["exports"], options, engine)]
        for outcome in outcomes:
            for output in outcome["outputs"]:
                output["path"] = output["path"].removeprefix(f"{name}/")
        reports[name] = outcomes
    assert reports["here"] == reports["there"]
    assert [outcome["status"] for outcome in reports["here"]].count("failed") == 1
    here = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    there = {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()}
    assert here == there
    assert len(here) == 12


def test_maps_are_the_same_bytes_as_those_made_here(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = write_example(tmp_path, n_images=3, size=(48, 64))
    convert(example.exports[1], out="tables")
    engine = Engine(cluster=address)
    for name, who in (("here", None), ("there", engine)):
        render("tables", "images", name, placement="fit", engine=who)
    there = (tmp_path / "there" / "maps.parquet").read_bytes()
    assert there == (tmp_path / "here" / "maps.parquet").read_bytes()


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """Plain maps of a made-up study, which a CRF may refine, its tables and images."""
    monkeypatch.chdir(tmp_path)
    example = write_example(tmp_path, n_images=3, size=(48, 64))
    convert(example.exports[1], out="tables")
    render("tables", "images", "maps", placement="fit", params=MapParams(kind="density"))
    return tmp_path


@pytest.mark.slow
def test_refined_maps_are_the_same_bytes_as_those_made_here(address, mapped):
    for name, who in (("here", None), ("there", Engine(cluster=address))):
        outcome = refine("maps", "images", name, CRF, engine=who)
        assert outcome.rows_out == len(read_maps("maps"))
        assert [path.name for path in (mapped / name).iterdir()] == ["maps.parquet"]
    there = (mapped / "there" / "maps.parquet").read_bytes()
    assert there == (mapped / "here" / "maps.parquet").read_bytes()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs a folder of one process")
@pytest.mark.parametrize("command", ["render", "refine"])
def test_images_that_a_worker_does_not_see_are_told_before_any_work(address, mapped, command):
    params = MapParams(kind="density")
    calls = {
        "render": partial(render, "tables", placement="fit", params=params, crf=CRF),
        "refine": partial(refine, "maps", params=CRF),
    }
    folder = os.open("images", os.O_RDONLY)
    # A name that leads to the images in this process, and nowhere in another one.
    images = Path(f"/proc/self/fd/{folder}")
    try:
        with pytest.raises(ClusterError, match=r"the worker tcp://\S+ does not see it") as caught:
            calls[command](images=images, out="new", engine=Engine(cluster=address))
    finally:
        os.close(folder)
    assert Path(caught.value.path).parent == images
    assert not list((mapped / "new").glob("*"))
    assert not list((mapped / "new").glob(".*"))


def test_maps_alone_need_no_image_at_a_worker(address, mapped):
    folder = os.open("images", os.O_RDONLY)
    try:
        render(
            "tables",
            f"/proc/self/fd/{folder}",
            "new",
            placement="fit",
            params=MapParams(kind="density"),
            engine=Engine(cluster=address),
        )
    finally:
        os.close(folder)
    assert read_maps("new").ids == read_maps("maps").ids


def test_items_of_a_worker_that_is_killed_are_done_by_another(address, tmp_path):
    items = [(tmp_path / f"{number}.txt", int(number == 2)) for number in range(12)]
    assert done(die, items, address) == [f"{number}.txt" for number in range(12)]
    assert {path.read_text() for path, _ in items} == {"whole"}
    assert list(tmp_path.glob(".*")) == []


def test_an_item_that_kills_its_workers_is_given_up_and_the_others_are_done(address, tmp_path):
    items = [(tmp_path / f"{number}.txt", 99 * (number == 1)) for number in range(6)]
    results = done(die, items, address, retries=1)
    assert results[1].startswith("1.txt: its worker died 2 times")
    assert [results[0], *results[2:]] == [f"{number}.txt" for number in (0, 2, 3, 4, 5)]
    assert len(list(tmp_path.glob("1.txt.try*"))) == 2
    assert not (tmp_path / "1.txt").exists()


def test_an_interruption_ends_the_tasks_and_nothing_stays_half_written(
    address, tmp_path, monkeypatch
):
    # A busy machine is no worker that hangs.
    monkeypatch.setattr("gazetrack.workflows.engine.cluster._STOP_SECONDS", HALF_WRITTEN_S / 2)
    begun = lambda: len(list(tmp_path.glob(".*.gtmp"))) == 2  # noqa: E731

    def interrupt():
        wait_for(begun)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=interrupt)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            done(write_slowly, [tmp_path / name for name in "abcd"], address)
    finally:
        signal.signal(signal.SIGINT, before)
        thread.join()
    assert list(tmp_path.iterdir()) == []
    # The workers, which are other people's, too, are there for the next one.
    assert done(squared, [3], address) == [9]
    assert time.monotonic() - started < HALF_WRITTEN_S, "the tasks went on to their end"


def test_other_versions_at_a_worker_are_told(address, monkeypatch):
    mine = remote.versions()
    monkeypatch.setattr(remote, "versions", lambda: mine | {"pyarrow": "0.1"})
    with pytest.raises(ClusterError, match=r"has pyarrow \d.*, and here it is 0\.1 - install"):
        done(squared, range(3), address)


def test_a_worker_that_does_not_see_the_folder_is_told(address, monkeypatch, tmp_path):
    terms = remote.Terms
    elsewhere = str(tmp_path / "elsewhere")
    monkeypatch.setattr(remote, "Terms", lambda *args: terms(args[0], elsewhere, args[2]))
    with pytest.raises(ClusterError, match="does not see the folder"):
        done(squared, range(3), address)


def test_a_scheduler_that_cannot_be_reached_is_told(monkeypatch):
    monkeypatch.setattr("gazetrack.workflows.engine.cluster._CONNECT_SECONDS", 1)
    with pytest.raises(ClusterError, match=r"cannot reach the scheduler at tcp://127\.0\.0\.1:9"):
        done(squared, range(3), "tcp://127.0.0.1:9")


@pytest.mark.parametrize("where", ["tls://127.0.0.1:1", "wss://127.0.0.1:1"])
def test_a_cluster_that_wants_certificates_is_told(where, monkeypatch):
    monkeypatch.setattr("gazetrack.workflows.engine.cluster._CONNECT_SECONDS", 1)
    with pytest.raises(ClusterError, match=f"cannot reach the scheduler at {where}"):
        done(squared, range(3), where)


@pytest.fixture
def queue(tmp_path, monkeypatch):
    """A queue whose programs are as they are told to be; gives the file about it."""
    pytest.importorskip("dask_jobqueue")

    def write(sbatch):
        for name, code in (("sbatch", sbatch), ("scancel", "exit 1")):
            program = tmp_path / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(f"#!/bin/sh\n{code}\n")
            program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        options = "scheduler_options = { host = '127.0.0.1', dashboard_address = '127.0.0.1:0' }"
        file = tmp_path / "slurm.toml"
        file.write_text(f'[slurm]\njobs = 2\ncores = 1\nmemory = "1GB"\n{options}\n')
        return str(file)

    return write


def test_a_queue_that_takes_no_job_is_told_as_it_says_it(queue, capfd):
    where = queue("echo 'sbatch: error: invalid account' >&2; exit 1")
    with pytest.raises(ClusterError, match=r"took no job: sbatch: error: invalid acc.*--dry-run"):
        done(squared, range(3), where)
    assert "Traceback" not in capfd.readouterr().err


def test_jobs_that_wait_in_a_queue_are_waited_for_and_its_programs_may_fail(queue, capfd):
    with DaskWorkers(queue("echo 'Submitted batch job 7'"), patience_s=0) as workers:
        for _ in range(2):
            workers.look()
            time.sleep(1.1)
    assert capfd.readouterr().err == ""


# A scheduler that dies while nobody works for it.
ORPHAN = """
import subprocess, sys, time
import dask
from gazetrack.errors import ClusterError
from gazetrack.workflows.engine.cluster import DaskWorkers
scheduler = subprocess.Popen(
    [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
     "--no-dashboard"], stderr=subprocess.PIPE, text=True)
for line in scheduler.stderr:
    if "Scheduler at:" in line:
        break
with DaskWorkers(line.split()[-1], patience_s=1) as workers:
    scheduler.kill()
    scheduler.wait()
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        try:
            while True:
                workers.look()
                time.sleep(0.2)
        except ClusterError as error:
            print(error)
"""


@pytest.mark.slow
def test_a_scheduler_that_dies_is_told_in_our_words_alone():
    command = [sys.executable, "-c", ORPHAN]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, capture_output=True, text=True, env=env, timeout=600, check=True)
    assert "no worker is left" in ran.stdout
    assert ran.stderr == ""


@pytest.fixture
def empty():
    """A scheduler that nobody works for yet."""
    with distributed.LocalCluster(
        n_workers=0,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


# A worker, in whose environment gazetrack is not installed where it is told so.
WORKER = """
import importlib.metadata, sys
if sys.argv.pop() == "bare":
    version = importlib.metadata.version
    def without(name):
        if name == "gazetrack":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)
    importlib.metadata.version = without
    sys.modules["gazetrack"] = None
from distributed.cli.dask_worker import main
main()
"""


@contextlib.contextmanager
def worker_of(address, kind="whole"):
    """A worker that the scheduler knows: a process takes seconds to become one."""
    options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", kind)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, address, *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with distributed.Client(address, timeout=300, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=300)
        yield worker
    finally:
        worker.kill()
        worker.wait()


def test_a_worker_without_gazetrack_is_told(empty):
    with (
        worker_of(empty, "bare"),
        pytest.raises(ClusterError, match=r"the worker tcp://\S+ has no gazetrack, and here"),
    ):
        done(squared, range(3), empty)


@pytest.mark.slow
def test_when_all_workers_are_gone_that_is_told_and_the_work_can_go_on(empty, tmp_path):
    told = []
    items = [(tmp_path / f"{number}.txt", 0) for number in range(40)]
    engine = Engine(cluster=empty, patience_s=2)
    with worker_of(empty) as worker:

        def at_once(item, result):
            told.append(result)
            if len(told) == 2:
                worker.kill()

        tasks = over(die, items, engine, total=40, lost=None, at_once=at_once)
        with pytest.raises(ClusterError, match=r"no worker is left at tcp://.* - start workers"):
            list(tasks)
    assert 2 <= len(told) < 40
    there = [path for path, _ in items if path.exists()]
    assert {path.read_text() for path in there} == {"whole"}
    # The next run is of a worker that comes back; it removes what the dead one had half-written.
    with worker_of(empty):
        assert len(done(die, items, empty)) == 40
    assert list(tmp_path.glob(".*.gtmp")) == []


def test_a_cluster_of_this_machine_is_begun_and_ended_and_its_dashboard_named():
    told = []
    engine = Engine(cluster="local", jobs=1, tell=told.append)
    found = over(is_imported, ["distributed", "torch"], engine, total=2, lost=None)
    assert list(found) == [True, False]
    (line,) = told
    assert line.startswith("dashboard: http://127.0.0.1:")


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r'a cluster needs Dask - pip install "gazetrack\[clus'):
        DaskWorkers("local")


def test_dask_is_imported_where_it_is_asked_for():
    code = (
        "import sys, gazetrack.workflows.convert, gazetrack.workflows.engine.cluster\n"
        "print([name for name in ('dask', 'distributed') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
