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

import contextlib
import inspect
import shlex
import shutil
import signal
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from gazetrack.errors import ClusterError, ConfigError, InputError, did_you_mean, quote

if TYPE_CHECKING:
    from types import TracebackType

QUEUES = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}

_SCHEMES = ("tcp", "tls", "ws", "wss")
# What a cluster is told besides what its jobs are.
_OF_CLUSTER = {"scheduler_options", "shared_temp_directory", "security"}
# What is ours to say, or Dask's own.
_NOT_TOLD = {"self", "scheduler", "name", "base_class_kwargs", "config_name"}

# What a queue's programs may make of a job, and Dask of what they say.
_REFUSALS = (OSError, RuntimeError, ValueError, TypeError, LookupError, AttributeError)


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
    if where != "local" and not is_queue(where) and not _is_address(where):
        what = f"cluster {quote(where, 80)!r}"
        raise ConfigError(what, hint="use local, tcp://HOST:PORT, or a TOML file about a queue")


def _is_address(where: str) -> bool:
    try:
        parts = urlsplit(where)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port is not None
    except ValueError:  # the port is no number
        return False


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
    if not path.exists():
        raise InputError("no such file", path=path, hint="check the name")
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
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
    counted = {key: section[key] for key in ("cores", "processes") if key in section}
    for key, number in {"jobs": jobs, **counted}.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            what = f"{key} = {quote(number)}"
            raise ConfigError(what, path=path, hint="use a number above 0")
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
    _check_keys(kind, section, path)
    for_job = {key: value for key, value in section.items() if key not in _OF_CLUSTER}
    # The address is known once a scheduler runs.
    job = _made(kind.job_cls, path, scheduler="tcp://SCHEDULER:PORT", name="gazetrack", **for_job)
    return str(job.job_script())


class Queue:
    """A cluster whose workers a queue starts; a context manager, which ends them.

    Parameters
    ----------
    path : path-like
        The TOML file about the queue.

    Raises
    ------
    ConfigError, InputError
        As `job_script`.
    ClusterError
        The program that takes a job is not on this machine.
    """

    def __init__(self, path: str | Path) -> None:
        name, self._jobs, section = read_queue(path)
        kind = _kind(name)
        _check_keys(kind, section, path)
        program = shlex.split(kind.job_cls.submit_command)[0]
        if shutil.which(program) is None:
            hint = f"call the command where {program} can be called: on a login node of the queue"
            raise ClusterError(f"there is no program {program} here", path=path, hint=hint)
        self._refusals: list[str] = []
        telling = _telling(kind.job_cls, self._refusals)
        self.cluster = _made(kind, path, job_cls=telling, **section)
        self.cluster.scale(jobs=self._jobs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What went wrong is known by now, and a queue ends jobs that nobody waits for by itself.
        with contextlib.suppress(Exception):
            self.cluster.close()

    def refusal(self) -> str:
        """Return what the queue said, where it took none of the jobs; an empty text before."""
        refused = len(self._refusals) >= self._jobs
        return self._refusals[-1] if refused else ""


def _telling(job: Any, refusals: list[str]) -> Any:
    """Return a class of jobs that notes why one was refused.

    Dask logs that, and waits for ever for the workers of a job that is in no queue.
    """

    async def start(self: Any) -> None:
        try:
            await job.start(self)
        except _REFUSALS as error:
            refusals.append(_said(error))
            self.status = type(self.status).running  # as Dask asks of all that were started

    async def close(self: Any) -> None:
        # The program that ends a job may be missing, and the job may be gone.
        with contextlib.suppress(Exception):
            await job.close(self)
        self.status = type(self.status).closed

    return type(job.__name__, (job,), {"start": start, "close": close})


def _said(error: Exception) -> str:
    """Return the line of a queue's program that says most: the last one that is not empty."""
    _, _, said = str(error).rpartition("stderr:")
    lines = [line.strip() for line in (said or str(error)).splitlines() if line.strip()]
    lines = lines or str(error).split("\n")[:2]
    return lines[-1] or type(error).__name__


def _check_keys(kind: Any, section: dict[str, Any], path: str | Path) -> None:
    """Refuse what this queue has no argument for, which Dask tells only with a class's name."""
    classes = [each for each in kind.job_cls.__mro__ if "__init__" in vars(each)]
    names = {name for each in classes for name in inspect.signature(each.__init__).parameters}
    known = (names - _NOT_TOLD - {"args", "kwargs"}) | _OF_CLUSTER
    for key in section:
        if key not in known:
            hint = did_you_mean(key, known) + "see the arguments of this queue at jobqueue.dask.org"
            raise ConfigError(f"has a key {quote(key, 40)!r}", path=path, hint=hint)


def _kind(name: str) -> Any:
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue
    except ImportError as error:
        hint = 'pip install "gazetrack[cluster]"'
        raise ConfigError("a batch queue needs dask-jobqueue", hint=hint) from error
    # Its import lets Ctrl-C end the whole process, as if all were done.
    if signal.getsignal(signal.SIGINT) is not on_interrupt:
        signal.signal(signal.SIGINT, on_interrupt)
    return getattr(dask_jobqueue, QUEUES[name])


def _made(kind: Any, path: str | Path, **told: Any) -> Any:
    try:
        return kind(**told)
    except (TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        hint = "see the arguments of this queue at jobqueue.dask.org"
        raise ConfigError(quote(error, 150), path=path, hint=hint) from error
