"""What changes the weights: optimizer, schedule, gradient step, and the moving average of the weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from gradtrack_model.encoders import LiteEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor
    from torch.optim import Optimizer

    from gradtrack_model.config import OptimizerConfig, TrainConfig
    from gradtrack_model.model import TrackUNet


def build_optimizer(model: TrackUNet, config: TrainConfig) -> Optimizer:
    """Build the optimizer: a pretrained encoder learns slower or not at all, and vectors are not decayed."""
    chosen = config.optimizer
    if isinstance(model.encoder, LiteEncoder) and chosen.frozen_blocks > 0:
        for part in (model.encoder.stem, *model.encoder.blocks[: chosen.frozen_blocks]):
            part.requires_grad_(False)
    pretrained = config.model.pretrained and isinstance(model.encoder, LiteEncoder)
    groups = []
    for in_encoder in (True, False):
        for decayed in (True, False):
            members = [
                p
                for name, p in model.named_parameters()
                if name.startswith("encoder.") == in_encoder and (p.ndim > 1) == decayed and p.requires_grad
            ]
            lr = chosen.lr * (chosen.encoder_lr_share if in_encoder and pretrained else 1)
            decay = chosen.weight_decay if decayed else 0.0
            groups.append({"params": members, "lr": lr, "initial_lr": lr, "weight_decay": decay})
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


def descend(loss: Tensor, model: nn.Module, optimizer: Optimizer, clip: float) -> None:
    """Take one step down the gradient of the loss, scaled down to the norm `clip` where that is above 0."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call] # untyped in torch
    if clip > 0:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()


def set_lr(optimizer: Optimizer, peaks: Sequence[float], share: float) -> None:
    """Set the learning rate of every group to a share of its peak."""
    for group, peak in zip(optimizer.param_groups, peaks, strict=True):
        group["lr"] = peak * share


def average_in(average: TrackUNet, model: TrackUNet, decay: float, step: int) -> None:
    """Move the average's weights towards the model's by 1 - decay, faster in the first steps.

    Parameters
    ----------
    average, model : TrackUNet
        The first is changed in place; counters are copied.
    decay : float
        In [0, 1).
    step : int
        Counted from 1.
    """
    share = 1 - min(decay, (1 + step) / (10 + step))
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.lerp_(new, share)
            else:
                old.copy_(new)
