"""What learns: the network with its optimizer, loss scaler and averaged weights, one step at a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from gazetrack.errors import ConfigError, GazetrackError, quote
from gradtrack_model import parallel
from gradtrack_model.borrowed import BorrowedEncoder
from gradtrack_model.encoders import LiteEncoder
from gradtrack_model.losses import Losses, gaze_loss
from gradtrack_model.model import TrackUNet
from gradtrack_model.optim import EMA, build_optimizer, lr_share, set_lr
from gradtrack_model.pretrained import load_lite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradtrack_model.batches import Batch
    from gradtrack_model.config import TrainConfig


class NonFiniteLossError(GazetrackError):
    """The loss became infinite or not a number."""

    code: ClassVar[str] = "NON_FINITE"
    exit_code: ClassVar[int] = 6


class Learner:
    """A network in training.

    Parameters
    ----------
    config : TrainConfig
        What to build.

    Raises
    ------
    ConfigError
        The device is not there, or pretrained weights are not installed.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.device = parallel.local_device(pick_device(config.device))
        self.model = build_model(config).to(self.device)
        self.forward: nn.Module = torch.compile(self.model) if config.compile else self.model  # type: ignore[assignment] # stub
        self.optimizer = build_optimizer(self.model, config)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=config.precision == "fp16")
        self.ema = EMA(self.model, config.ema)
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]

    def advance(self, step: int, parts: Sequence[Batch]) -> dict[str, float]:
        """Take one step, counted from 1, on the mean gradient of `parts`; return the losses and the learning rate.

        Raises
        ------
        NonFiniteLossError
            The loss is not finite; the weights are those from before.
        """
        set_lr(self.optimizer, self._peaks, lr_share(step, self.config.steps, self.config.optimizer))
        self.optimizer.zero_grad(set_to_none=True)
        sums = dict.fromkeys(("loss", "loss_mask", "loss_dice", "loss_tracks"), 0.0)
        for batch in parts:
            losses = batch_loss(self.forward, batch, self.config, self.device)
            values = parallel.mean(torch.stack(list(losses)).tolist(), self.device)  # one wait for a GPU, not four
            if not math.isfinite(values[0]):
                raise _non_finite(step, batch)
            self.scaler.scale(losses.total / len(parts)).backward()  # type: ignore[no-untyped-call] # untyped in torch
            for name, value in zip(sums, values, strict=True):
                sums[name] += value / len(parts)
        parallel.average_gradients(self.model.parameters())
        self.scaler.unscale_(self.optimizer)
        if self.config.optimizer.clip > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.optimizer.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.ema.update(step)
        return sums | {"lr": float(self.optimizer.param_groups[-1]["lr"])}

    def tensors(self) -> dict[str, Tensor]:
        """Return everything in tensors that the next step depends on."""
        optimizer = self.optimizer.state_dict()["state"]
        moments = {
            f"optimizer.{i}.{name}": value
            for i, state in optimizer.items()
            for name, value in state.items()
            if isinstance(value, Tensor)
        }
        weights = {f"model.{key}": value for key, value in self.model.state_dict().items()}
        averages = {f"ema.{key}": value for key, value in self.ema.weights.items()}
        return {**weights, **averages, **moments, "generator": torch.get_rng_state()}

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
        moments: dict[int, dict[str, Tensor]] = {}
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        for key, value in _under("optimizer.", tensors).items():
            i, name = key.split(".", 1)
            # In the parameter's own memory order: another one could round sums differently.
            like = parameters[int(i)]
            value = torch.empty_like(like, dtype=value.dtype).copy_(value) if value.shape == like.shape else value
            moments.setdefault(int(i), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        if scaler:
            self.scaler.load_state_dict(scaler)
        torch.set_rng_state(tensors["generator"])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def pick_device(name: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU when there is one."""
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
    elif isinstance(model.encoder, BorrowedEncoder) and config.model.pretrained:
        model.encoder.load_pretrained()
    channels_last: TrackUNet = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # stub lacks it
    return channels_last


def batch_loss(model: nn.Module, batch: Batch, config: TrainConfig, device: torch.device) -> Losses:
    """Return the loss of a batch; gaze makes the label and never enters the network."""
    images, maps = batch.images.to(device, non_blocking=True), batch.maps.to(device, non_blocking=True)
    with autocast(config, device):
        output = model(images)
    return gaze_loss(output, maps, config.loss)


def autocast(config: TrainConfig, device: torch.device) -> torch.autocast:
    """Return the context that computes in the configuration's precision."""
    chosen = ("bf16" if device.type == "cuda" else "fp32") if config.precision == "auto" else config.precision
    dtype = torch.float16 if chosen == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype, enabled=chosen != "fp32")


def _non_finite(step: int, batch: Batch) -> NonFiniteLossError:
    ids = ", ".join(quote(i, 30) for i in batch.ids)
    hint = "lower optimizer.lr; last.* holds the weights before"
    return NonFiniteLossError(f"the loss is not finite at step {step}, images {ids}", hint=hint)
