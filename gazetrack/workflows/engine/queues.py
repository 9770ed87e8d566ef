"""Workers that a batch queue starts: SLURM, PBS, LSF and their like, by dask-jobqueue.

A TOML file has one section, called after the queue, with the arguments of dask-jobqueue's class for
it (https://jobqueue.dask.org), and the number of jobs to ask for::

    [slurm]
    jobs = 10
    cores = 8
    processes = 8
    memory = "32GB"
    queue = "short"
    walltime = "01:00:00"
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from gazetrack.errors import ConfigError, InputError, did_you_mean, quote

QUEUES = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}


def is_queue(where: str) -> bool:
    """Whether a cluster is named by a TOML file about a queue."""
    return where.lower().endswith(".toml")


def check_place(where: str) -> None:
    """Refuse a cluster that is none of those known, before any work starts.

    Raises
    ------
    ConfigError
        It is neither ``local`` nor an address nor a TOML file.
    """
    if where != "local" and "://" not in where and not is_queue(where):
        what = f"cluster {quote(where, 80)!r}"
        raise ConfigError(what, hint="use local, tcp://HOST:PORT, or a TOML file about a queue")


def read_queue(path: str | Path) -> tuple[str, int, dict[str, Any]]:
    """Read a TOML file about a queue.

    Returns
    -------
    (str, int, dict)
        The name of the queue, the number of jobs, and what dask-jobqueue is told.

    Raises
    ------
    InputError
        There is no such file, or it is no TOML.
    ConfigError
        It says nothing about a queue that is known, or not how large a job is.
    """
    path = Path(path)
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        hint = "give a TOML file with a section [slurm]"
        raise InputError(f"is no TOML file: {quote(error, 120)}", path=path, hint=hint) from error
    hint = f"write one section: {', '.join(f'[{name}]' for name in QUEUES)}"
    if len(told) != 1 or not all(isinstance(section, dict) for section in told.values()):
        raise ConfigError("does not have one section about one queue", path=path, hint=hint)
    ((name, section),) = told.items()
    if name not in QUEUES:
        hint = did_you_mean(name, QUEUES) + hint
        raise ConfigError(f"has a section [{quote(name, 40)}]", path=path, hint=hint)
    jobs = section.pop("jobs", 1)
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise ConfigError(f"jobs = {quote(jobs)}", path=path, hint="use a number above 0")
    missing = [key for key in ("cores", "memory") if key not in section]
    if missing:
        what = f"[{name}] does not say {' and '.join(missing)} of a job"
        raise ConfigError(what, path=path, hint='such as cores = 8 and memory = "32GB"')
    return name, jobs, section


def job_script(path: str | Path) -> str:
    """Return the script that a queue would be given for each job; nothing is started.

    Raises
    ------
    ConfigError, InputError
        As `read_queue`; and dask-jobqueue is not there, or knows an argument not.
    """
    name, _, section = read_queue(path)
    kind = _kind(name)
    # The address is known once a scheduler runs.
    job = _made(kind.job_cls, path, scheduler="tcp://SCHEDULER:PORT", name="gazetrack", **section)
    return str(job.job_script())


def queue_cluster(path: str | Path) -> Any:
    """Return a cluster whose workers a queue starts; a context manager, which ends them.

    Raises
    ------
    ConfigError, InputError
        As `job_script`.
    """
    name, jobs, section = read_queue(path)
    cluster = _made(_kind(name), path, **section)
    cluster.scale(jobs=jobs)
    return cluster


def _kind(name: str) -> Any:
    try:
        import dask_jobqueue
    except ImportError as error:
        hint = 'pip install "gazetrack[cluster]"'
        raise ConfigError("a batch queue needs dask-jobqueue", hint=hint) from error
    return getattr(dask_jobqueue, QUEUES[name])


def _made(kind: Any, path: str | Path, **told: Any) -> Any:
    try:
        return kind(**told)
    except (TypeError, ValueError) as error:
        hint = "see the arguments of this queue at jobqueue.dask.org"
        raise ConfigError(quote(error, 150), path=path, hint=hint) from error
