"""Training: from a data set in memory to a run folder with the best and the last network.

A run folder holds ``best.*`` and ``last.*`` (see `gradtrack_model.checkpoint`), ``metrics.csv``, ``log.txt`` and,
where TensorBoard is installed, ``tensorboard/``.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import shutil
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from gazetrack.errors import GazetrackError, OutputError, quote
from gazetrack.publish import write_text
from gradtrack_model.checkpoint import save_checkpoint
from gradtrack_model.data import Batch, batches, normalise, plain_batch
from gradtrack_model.encoders import LiteEncoder
from gradtrack_model.losses import Losses, gaze_loss
from gradtrack_model.metrics import dice_and_iou
from gradtrack_model.model import TrackUNet
from gradtrack_model.pretrained import load_lite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from torch import Tensor
    from torch.optim import Optimizer

    from gradtrack_model.config import OptimizerConfig, TrainConfig
    from gradtrack_model.data import Sample, TrainingData

COLUMNS = ("step", "loss", "loss_mask", "loss_dice", "loss_tracks", "lr", "val_dice", "val_iou", "val_loss", "seconds")
BY_DICE, BY_LOSS, BY_STEP = "validation Dice", "validation loss on gaze labels", "last step (nothing to validate on)"
_RUN_FILES = ("best.json", "last.json", "best.safetensors", "last.safetensors", "metrics.csv", "log.txt")


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


@dataclass(frozen=True)
class TrainResult:
    """What became of a run.

    Parameters
    ----------
    folder : pathlib.Path
        The run folder.
    step : int
        Steps done.
    best_step : int
        Step of ``best.*``; 0 when the run was stopped before any.
    best : dict
        Validation metrics of ``best.*``.
    selected_by : str
        What ``best.*`` was chosen by.
    seconds : float
        Time taken.
    stopped_by : int or None
        Number of the signal that stopped the run.
    """

    folder: Path
    step: int
    best_step: int
    best: dict[str, float]
    selected_by: str
    seconds: float
    stopped_by: int | None = None


def train(
    config: TrainConfig,
    data: TrainingData,
    out: Path,
    *,
    force: bool = False,
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
    report : callable, optional
        Called after every step.

    Returns
    -------
    TrainResult
        SIGINT and SIGTERM end the run after the step at hand, with ``last.*`` saved and `stopped_by` set.

    Raises
    ------
    OutputError
        The folder holds a run, or cannot be written.
    NonFiniteLossError
        The loss is not finite; ``last.*`` keeps the weights from before.
    ConfigError
        The device is not there, or pretrained weights are not installed.
    """
    device = pick_device(config.device)
    model = build_model(config).to(device)
    optimizer = build_optimizer(model, config)
    run = _Run(out, config, data, force)
    step, best_lr = 0, [group["lr"] for group in optimizer.param_groups]
    with contextlib.closing(run), _stop_signals() as stop:
        for step, batch in enumerate(batches(data.train, config), start=1):
            _set_lr(optimizer, best_lr, lr_share(step, config.steps, config.optimizer))
            losses = _forward(model, batch, config, device)
            if not math.isfinite(losses.total.item()):
                run.save_if_finite("last", model, step - 1)
                raise _non_finite(step, batch, run.folder)
            _backward(losses.total, model, optimizer, config.optimizer.clip)
            row = _row(losses, optimizer)
            last = step == config.steps or stop.signal is not None
            if last or step % config.val_every == 0:
                row |= validate(model, data.val, config, device)
                run.save(model, step, row)
            run.log(step, row, write=last or step % config.val_every == 0)
            if report is not None:
                report(Progress(step, config.steps, row, run.best_step == step))
            if last:
                break
    return run.result(step, None if step == config.steps else stop.signal)


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


def build_optimizer(model: TrackUNet, config: TrainConfig) -> Optimizer:
    """Build the optimizer: a pretrained encoder learns slower, and vectors are not decayed."""
    chosen = config.optimizer
    pretrained = config.model.pretrained and isinstance(model.encoder, LiteEncoder)
    groups = []
    for in_encoder in (True, False):
        for decayed in (True, False):
            members = [
                p
                for name, p in model.named_parameters()
                if name.startswith("encoder.") == in_encoder and (p.ndim > 1) == decayed
            ]
            lr = chosen.lr * (chosen.encoder_lr_share if in_encoder and pretrained else 1)
            decay = chosen.weight_decay if decayed else 0.0
            groups.append({"params": members, "lr": lr, "weight_decay": decay})
    if chosen.name == "sgd":
        return torch.optim.SGD(groups, momentum=chosen.momentum, nesterov=chosen.momentum > 0)
    return torch.optim.AdamW(groups)


