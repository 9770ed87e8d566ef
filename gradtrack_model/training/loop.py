"""Training: from a data set in memory to a run folder with the best and the last network.

A run folder holds ``best.*`` and ``last.*`` (see `gradtrack_model.weights.checkpoint`),
``metrics.csv``, ``log.txt``, ``splits.json`` (see `gradtrack_model.data.splits`) and, where
TensorBoard is installed, ``tensorboard/``. ``states/`` holds what ``--resume`` needs.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gazetrack.errors import ConfigError
from gradtrack_model import parallel
from gradtrack_model.data.batches import batches
from gradtrack_model.data.device_batches import batch_maker
from gradtrack_model.training.interrupts import stop_signals
from gradtrack_model.training.learner import (
    Learner,
    NonFiniteLossError,
    build_model,
    fast_convolutions,
    pick_device,
)
from gradtrack_model.training.run_folder import Run, TrainResult
from gradtrack_model.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.sources import TrainingData
    from gradtrack_model.training.learner import Row

__all__ = [
    "NonFiniteLossError",
    "Progress",
    "TrainResult",
    "build_model",
    "pick_device",
    "train",
    "validate",
]


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Parameters
    ----------
    step, steps : int
        Steps done, and to do.
    row : dict
        Values by the names in `COLUMNS`; what was not measured is missing.
    saved_best : bool
        Whether this step is the best so far.
    notes : tuple of str
        What happened since the last report and the user should know, such as a damaged state or a
        full disk.
    """

    step: int
    steps: int
    row: dict[str, float]
    saved_best: bool = False
    notes: tuple[str, ...] = ()


def train(
    config: TrainConfig,
    data: TrainingData,
    out: Path,
    *,
    force: bool = False,
    resume: bool = False,
    report: Callable[[Progress], None] | None = None,
) -> TrainResult:
    """Train a network on gaze. The same seed gives the same weights, bit for bit on one CPU.

    Parameters
    ----------
    config : TrainConfig
        What to do.
    data : TrainingData
        What to learn from.
    out : pathlib.Path
        The run folder.
    force : bool
        Replace a run that is there.
    resume : bool
        Go on where an interrupted run of the same settings and data was last saved: the outcome is
        that of a run without the interruption, bit for bit on one CPU. A run that is complete is
        left as it is; one that was stopped before anything was saved is begun from the start, and a
        note says so.
    report : callable, optional
        Called after every step.

    Returns
    -------
    TrainResult
        SIGINT and SIGTERM end the run after the step at hand, with its state saved and `stopped_by`
        set.

    Raises
    ------
    OutputError
        The folder holds a run, or cannot be written.
    NonFiniteLossError
        The loss is not finite; ``last.*`` keeps the weights from before.
    CheckpointError
        Nothing of the run can be resumed, or its settings or data were others.
    LockedError
        Another trainer works in the folder.
    ConfigError
        The device is not there, pretrained weights are not installed, or processes cannot share a
        batch evenly.
    """
    if config.batch_size % parallel.world():
        what = f"batch_size {config.batch_size} on {parallel.world()} processes"
        raise ConfigError(what, hint="use a multiple of their number")
    with parallel.joined(pick_device(config.device)):
        return _train(config, data, out, force, resume, report)


def _train(
    config: TrainConfig,
    data: TrainingData,
    out: Path,
    force: bool,
    resume: bool,
    report: Callable[[Progress], None] | None,
) -> TrainResult:
    learner = Learner(config)
    run = Run(out, config, data, force, resume)
    with contextlib.closing(run), fast_convolutions(learner.device), stop_signals() as stop:
        step = run.restore(learner) if run.resume else 0
        if report is not None and (notes := run.take_notes()):
            report(Progress(step, config.steps, {}, notes=notes))
        stream = batches(
            *batch_maker(data.train, config, learner.device), first=step * config.accumulate
        )
        stopping, number = False, None
        while not run.over(step) and not stopping:
            step += 1
            parts = run.timed(itertools.islice(stream, config.accumulate))
            try:
                rows = learner.advance(step, parts)
                if run.validates(step):
                    rows += learner.rest()
                _book(rows, run, learner, report)
                number = parallel.any_signal(stop.signal, learner.device)
                stopping = number is not None and not run.over(step)
                if stopping:
                    _book(learner.rest(), run, learner, report)
            except NonFiniteLossError as error:
                with learner.ema.applied():
                    run.save_if_finite("last", learner.model, error.step - 1)
                raise
            if run.validates(step) or stopping:
                run.save_state(step, learner)
                run.write()
            if stopping and not run.validates(step):
                with learner.ema.applied():
                    run.save_stopped(
                        learner.model,
                        step,
                        validate(learner.model, data.val, config, learner.device),
                    )
        return run.end(step, number if stopping else None)


def _book(
    rows: Iterable[Row], run: Run, learner: Learner, report: Callable[[Progress], None] | None
) -> None:
    """Validate and save after steps that are due for it, log every step, and report it.

    The row of a step that is due for validation is the last one known, so that the network is that
    step's.
    """
    config = run.config
    for step, values in rows:
        if run.validates(step):
            with learner.ema.applied():
                values.update(validate(learner.model, run.data.val, config, learner.device))
                run.save(learner.model, step, values)
        run.log(step, values)
        if report is not None:
            report(Progress(step, config.steps, values, run.best_step == step, run.take_notes()))
