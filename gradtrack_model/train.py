"""Training: from a data set in memory to a run folder with the best and the last network.

A run folder holds ``best.*`` and ``last.*`` (see `gradtrack_model.checkpoint`), ``metrics.csv``, ``log.txt``, the state
for ``--resume`` (see `gradtrack_model.state`) and, where TensorBoard is installed, ``tensorboard/``.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch.nn import functional

from gazetrack.errors import GazetrackError, quote
from gradtrack_model.data import Batch, batches, normalise, plain_batch
from gradtrack_model.encoders import LiteEncoder
from gradtrack_model.losses import Losses, gaze_loss
from gradtrack_model.metrics import dice_and_iou
from gradtrack_model.model import TrackUNet
from gradtrack_model.optim import average_in, build_optimizer, descend, lr_share, set_lr
from gradtrack_model.pretrained import load_lite
from gradtrack_model.run import BY_DICE, BY_LOSS, BY_STEP, Run, TrainResult, refuse_other_run
from gradtrack_model.state import load_state, read_facts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.optim import Optimizer

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data import Sample, TrainingData

__all__ = ["BY_DICE", "BY_LOSS", "BY_STEP", "TrainResult", "train"]


class NonFiniteLossError(GazetrackError):
    """The loss became infinite or not a number."""

    code: ClassVar[str] = "NON_FINITE"
    exit_code: ClassVar[int] = 6


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
    """

    step: int
    steps: int
    row: dict[str, float]
    saved_best: bool = False


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
        Go on with the run that is there from where its state was last saved: every `val_every` steps, and when it is
        stopped. The result is that of a run nobody interrupted, bit for bit on one CPU.
    report : callable, optional
        Called after every step.

    Returns
    -------
    TrainResult
        SIGINT and SIGTERM end the run after the step at hand, with ``last.*`` and its state saved and `stopped_by` set.

    Raises
    ------
    OutputError
        The folder holds a run, or cannot be written.
    NonFiniteLossError
        The loss is not finite; ``last.*`` keeps the weights from before.
    ConfigError
        The device is not there, pretrained weights are not installed, or the run to resume had other settings or data.
    CheckpointError
        There is no state to resume, or a damaged one.
    """
    device = pick_device(config.device)
    model = build_model(config).to(device)
    average = copy.deepcopy(model) if config.ema > 0 else model
    optimizer = build_optimizer(model, config)
    models = {"model": model} | ({"average": average} if config.ema > 0 else {})
    facts = None
    if resume:
        refuse_other_run(read_facts(out), config, data)
        facts = load_state(out, models, optimizer)
    run = Run(out, config, data, force, facts)
    step = facts["step"] if facts else 0
    best_lr = [group["initial_lr"] for group in optimizer.param_groups]
    with contextlib.closing(run), _stop_signals() as stop:
        for batch in itertools.islice(batches(data.train, config, step), config.steps - step):
            step += 1
            set_lr(optimizer, best_lr, lr_share(step, config.steps, config.optimizer))
            losses = _forward(model, batch, config, device)
            if not math.isfinite(losses.total.item()):
                run.save_if_finite("last", average, step - 1)
                raise _non_finite(step, batch, run.folder)
            descend(losses.total, model, optimizer, config.optimizer.clip)
            if average is not model:
                average_in(average, model, config.ema, step)
            row = _row(losses, optimizer)
            due, stopping = step == config.steps or step % config.val_every == 0, stop.signal is not None
            if due:
                row |= validate(average, data.val, config, device)
                run.save(average, step, row)
            run.log(step, row, keep=due, write=due or stopping)
            if due or stopping:
                run.save_state(step, models, optimizer)
            if report is not None:
                report(Progress(step, config.steps, row, run.best_step == step))
            if stopping and not due:
                _save_stopped(run, average, step, validate(average, data.val, config, device))
            if stopping:
                break
    return run.result(step, None if step == config.steps else stop.signal)


def _save_stopped(run: Run, model: TrackUNet, step: int, measured: dict[str, float]) -> None:
    """Save a run stopped between validations; ``best.*`` stays what it is, so that a resumed run gets the same."""
    if run.best_step == 0:
        run.save(model, step, measured)
    else:
        run.save_if_finite("last", model, step, measured)


def pick_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU when there is one."""
    from gazetrack.errors import ConfigError

    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is not there", hint="use --device cpu")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def build_model(config: TrainConfig) -> TrackUNet:
    """Build the network with the initial weights of the configuration's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = TrackUNet(config.model)
    if isinstance(model.encoder, LiteEncoder) and config.model.pretrained:
        load_lite(model.encoder)
    channels_last: TrackUNet = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # stub lacks it
    return channels_last


def validate(
    model: TrackUNet, samples: Sequence[Sample], config: TrainConfig, device: torch.device
) -> dict[str, float]:
    """Return mean Dice and IoU at the masks' own size where there are masks, and the loss where there is gaze."""
    model.eval()
    dices, ious, losses = [], [], []
    with torch.no_grad():
        for start in range(0, len(samples), config.batch_size):
            chunk = samples[start : start + config.batch_size]
            for sample, logits in zip(chunk, _predict(model, chunk, config, device), strict=True):
                if sample.mask is not None:
                    dice, iou = dice_and_iou(_at_size(logits, sample.mask.shape), sample.mask)
                    dices.append(dice)
                    ious.append(iou)
            gazed = [sample for sample in chunk if sample.has_gaze]
            if gazed:
                loss = _forward(model, plain_batch(gazed, config), config, device).total.item()
                losses += [loss] * len(gazed)
    model.train()
    means = {"val_dice": dices, "val_iou": ious, "val_loss": losses}
    return {name: float(np.mean(values)) for name, values in means.items() if values}


def _predict(model: TrackUNet, samples: Sequence[Sample], config: TrainConfig, device: torch.device) -> Tensor:
    images = normalise(torch.stack([s.pixels for s in samples]).to(device).float() / 255)
    with _autocast(config, device):
        logits: Tensor = model(images).logits
    return logits.float()


def _at_size(logits: Tensor, size: tuple[int, ...]) -> Any:
    resized = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)
    return (resized[0, 0] > 0).cpu().numpy()


def _forward(model: TrackUNet, batch: Batch, config: TrainConfig, device: torch.device) -> Losses:
    images, maps = batch.images.to(device, non_blocking=True), batch.maps.to(device, non_blocking=True)
    with _autocast(config, device):
        output = model(images)
    return gaze_loss(output, maps, config.loss)


def _autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    half = config.precision == "bf16" or (config.precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def _row(losses: Losses, optimizer: Optimizer) -> dict[str, float]:
    names = ("loss", "loss_mask", "loss_dice", "loss_tracks")
    row = {name: value.item() for name, value in zip(names, losses, strict=True)}
    return row | {"lr": float(optimizer.param_groups[-1]["lr"])}


def _non_finite(step: int, batch: Batch, folder: Path) -> NonFiniteLossError:
    ids = ", ".join(quote(i, 30) for i in batch.ids)
    return NonFiniteLossError(
        f"the loss is not finite at step {step}, images {ids}",
        path=folder,
        hint="lower optimizer.lr; last.* holds the weights before",
    )


@dataclass
class _Stop:
    signal: int | None = None


@contextlib.contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Note the first SIGINT or SIGTERM; a second one ends the process as if nobody had listened."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, _frame: object) -> None:
        stop.signal = number
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
