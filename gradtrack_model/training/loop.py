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
    not_one_batch,
    pick_device,
)
from gradtrack_model.training.run_folder import Run, TrainResult
from gradtrack_model.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.sample import TrainingData
    from gradtrack_model.training.interrupts import Stop
    from gradtrack_model.training.learner import Row
    from gradtrack_model.training.run_folder import Hopeless

__all__ = [
    "NonFiniteLossError",
    "Progress",
    "TrainResult",
    "build_model",
    "pick_device",
    "train",
    "validate",
]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is.

    Parameters
    ----------
    step : int
        Number of steps that are done.
    steps : int
        Number of steps of the whole run.
    row : dict
        Values by the names in `gradtrack_model.training.run_log.COLUMNS`; what was not measured is
        missing.
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
    hopeless: Hopeless | None = None,
) -> TrainResult:
    """Train a network on gaze. The same seed gives the same weights, bit for bit on one CPU.

    Parameters
    ----------
    config : TrainConfig
        The settings of the run.
    data : TrainingData
        The images and gaze to learn from.
    out : pathlib.Path
        The run folder, which is made where it is missing.
    force : bool
        Replace a run that is there already.
    resume : bool
        Go on where an interrupted run of the same settings and data was last saved: the outcome is
        that of a run without the interruption, bit for bit on one CPU. A run that is complete is
        left as it is, or extended where `config` has more steps: from there on the learning rate is
        that of a run of so many steps at the same place. One that was stopped before anything was
        saved is begun from the start, and a note says so.
    report : callable, optional
        Called with a `Progress` after every step.
    hopeless : callable, optional
        Asked after every validation, with the rows of the log: a reason ends the run there, as
        `given_up`; none, an empty text, lets it go on.

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
    # What is recorded says what was trained on: of stored maps, how these were rendered.
    config = data.gaze.trained(config)
    with parallel.joined():
        if parallel.is_joined():
            parallel.refuse_difference([config.as_dict(), data.sha256()])
        # The network first: what it lacks is said before the folder is touched.
        learner = Learner(config)
        run = Run(out, config, data, force=force, resume=resume)
        run.hopeless = hopeless
        with contextlib.closing(run), fast_convolutions(learner.device), stop_signals() as stop:
            # A run that goes on has said so.
            reasons = not_one_batch(config.accumulate, config.loss, config.classes, learner.model)
            for reason in () if run.resume else reasons:
                run.note(reason)
            return _take_steps(run, learner, stop, report or _tell_nobody)


def _tell_nobody(_: Progress) -> None:
    """Stand in for a report that nobody asked for."""


def _take_steps(
    run: Run, learner: Learner, stop: Stop, report: Callable[[Progress], None]
) -> TrainResult:
    """Take the steps that are left, or those until a signal comes."""
    config = run.config
    step = run.restore(learner) if run.resume else 0
    # Whether a run is over depends on its best step: the first process says so for all.
    over = parallel.of_the_first(run.over(step))
    notes = run.take_notes()
    if notes:
        report(Progress(step=step, steps=config.steps, row={}, notes=notes))
    make, workers = batch_maker(run.data.train, config, learner.device)
    stream = batches(make, workers, first=step * config.accumulate)
    number = None
    stopping = False
    while not over and not stopping:
        step += 1
        parts = run.timed(itertools.islice(stream, config.accumulate))
        try:
            rows = learner.advance(step, parts)
            if run.validates(step):
                # Before another step is queued, so that the network is that of this step.
                rows += learner.rest()
            _book(rows, run, learner, report)
            # All processes stop after the same step, whichever of them was sent the signal.
            number = parallel.any_signal(stop.signal)
            if run.validates(step):
                over = parallel.of_the_first(run.over(step))
            # One that comes with the last step stops nothing.
            stopping = number is not None and not over
            if stopping:
                _book(learner.rest(), run, learner, report)
        except NonFiniteLossError as error:
            with learner.ema.applied():
                run.save_if_finite("last", learner.model, error.step - 1)
            raise
        if run.validates(step) or stopping:
            run.save_state(step, learner)
            run.write_log()
        if stopping and not run.validates(step):
            with learner.ema.applied():
                measured = validate(learner.model, run.data.val, config, learner.device)
                run.save_stopped(learner.model, step, measured)
    return run.end(step, stopped_by=number if stopping else None)


def _book(
    rows: Iterable[Row], run: Run, learner: Learner, report: Callable[[Progress], None]
) -> None:
    """Validate and save after steps that are due for it, log every step, and report it.

    The row of a step that is due for validation is the last one known, so that the network is that
    step's.
    """
    for step, values in rows:
        if run.validates(step):
            with learner.ema.applied():
                values.update(validate(learner.model, run.data.val, run.config, learner.device))
                run.save(learner.model, step, values)
        run.record(step, values)
        progress = Progress(
            step=step,
            steps=run.config.steps,
            row=values,
            saved_best=run.best.step == step,
            notes=run.take_notes(),
        )
        report(progress)
