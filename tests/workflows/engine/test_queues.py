"""Batch queues: what a TOML file says, and the script that a queue would get."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gazetrack.errors import ClusterError, ConfigError, InputError
from gazetrack.workflows.engine import queues
from gazetrack.workflows.engine.queues import Queue, check_place, is_queue, job_script, read_queue

SLURM = """
[slurm]
jobs = 10
cores = 8
processes = 4
memory = "32GB"
queue = "short"
walltime = "01:30:00"
job_extra_directives = ["--qos=low"]
"""


@pytest.fixture
def place(tmp_path):
    def write(text):
        path = tmp_path / "queue.toml"
        path.write_text(text)
        return path

    return write


def test_a_file_says_how_many_jobs_and_what_each_is(place):
    name, jobs, section = read_queue(place(SLURM))
    assert (name, jobs) == ("slurm", 10)
    assert section["processes"] == 4
    assert "jobs" not in section


def test_the_script_of_a_job_says_what_the_file_says(place):
    pytest.importorskip("dask_jobqueue")
    script = job_script(place(SLURM))
    for line in ("-p short", "--cpus-per-task=8", "--mem=30G", "-t 01:30:00", "--qos=low"):
        assert f"#SBATCH {line}\n" in script
    assert " --nthreads 2 " in script
    assert " --nworkers 4 " in script
    assert "tcp://SCHEDULER:PORT" in script


def test_other_queues_have_scripts_of_theirs(place):
    pytest.importorskip("dask_jobqueue")
    script = job_script(place('[pbs]\ncores = 2\nmemory = "4GB"\nqueue = "batch"\n'))
    assert "#PBS -q batch" in script


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("jobs = ", "is no TOML file"),
        ("jobs = 3\n", "does not have one section"),
        ("", "does not have one section"),
        ("[slurm]\n[pbs]\n", "does not have one section"),
        ("[slurn]\ncores = 1\n", r"has a section \[slurn\] - did you mean 'slurm'\?"),
        ("[slurm]\njobs = 0\n", "jobs = 0"),
        ("[slurm]\njobs = true\n", "jobs = True"),
        ('[slurm]\ncores = "x"\nmemory = 3\n', "cores = x"),
        ('[slurm]\ncores = 1\nprocesses = 0\nmemory = "1GB"\n', "processes = 0"),
        ("[slurm]\ncores = 1\n", r"\[slurm\] does not say memory of a job"),
        ("[slurm]\n", "does not say cores and memory"),
    ],
)
def test_a_file_that_says_too_little_is_refused(place, text, what):
    with pytest.raises((ConfigError, InputError), match=what) as caught:
        read_queue(place(text))
    assert "queue.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml: no such file"):
        read_queue(tmp_path / "none.toml")


def test_an_argument_that_nobody_knows_is_refused(place):
    pytest.importorskip("dask_jobqueue")
    with pytest.raises(
        ConfigError, match=r"queue\.toml: has a key 'memori' - did you mean 'memory'\?"
    ):
        job_script(place('[slurm]\ncores = 1\nmemory = "1GB"\nmemori = 1\n'))


def test_without_jobqueue_the_extra_is_named(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(ConfigError, match=r"needs dask-jobqueue - pip install"):
        job_script(place(SLURM))


def test_a_cluster_is_local_or_has_an_address_or_a_file():
    for where in (
        "local",
        "tcp://host:8786",
        "tls://[::1]:1",
        "ws://h:80",
        "x/slurm.toml",
        "SLURM.TOML",
    ):
        check_place(where)
    nowhere = ("http://x", "http://x:80", "tcp://", "tcp://host", "tcp://:1", "tcp://host:x")
    for where in ("", "host:8786", "slurm", "slurm.ini", *nowhere):
        with pytest.raises(ConfigError, match="use local, tcp://HOST:PORT, or a TOML file"):
            check_place(where)
    assert is_queue("a.toml")
    assert not is_queue("tcp://host:1")


def test_every_queue_has_a_class_of_its_name():
    dask_jobqueue = pytest.importorskip("dask_jobqueue")
    for name, kind in queues.QUEUES.items():
        assert getattr(dask_jobqueue, kind).job_cls.config_name == name


@pytest.mark.parametrize("key", ["name", "scheduler", "config_name", "n_workers", "job_cls"])
def test_what_is_not_for_a_file_to_say_is_refused(place, key):
    pytest.importorskip("dask_jobqueue")
    with pytest.raises(ConfigError, match=f"has a key '{key}'"):
        job_script(place(f'[slurm]\ncores = 1\nmemory = "1GB"\n{key} = "x"\n'))


def test_what_a_cluster_is_told_is_no_part_of_the_script(place):
    pytest.importorskip("dask_jobqueue")
    text = SLURM + 'shared_temp_directory = "/tmp"\nscheduler_options = { host = "127.0.0.1" }\n'
    assert "#SBATCH -p short\n" in job_script(place(text))


def test_a_queue_whose_programs_are_not_here_is_refused(place, monkeypatch, tmp_path):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ClusterError, match=r"no program sbatch here - .* on a login node"
    ) as caught:
        Queue(place(SLURM))
    assert "queue.toml" in str(caught.value)


def test_ctrl_c_means_what_it_meant_before(place):
    pytest.importorskip("dask_jobqueue")
    code = (
        "import signal, sys\n"
        "from gazetrack.workflows.engine.queues import job_script\n"
        "before = signal.getsignal(signal.SIGINT)\n"
        "job_script(sys.argv[1])\n"
        "print(signal.getsignal(signal.SIGINT) is before)\n"
    )
    command = [sys.executable, "-c", code, str(place(SLURM))]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
