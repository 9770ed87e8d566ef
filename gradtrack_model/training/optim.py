"""The optimizer, its schedules, and the moving average of the weights."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from gradtrack_model.config import OptimizerConfig
    from gradtrack_model.network.model import Network

POLY_POWER = 0.9  # of DeepLab (Chen et al. 2018) and nnU-Net
# Of the one-cycle schedule: share of the peak at step 0, and share of the steps up to the peak.
ONE_CYCLE_START = 1 / 25
ONE_CYCLE_RISE = 0.3


def build_optimizer(model: Network, config: OptimizerConfig) -> Optimizer:
    """Build the optimizer of a network, and freeze the blocks that it shall not train.

    Parameters
    ----------
    model : Network
        A pretrained encoder learns at its share of the rate, and its frozen blocks not at all.
    config : OptimizerConfig
        The section of the configuration.

    Returns
    -------
    Optimizer
        Four groups, which a saved state relies on: weights and vectors of the encoder, weights and
        vectors of the rest. Vectors, such as biases, are not decayed.

    Raises
    ------
    ConfigError
        The encoder cannot freeze so many blocks.
    """
    for encoder in model.encoders:
        encoder.freeze(config.frozen_blocks)
    in_encoders = {
        id(parameter)
        for encoder in model.encoders
        for name, parameter in encoder.named_parameters()
        if name.startswith(encoder.pretrained_part)
    }
    encoder_lr = config.lr
    if model.encoders[0].pretrained:
        encoder_lr *= config.encoder_lr_share * model.encoders[0].lr_share
    groups = []
    for in_encoder in (True, False):
        for decayed in (True, False):
            members = [
                parameter
                for parameter in model.parameters()
                if parameter.requires_grad
                and (id(parameter) in in_encoders) == in_encoder
                and (parameter.ndim > 1) == decayed
            ]
            group = {
                "params": members,
                "lr": encoder_lr if in_encoder else config.lr,
                "weight_decay": config.weight_decay if decayed else 0.0,
            }
            groups.append(group)
    # One kernel for all weights instead of one for each; None: as on a CPU, where results stay what
    # they are.
    fused = True if next(model.parameters()).device.type == "cuda" else None
    if config.name == "sgd":
        nesterov = config.momentum > 0
        return torch.optim.SGD(groups, momentum=config.momentum, nesterov=nesterov, fused=fused)
    return torch.optim.AdamW(groups, fused=fused)


def lr_share(step: int, steps: int, config: OptimizerConfig) -> float:
    """Return the share of its peak that the learning rate has at a step counted from 1.

    ``cosine`` and ``poly`` fall after a linear warm-up; ``onecycle`` (Smith & Topin 2018) rises and
    falls by cosines.
    """
    low = config.final_lr_share
    if config.schedule == "onecycle":
        peak = ONE_CYCLE_RISE * steps
        if step <= peak:
            return _cosine(ONE_CYCLE_START, 1, step / peak)
        return _cosine(1, low, (step - peak) / (steps - peak))
    warmup = min(config.warmup, steps // 2)
    if step <= warmup:
        return step / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    if config.schedule == "poly":
        return float(low + (1 - low) * (1 - done) ** POLY_POWER)
    return _cosine(1, low, done)


def _cosine(start: float, end: float, done: float) -> float:
    """Go from start to end along half a cosine, as `done` goes from 0 to 1."""
    return end + (start - end) * 0.5 * (1 + math.cos(math.pi * done))


def set_lr(optimizer: Optimizer, peaks: Sequence[float], share: float) -> None:
    """Set every group's learning rate to a share of its peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * share


class EMA:
    """Exponential moving average of a network's weights and statistics.

    It averages about the last 1 / (1 - decay) steps; early on fewer, as the first weights are
    random: the decay of step t is min(decay, (1 + t) / (10 + t)).

    Parameters
    ----------
    model : nn.Module
        The network, averaged from here on.
    decay : float
        Share of the average that stays at each step; 0 for no average: then `applied` changes
        nothing.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self._model = model
        self.weights: dict[str, Tensor] = {}
        # The network's own tensors, in the order of `weights`: making a state_dict takes longer
        # than averaging it.
        self._current: list[Tensor] = []
        if decay:
            state = model.state_dict()
            self.weights = {key: value.detach().clone() for key, value in state.items()}
            self._current = list(state.values())

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        averages: list[Tensor] = []
        weights: list[Tensor] = []
        for average, value in zip(self.weights.values(), self._current, strict=True):
            if average.is_floating_point():
                averages.append(average)
                weights.append(value)
            else:
                average.copy_(value)  # the counters of BatchNorm
        if averages:
            # All in one kernel, in place of one for each tensor.
            average_into = torch.optim.swa_utils.get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call] # in torch
            average_into(averages, weights, 0)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Let the network have the averaged weights inside a ``with`` block."""
        if not self.weights:
            yield
            return
        current = {key: value.clone() for key, value in self._model.state_dict().items()}
        self._load(self.weights)
        try:
            yield
        finally:
            self._load(current)

    @torch.no_grad()
    def _load(self, weights: dict[str, Tensor]) -> None:
        # Copied into the network's own tensors, which optimizer and compiled code hold.
        into = self._model.state_dict()
        for key, value in weights.items():
            into[key].copy_(value)
