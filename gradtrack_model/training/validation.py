"""Validation: Dice at the masks' own size, and the loss on gaze."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from gradtrack_model import parallel
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.batches import plain_maps
from gradtrack_model.evaluation.class_metrics import class_means, class_overlaps
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.network.class_losses import loss_of
from gradtrack_model.network.classes import label_image
from gradtrack_model.network.model import Output, foreground
from gradtrack_model.network.precision import autocast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    from torch import Tensor

    from gradtrack_model.config import ValidationConfig
    from gradtrack_model.data.sample import Sample
    from gradtrack_model.network.model import Network

    # bool, or uint8 where it is a label image of several classes
    Mask = npt.NDArray[Any]


def validate(
    model: Network, samples: Sequence[Sample], config: ValidationConfig, device: torch.device
) -> dict[str, float]:
    """Validate a network, which is in training mode before and after.

    Several processes share the batches, and all come to the numbers of one process.

    Parameters
    ----------
    model : Network
        The network, on the device.
    samples : sequence of Sample
        The validation images, at the size of prediction.
    config : ValidationConfig
        The settings of the validation.
    device : torch.device
        The device of the network, where it is computed.

    Returns
    -------
    dict
        ``val_dice`` and ``val_iou``, means over the images with a mask at the masks' own size;
        ``val_loss``, the mean over the images with gaze. What there is nothing for is missing. Of
        several classes, ``val_dice`` and ``val_iou`` are means over the classes, and
        ``val_dice_NAME`` that of a class over the images that count for it, see
        `gradtrack_model.evaluation.class_metrics`.
    """
    config = config.predicting()
    chunks = list(_chunks(samples, config))
    model.eval()
    own = {
        number: _measured(model, chunks[number], config, device)
        for number in parallel.share(range(len(chunks)))
    }
    model.train()
    of_all = {int(number): each for part in parallel.gathered(own) for number, each in part.items()}
    # In the order of the images, whoever has measured them: a mean depends on it in its last bits.
    measured = [_Measured(*of_all[number]) for number in range(len(chunks))]
    means = {
        "val_dice": [value for chunk in measured for value in chunk.dices],
        "val_iou": [value for chunk in measured for value in chunk.ious],
        "val_loss": [value for chunk in measured for value in chunk.losses],
    }
    if names := config.classes.names:
        dice = class_means(means["val_dice"], names)
        iou = class_means(means["val_iou"], names)
        means["val_dice"] = list(dice.values())
        means["val_iou"] = list(iou.values())
        means |= {f"val_dice_{name}": [value] for name, value in dice.items()}
    return {name: float(np.mean(values)) for name, values in means.items() if values}


class _Measured(NamedTuple):
    """What was measured on a batch: a number for each image that has what it is compared with.

    Of several classes, each image has one after the other.
    """

    dices: list[float]
    ious: list[float]
    losses: list[float]


def _measured(
    model: Network, chunk: Sequence[Sample], config: ValidationConfig, device: torch.device
) -> _Measured:
    """Compare a batch of predictions with masks and with gaze, as far as there are any."""
    output = _output(model, chunk, config, device)
    dices = []
    ious = []
    for sample, predicted in _masks(chunk, output, config):
        if sample.mask is None:
            continue
        if config.classes.names:
            overlaps = class_overlaps(predicted, sample.mask, config.classes.n)
        else:
            overlaps = [dice_and_iou(predicted, sample.mask)]
        dices += [dice for dice, _ in overlaps]
        ious += [iou for _, iou in overlaps]
    losses = []
    gazed = [place for place, sample in enumerate(chunk) if sample.has_gaze]
    if gazed:
        maps = plain_maps([chunk[place] for place in gazed], config).to(device)
        loss = loss_of(_part(output, gazed), maps, config.loss, config.classes).total.item()
        # A loss is a mean over its images: each of them counts as much as any other.
        losses = [loss] * len(gazed)
    return _Measured(dices, ious, losses)


def predicted_masks(
    model: Network, samples: Sequence[Sample], config: ValidationConfig, device: torch.device
) -> Iterator[tuple[Sample, Mask]]:
    """Yield each sample with its predicted mask.

    The mask has the size of the sample's own mask, or that of the network's output where there is
    none.
    """
    for chunk in _chunks(samples, config):
        output = _output(model, chunk, config, device)
        yield from _masks(chunk, output, config)


def _output(
    model: Network, chunk: Sequence[Sample], config: ValidationConfig, device: torch.device
) -> Output:
    pixels = torch.stack([sample.pixels for sample in chunk]).to(device)
    images = normalise(pixels.float() / 255)
    with torch.no_grad(), autocast(config.precision, device):
        output: Output = model(images)
    return output


def _masks(
    chunk: Sequence[Sample], output: Output, config: ValidationConfig
) -> Iterator[tuple[Sample, Mask]]:
    for sample, logits in zip(chunk, output.logits.float(), strict=True):
        size = logits.shape[-2:] if sample.mask is None else sample.mask.shape
        yield sample, _mask(logits, size, config)


def _part(output: Output, places: list[int]) -> Output:
    """Return what was predicted for some images of a batch."""
    if len(places) == len(output.logits):
        return output
    return Output(
        logits=output.logits[places],
        tracks=[track[places] for track in output.tracks],
        heads=output.heads[places],
        features=tuple(features[places] for features in output.features),
        empty=output.empty,
    )


def _chunks(samples: Sequence[Sample], config: ValidationConfig) -> Iterator[Sequence[Sample]]:
    size = config.batch_size
    return (samples[start : start + size] for start in range(0, len(samples), size))


def _mask(logits: Tensor, size: tuple[int, ...], config: ValidationConfig) -> Mask:
    threshold = config.predict_threshold
    resized = functional.interpolate(logits[None], size=size, mode="bilinear", align_corners=False)
    if config.classes.names:
        labels = label_image(resized[0], threshold, exclusive=config.classes.exclusive)
        return np.asarray(labels.cpu().numpy())
    return np.asarray(foreground(resized[0, 0], threshold).cpu().numpy())
