"""What learns, a step at a time: the network with optimizer, loss scaler and averaged weights."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from gazetrack.errors import ConfigError, GazetrackError, quote
from gradtrack_model import parallel
from gradtrack_model.network.batch_norm import (
    has_batch_norm,
    refuse_the_compiler,
    share_statistics,
)
from gradtrack_model.network.class_losses import loss_of
from gradtrack_model.network.losses import own_pixels
from gradtrack_model.network.model import Network, build_network
from gradtrack_model.network.precision import autocast
from gradtrack_model.training.gradients import GradientMeans
from gradtrack_model.training.optim import EMA, build_optimizer, lr_share, set_lr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data.batches import Batch
    from gradtrack_model.network.classes import ClassConfig
    from gradtrack_model.network.losses import LossConfig


LOSS_NAMES = ("loss", "loss_mask", "loss_dice", "loss_tracks")


class NonFiniteLossError(GazetrackError):
    """The loss became infinite or not a number, at the step `step`."""

    code: ClassVar[str] = "NON_FINITE"
    exit_code: ClassVar[int] = 6
    step: int = 0


class Row(NamedTuple):
    """What is known of a step that was taken.

    Parameters
    ----------
    step : int
        Which step of the run it was, counted from 1.
    values : dict
        Losses and learning rate, by the names in `gradtrack_model.training.run_log.COLUMNS`.
    """

    step: int
    values: dict[str, float]


class Learner:
    """A network in training.

    No step waits for a GPU: while it computes one step, the next one is prepared and queued. What a
    step returns is therefore the losses of the step before, which are there by then; `rest` returns
    those that are still out.

    Parameters
    ----------
    config : TrainConfig
        The settings of network, optimizer, loss and precision.

    Raises
    ------
    ConfigError
        The device is not there, pretrained weights are not installed, the encoder cannot freeze as
        many blocks, or `compile` cannot be had in several processes.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = parallel.local_device(pick_device(config.device))
        self.model = build_model(config).to(self.device)
        if parallel.world() > 1:
            # Before blocks are frozen: those keep the statistics that they have.
            share_statistics(self.model)
            if config.compile:
                refuse_the_compiler(self.model)
        self.optimizer = build_optimizer(self.model, config.optimizer)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")
        # After the optimizer, which has frozen what is not trained.
        self._means = GradientMeans(self.model.parameters())
        self.ema = EMA(self.model, config.ema)
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        self._divisor = (
            of_all_processes if _counts_differ(config.loss, config.classes) else own_pixels
        )
        self._compute = self.losses
        if config.compile:
            # The loss is compiled with the network: by itself, its many small operations take as
            # long as a stage.
            mode = "reduce-overhead" if config.cuda_graphs else None
            self._compute = torch.compile(self.losses, mode=mode)
        # 1 from the first loss on that is not finite: an optimizer on a GPU then leaves the weights
        # as they are.
        self._broken = torch.zeros((), device=self.device)
        self._unread: list[_Taken] = []

    def advance(self, step: int, parts: Sequence[Batch]) -> list[Row]:
        """Take one step, counted from 1, on the mean gradient of `parts`.

        Returns
        -------
        list of Row
            On a CPU the row of this step; on a GPU that of the step before, if it was not returned
            yet.

        Raises
        ------
        NonFiniteLossError
            A loss is not finite; the weights are those from before that step, and stay so.
        """
        share = lr_share(step, self.config.steps, self.config.optimizer)
        set_lr(self.optimizer, self._peaks, share)
        self.optimizer.zero_grad(set_to_none=True)
        total = parallel.mean(self._gradients(parts))
        self._unread.append(self._queued(step, parts, total))
        if self.device.type == "cpu":
            rows = self.rest()  # raises before the weights change
            self._update(step, total)
            return rows
        self._update(step, total)
        # The numbers of this step are still on their way; those of the step before are there.
        due = self._unread[:-1]
        self._unread = self._unread[-1:]
        return [taken.row() for taken in due]

    def _gradients(self, parts: Sequence[Batch]) -> Tensor:
        """Sum up the gradients of all parts, and return the mean of their losses, shape (4,)."""
        total = torch.zeros(len(LOSS_NAMES), device=self.device)
        for number, batch in enumerate(parts, 1):
            if number == len(parts):
                self._means.expect()
            if self.config.cuda_graphs:
                # A replayed graph overwrites what the last replay has put out.
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call] # untyped in torch
            images = batch.images.to(self.device, non_blocking=True)
            maps = batch.maps.to(self.device, non_blocking=True)
            losses = self._compute(images, maps)
            self.scaler.scale(losses[0] / len(parts)).backward()  # type: ignore[no-untyped-call] # untyped in torch
            total += losses.detach() / len(parts)
        return total

    def _queued(self, step: int, parts: Sequence[Batch], total: Tensor) -> _Taken:
        """Start the losses of a step on their way to memory."""
        losses, arrived = _on_its_way_to_memory(total)
        return _Taken(
            step=step,
            ids=tuple(image_id for batch in parts for image_id in batch.ids),
            lr=float(self.optimizer.param_groups[-1]["lr"]),
            losses=losses,
            arrived=arrived,
        )

    def rest(self) -> list[Row]:
        """Wait for the device and return the rows of the steps that `advance` has not returned yet.

        Raises
        ------
        NonFiniteLossError
            A loss is not finite; the weights are those from before that step.
        """
        due = self._unread
        self._unread = []
        return [taken.row() for taken in due]

    def losses(self, images: Tensor, maps: Tensor) -> Tensor:
        """Return the loss and its parts, shape (4,), by the names in `LOSS_NAMES`.

        Gaze makes the label and never enters the network.

        Parameters
        ----------
        images : Tensor, shape (B, 3, S, S)
            Normalised images, on the learner's device.
        maps : Tensor, shape (B, L, S, S)
            Track maps in [0, 1], on that device, too.
        """
        with autocast(self.config.precision, self.device):
            output = self.model(images)
        config = self.config
        losses = loss_of(output, maps, config.loss, config.classes, self._divisor)
        return torch.stack(list(losses))

    def _update(self, step: int, total: Tensor) -> None:
        """Let the optimizer take the step, unless its loss `total` is not finite."""
        self._means.finish()
        self.scaler.unscale_(self.optimizer)
        if self.config.optimizer.clip > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optimizer.clip)
        if self.device.type == "cuda" and not self.scaler.is_enabled():
            # Fused optimizers take a flag on the device to leave out a step, which the loss scaler
            # uses, too.
            lost = torch.logical_not(torch.isfinite(total[0])).float()
            self._broken = torch.maximum(self._broken, lost)
            vars(self.optimizer).update(found_inf=self._broken, grad_scale=None)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.ema.update(step)

    def tensors(self) -> dict[str, Tensor]:
        """Return everything in tensors that the next step depends on."""
        tensors = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        tensors |= {f"ema.{key}": value for key, value in self.ema.weights.items()}
        # An optimizer counts the parameters of all its groups, and calls them by these numbers.
        for i, state in self.optimizer.state_dict()["state"].items():
            for name, value in state.items():
                if isinstance(value, Tensor):
                    tensors[f"optimizer.{i}.{name}"] = value
        tensors["generator"] = torch.get_rng_state()
        return tensors

    def restore(self, tensors: dict[str, Tensor], scaler: dict[str, Any]) -> None:
        """Take over what `tensors` and the loss scaler's ``state_dict`` returned.

        Raises
        ------
        KeyError, RuntimeError
            They are another network's.
        """
        self.model.load_state_dict(_under("model.", tensors))
        for key, average in self.ema.weights.items():
            average.copy_(tensors[f"ema.{key}"])
        groups = self.optimizer.state_dict()["param_groups"]
        moments = self._moments(_under("optimizer.", tensors))
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        if scaler:
            self.scaler.load_state_dict(scaler)
        torch.set_rng_state(tensors["generator"])

    def _moments(self, tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
        """Return what an optimizer keeps of each parameter, by the parameter's number."""
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            number, name = key.split(".", 1)
            like = parameters[int(number)]
            if value.shape == like.shape:
                # In the parameter's own memory order: another one could round sums differently.
                value = torch.empty_like(like, dtype=value.dtype).copy_(value)
            moments.setdefault(int(number), {})[name] = value
        return moments


class _Taken(NamedTuple):
    """A step that was queued; `losses` hold its numbers once `arrived` has happened."""

    step: int
    ids: tuple[str, ...]
    lr: float
    losses: Tensor
    arrived: torch.cuda.Event | None

    def row(self) -> Row:
        """Wait for the numbers and return them."""
        if self.arrived is not None:
            self.arrived.synchronize()
        values = self.losses.tolist()
        if not math.isfinite(values[0]):
            raise _non_finite(self.step, self.ids)
        return Row(self.step, dict(zip(LOSS_NAMES, values, strict=True)) | {"lr": self.lr})


def _on_its_way_to_memory(values: Tensor) -> tuple[Tensor, torch.cuda.Event | None]:
    """Start the copy of values on a GPU to memory; return them with the event of their arrival."""
    if values.device.type != "cuda":
        return values, None
    there = torch.empty(values.shape, pin_memory=True).copy_(values, non_blocking=True)
    arrived = torch.cuda.Event()  # type: ignore[no-untyped-call] # untyped in torch
    arrived.record()
    return there, arrived


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a prefix, without it."""
    return {
        key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
    }


def of_all_processes(counted: Tensor) -> Tensor:
    """Return what each process divides its sum over pixels by, so that their mean is that of all.

    Parameters
    ----------
    counted : Tensor
        How many pixels of this process count, a scalar.
    """
    return parallel.mean(counted).clamp(min=1 / parallel.world())


def _counts_differ(loss: LossConfig, classes: ClassConfig) -> bool:
    """Return whether equal shares of a batch may have other numbers of pixels that count."""
    return bool(classes.names) or loss.ignore_band > 0


def not_one_batch(
    accumulated: int, loss: LossConfig, classes: ClassConfig, model: Network
) -> list[str]:
    """Return why a step is not that of one large batch, each reason in a line for the user.

    Parameters
    ----------
    accumulated : int
        Batches of a step, one after the other.
    loss : LossConfig
        The loss, some of whose means are over what a batch has.
    classes : ClassConfig
        The classes, not all of which may have been looked for on an image.
    model : Network
        The network, in training mode as the learner has it.
    """
    found = []
    if accumulated > 1 and has_batch_norm(model):
        found.append(
            f"accumulate is {accumulated}: BatchNorm normalises each batch by itself, so that a "
            "step is not that of one large batch; use a larger batch_size, more processes, or an "
            "encoder without BatchNorm (basic, dinov2)"
        )
    if accumulated > 1 and _counts_differ(loss, classes):
        what = "loss.ignore_band" if loss.ignore_band > 0 else "several classes"
        found.append(
            f"accumulate is {accumulated}, with {what}: the mean is over the pixels that count in "
            "each batch, so that a step is not that of one large batch; use a larger batch_size, "
            "or more processes"
        )
    return found


def pick_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU when there is one.

    Raises
    ------
    ConfigError
        A GPU is asked for, and there is none; or there is no device of that name.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"device {quote(name)!r}", hint="use auto, cpu or cuda")
    is_there = torch.cuda.is_available()
    if name == "cuda" and not is_there:
        raise ConfigError("device 'cuda' is not there", hint="use --device cpu")
    return torch.device("cuda" if name != "cpu" and is_there else "cpu")


def build_model(config: TrainConfig) -> Network:
    """Build the network with the initial weights of the configuration's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = build_network(config.model, config.context)
    if config.model.pretrained:
        for encoder in model.encoders:
            encoder.load_pretrained()
    # In memory, channels last: what convolutions on CPUs and GPUs are fastest with.
    channels_last: Network = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # stub lacks it
    return channels_last


@contextlib.contextmanager
def fast_convolutions(device: torch.device) -> Iterator[None]:
    """Let a GPU choose its fastest convolutions, and multiply in TF32, inside a ``with`` block.

    TF32, in place of float32, keeps 10 of the 23 bits of each factor, and sums in float32.
    Convolutions use it by PyTorch's own default.
    """
    if device.type != "cuda":
        yield
        return
    convolutions = torch.backends.cudnn
    products = torch.backends.cuda.matmul
    had_benchmark = convolutions.benchmark
    had_tf32 = products.allow_tf32
    convolutions.benchmark = True
    products.allow_tf32 = True
    try:
        yield
    finally:
        convolutions.benchmark = had_benchmark
        products.allow_tf32 = had_tf32


def _non_finite(step: int, image_ids: Sequence[str]) -> NonFiniteLossError:
    ids = ", ".join(quote(i, 30) for i in image_ids)
    if parallel.world() > 1:
        ids += f" (of process {parallel.rank()} of {parallel.world()}), or those of another"
    hint = "lower optimizer.lr; last.* holds the weights before"
    error = NonFiniteLossError(f"the loss is not finite at step {step}, images {ids}", hint=hint)
    error.step = step
    return error
