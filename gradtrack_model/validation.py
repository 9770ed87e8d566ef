"""Validation: Dice at the masks' own size, and the loss on gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from gradtrack_model.augment import normalise
from gradtrack_model.batches import plain_batch
from gradtrack_model.learner import autocast, batch_loss
from gradtrack_model.metrics import dice_and_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data import Sample
    from gradtrack_model.model import TrackUNet


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
                loss = batch_loss(model, plain_batch(gazed, config), config, device).total.item()
                losses += [loss] * len(gazed)
    model.train()
    means = {"val_dice": dices, "val_iou": ious, "val_loss": losses}
    return {name: float(np.mean(values)) for name, values in means.items() if values}


def _predict(model: TrackUNet, samples: Sequence[Sample], config: TrainConfig, device: torch.device) -> Tensor:
    images = normalise(torch.stack([s.pixels for s in samples]).to(device).float() / 255)
    with autocast(config, device):
        logits: Tensor = model(images).logits
    return logits.float()


def _at_size(logits: Tensor, size: tuple[int, ...]) -> Any:
    resized = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)
    return (resized[0, 0] > 0).cpu().numpy()