def lr_share(step: int, steps: int, config: OptimizerConfig) -> float:
    """Return the share of the learning rate at a step counted from 1: a linear warm-up, then a cosine."""
    warmup = min(config.warmup, steps // 2)
    if step <= warmup:
        return step / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return config.final_lr_share + (1 - config.final_lr_share) * 0.5 * (1 + math.cos(math.pi * done))


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


def _backward(loss: Tensor, model: nn.Module, optimizer: Optimizer, clip: float) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call] # untyped in torch
    if clip > 0:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


def _set_lr(optimizer: Optimizer, peaks: Sequence[float], share: float) -> None:
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * share


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
class _Run:
    """The run folder: what is written where, and which step is the best."""

    folder: Path
    config: TrainConfig
    data: TrainingData
    force: bool
    best_step: int = 0
    best: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start = time.monotonic()
        self._rows: list[dict[str, float]] = []
        self._prepare_folder()
        write_text(self.folder / "log.txt", "".join(f"{note}\n" for note in self._notes()))
        self._board = _tensorboard(self.folder) if self.config.tensorboard else None

    @property
    def selected_by(self) -> str:
        if any(sample.mask is not None for sample in self.data.val):
            return BY_DICE
        return BY_LOSS if any(sample.has_gaze for sample in self.data.val) else BY_STEP

    def save(self, model: TrackUNet, step: int, row: dict[str, float]) -> None:
        """Save ``last.*``, and ``best.*`` when this is the best."""
        measured = {name: value for name, value in row.items() if name.startswith("val_") and math.isfinite(value)}
        if not self.save_if_finite("last", model, step, measured):
            return
        if self.best_step == 0 or self._score(measured) > self._score(self.best):
            self.best_step, self.best = step, measured
            self.save_if_finite("best", model, step, measured)

    def save_if_finite(self, name: str, model: TrackUNet, step: int, measured: dict[str, float] | None = None) -> bool:
        """Save the weights unless some are not finite: what is on disk is then the last good state."""
        finite = all(bool(torch.isfinite(p).all()) for p in model.state_dict().values())
        if finite:
            metrics = {"selected_by": self.selected_by, **(measured or {})}
            save_checkpoint(self.folder, name, model, self.config, step, metrics)
        return finite

    def log(self, step: int, row: dict[str, float], write: bool) -> None:
        """Add a row to the log at every `log_every` steps, and to the disk when `write`."""
        row["seconds"] = time.monotonic() - self._start
        if write or step % self.config.log_every == 0:
            self._rows.append({"step": step, **row})
            if self._board is not None:
                for name, value in row.items():
                    self._board.add_scalar(name, value, step)
        if write:
            write_text(self.folder / "metrics.csv", _csv(self._rows))

    def result(self, step: int, stopped_by: int | None) -> TrainResult:
        """Return what became of the run."""
        seconds = time.monotonic() - self._start
        return TrainResult(self.folder, step, self.best_step, self.best, self.selected_by, seconds, stopped_by)

    def close(self) -> None:
        if self._board is not None:
            self._board.close()

    def _score(self, measured: dict[str, float]) -> float:
        by = self.selected_by
        if by == BY_STEP:
            return math.inf if measured is not self.best else 0.0
        return measured.get("val_dice", -math.inf) if by == BY_DICE else -measured.get("val_loss", math.inf)

    def _notes(self) -> list[str]:
        sizes = f"{len(self.data.train)} training images, {len(self.data.val)} validation images"
        return [sizes, f"best.* is chosen by {self.selected_by}", *self.data.notes]

    def _prepare_folder(self) -> None:
        there = [name for name in _RUN_FILES if (self.folder / name).exists()]
        if there and not self.force:
            what = f"already holds a run ({there[0]})"
            raise OutputError(what, path=self.folder, hint="give another --out, or --force to replace it")
        for name in there:
            (self.folder / name).unlink()
        if there:
            shutil.rmtree(self.folder / "tensorboard", ignore_errors=True)


def _csv(rows: Sequence[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    return text.getvalue()


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder / "tensorboard"))


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
