"""Batch queues: what a TOML file says, and the script that a queue would get."""

from __future__ import annotations

import sys

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.workflows.engine import queues
from gazetrack.workflows.engine.queues import check_place, is_queue, job_script, read_queue

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
        ("[slurm]\ncores = 1\n", r"\[slurm\] does not say memory of a job"),
        ("[slurm]\n", "does not say cores and memory"),
    ],
)
def test_a_file_that_says_too_little_is_refused(place, text, what):
    with pytest.raises((ConfigError, InputError), match=what) as caught:
        read_queue(place(text))
    assert "queue.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml"):
        read_queue(tmp_path / "none.toml")


def test_an_argument_that_nobody_knows_is_refused(place):
    pytest.importorskip("dask_jobqueue")
    with pytest.raises(ConfigError, match=r"queue\.toml: .*memori"):
        job_script(place('[slurm]\ncores = 1\nmemory = "1GB"\nmemori = 1\n'))


def test_without_jobqueue_the_extra_is_named(place, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask_jobqueue", None)
    with pytest.raises(ConfigError, match=r"needs dask-jobqueue - pip install"):
        job_script(place(SLURM))


def test_a_cluster_is_local_or_has_an_address_or_a_file():
    for where in ("local", "tcp://host:8786", "tls://host:1", "x/slurm.toml", "SLURM.TOML"):
        check_place(where)
    for where in ("", "host:8786", "slurm", "slurm.ini"):
        with pytest.raises(ConfigError, match="use local, tcp://HOST:PORT, or a TOML file"):
            check_place(where)
    assert is_queue("a.toml")
    assert not is_queue("tcp://host:1")


def test_every_queue_has_a_class_of_its_name():
    dask_jobqueue = pytest.importorskip("dask_jobqueue")
    for name, kind in queues.QUEUES.items():
        assert getattr(dask_jobqueue, kind).job_cls.config_name == name
