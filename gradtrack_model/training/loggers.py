"""Where a laboratory keeps its runs: MLflow and Weights & Biases, where a run is told to log there.

They get settings and numbers, and nothing of the data: no image, no name. Where they keep them, and
whether anything leaves the machine, their own environment variables say. As of TensorBoard's file,
an error never ends a run.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import math
import os
import time
from typing import TYPE_CHECKING, Any, Protocol

from gazetrack.errors import ConfigError, quote
from gazetrack.publish import write_json
from gazetrack.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

LOGGERS_FILE = "loggers.json"
# The module of each logger, and what brings it.
_PACKAGES = {"mlflow": "mlflow", "wandb": "wandb"}
# MLflow takes no more parameters at once.
_MOST_PARAMETERS = 100
# How a run ended, see `RunLogger.close`.
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"


class RunLogger(Protocol):
    """Something that takes the rows of a run's log.

    Attributes
    ----------
    failed : str
        Why nothing is logged any more, for the user; empty as long as all is well.
    """

    failed: str

    def add(self, step: int, row: Mapping[str, float]) -> None:
        """Add the values of a step."""

    def close(self, ended: str = FINISHED) -> None:
        """Log nothing more; `ended` is one of ``finished``, ``stopped`` and ``failed``."""


def check_loggers(names: Sequence[str]) -> None:
    """Refuse loggers whose packages are not installed, before any work.

    Parameters
    ----------
    names : sequence of str
        Those of the setting `loggers`, such as ``mlflow``.

    Raises
    ------
    ConfigError
        A package is not installed, or cannot be imported.
    """
    for name in names:
        try:
            importlib.import_module(_PACKAGES[name])
        except ImportError as error:
            package = _PACKAGES[name]
            what = f"loggers name {name}, and {package} is not installed: {quote(error, 80)}"
            raise ConfigError(what, hint=f"pip install {package}, or leave it out") from error


def open_loggers(
    names: Sequence[str], folder: Path, settings: Mapping[str, Any]
) -> list[RunLogger]:
    """Begin to log a run, or go on with what was logged of it.

    Parameters
    ----------
    names : sequence of str
        Those of the setting `loggers`, such as ``mlflow``.
    folder : pathlib.Path
        The run folder; its ``loggers.json`` says under which names the run goes on.
    settings : mapping
        All settings of the run, by their dotted names.
    """
    known = _known(folder)
    opened: list[RunLogger] = []
    for name in names:
        logger = _Guarded(_KINDS[name], name, folder, settings, known.get(name, ""))
        if logger.id:
            known[name] = logger.id
        opened.append(logger)
    if known:
        write_json(folder / LOGGERS_FILE, known)
    return opened


def _known(folder: Path) -> dict[str, str]:
    """Return under which names a run was logged before."""
    try:
        known = json.loads((folder / LOGGERS_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {name: str(known[name]) for name in _PACKAGES if known.get(name)}


class _MLflow:
    """A run of MLflow, in the experiment that MLFLOW_EXPERIMENT_NAME names, or ``gradtrack``."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], known: str) -> None:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient()
        self._metric = Metric
        self.id = known
        if known:
            self._client.update_run(known, status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "gradtrack")
        experiment = self._client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self._client.create_experiment(name)
        self.id = str(self._client.create_run(number, run_name=folder.name).info.run_id)
        parameters = [Param(key, str(value)) for key, value in settings.items()]
        for start in range(0, len(parameters), _MOST_PARAMETERS):
            part = parameters[start : start + _MOST_PARAMETERS]
            self._client.log_batch(self.id, params=part)
        self._client.log_batch(self.id, tags=[RunTag("gazetrack", __version__)])

    def add(self, step: int, row: Mapping[str, float]) -> None:
        now_ms = int(time.time() * 1000)
        metrics = [self._metric(name, value, now_ms, step) for name, value in row.items()]
        self._client.log_batch(self.id, metrics=metrics)

    def close(self, ended: str) -> None:
        status = {FINISHED: "FINISHED", STOPPED: "KILLED", FAILED: "FAILED"}[ended]
        self._client.set_terminated(self.id, status=status)


class _Wandb:
    """A run of Weights & Biases, in the project that WANDB_PROJECT names, or ``gradtrack``."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], known: str) -> None:
        import wandb

        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "gradtrack"),
            name=folder.name,
            dir=str(folder),
            config=dict(settings) | {"gazetrack": __version__},
            id=known or None,
            resume="allow",
            # What the command prints is its own.
            settings=wandb.Settings(silent=True, console="off"),
        )
        self.id = str(self._run.id)

    def add(self, step: int, row: Mapping[str, float]) -> None:
        self._run.log(dict(row), step=step)

    def close(self, ended: str) -> None:
        self._run.finish(exit_code=0 if ended == FINISHED else 1)


_KINDS: dict[str, Callable[[Path, Mapping[str, Any], str], Any]] = {
    "mlflow": _MLflow,
    "wandb": _Wandb,
}


class _Guarded:
    """A logger whose errors are told once, and then nothing is logged any more."""

    def __init__(
        self,
        kind: Callable[[Path, Mapping[str, Any], str], Any],
        name: str,
        folder: Path,
        settings: Mapping[str, Any],
        known: str,
    ) -> None:
        self.failed = ""
        self.id = ""
        self._name = name
        self._logger: Any = None
        with self._telling():
            self._logger = kind(folder, settings, known)
            self.id = self._logger.id

    def add(self, step: int, row: Mapping[str, float]) -> None:
        finite = {name: value for name, value in row.items() if math.isfinite(value)}
        if self._logger is not None:
            with self._telling():
                self._logger.add(step, finite)

    def close(self, ended: str = FINISHED) -> None:
        if self._logger is not None:
            with self._telling():
                self._logger.close(ended)
            self._logger = None

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - servers, disks and packages have all kinds
            self._logger = None
            reason = quote(f"{type(error).__name__}: {error}", 120)
            self.failed = f"{self._name} does not log ({reason}): the run goes on without it"
