"""Validation: Dice at the masks' own size, and the loss on gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from gradtrack_model.augment import normalise
from gradtrack_model.batches import plain_batch
from gradtrack_model.learner import autocast, batch_loss
from gradtrack_model.metrics import dice_and_iou
from gradtrack_model.model import foreground

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.config import TrainConfig
    from gradtrack_model.data import Sample
    from gradtrack_model.model import TrackUNet

    Mask = npt.NDArray[np.bool_]


def validate(
    model: TrackUNet, samples: Sequence[Sample], config: TrainConfig, device: torch.device
) -> dict[str, float]:
    """Return mean Dice and IoU at the masks' own size where there are masks, and the loss where there is gaze."""
    config = config.predicting()
    model.eval()
    dices, ious, losses = [], [], []
    for sample, predicted in predicted_masks(model, samples, config, device):
        if sample.mask is not None:
            dice, iou = dice_and_iou(predicted, sample.mask)
            dices.append(dice)
            ious.append(iou)
    with torch.no_grad():
        for chunk in _chunks(samples, config):
            gazed = [sample for sample in chunk if sample.has_gaze]
            if gazed:
                loss = batch_loss(model, plain_batch(gazed, config), config, device).total.item()
                losses += [loss] * len(gazed)
    model.train()
    means = {"val_dice": dices, "val_iou": ious, "val_loss": losses}
    return {name: float(np.mean(values)) for name, values in means.items() if values}


def predicted_masks(
    model: TrackUNet, samples: Sequence[Sample], config: TrainConfig, device: torch.device
) -> Iterator[tuple[Sample, Mask]]:
    """Yield each sample with its predicted mask: at its mask's own size, at the network's where it has none."""
    for chunk in _chunks(samples, config):
        images = normalise(torch.stack([s.pixels for s in chunk]).to(device).float() / 255)
        with torch.no_grad(), autocast(config, device):
            logits: Tensor = model(images).logits
        for sample, one in zip(chunk, logits.float(), strict=True):
            size = one.shape[-2:] if sample.mask is None else sample.mask.shape
            yield sample, _mask(one, size, config.predict_threshold)


def _chunks(samples: Sequence[Sample], config: TrainConfig) -> Iterator[Sequence[Sample]]:
    return (samples[i : i + config.batch_size] for i in range(0, len(samples), config.batch_size))


def _mask(logits: Tensor, size: tuple[int, ...], threshold: float) -> Mask:
    resized = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)
    return np.asarray(foreground(resized[0, 0], threshold).cpu().numpy())
