"""The loss of several classes: each is learned as the one of `losses`, or all by a softmax.

The maps of a class have one level more: where it is 1, nobody looked for the class, and nothing is
known of it there, neither that it is present nor that it is not. An image that was searched for one
of two classes is so no example of the other's absence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from gradtrack_model.network.blocks import resize
from gradtrack_model.network.classes import probabilities, with_background
from gradtrack_model.network.losses import (
    Losses,
    gaze_loss,
    level_of_stage,
    own_pixels,
    weighted_bce,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from gradtrack_model.network.classes import ClassConfig
    from gradtrack_model.network.losses import Divisor, LossConfig
    from gradtrack_model.network.model import Output


def loss_of(
    output: Output,
    maps: Tensor,
    config: LossConfig,
    classes: ClassConfig,
    divisor: Divisor = own_pixels,
) -> Losses:
    """Compare predictions with track maps, of one class or several.

    Of several: cross-entropy + dice_weight * Dice + track_weight * sum over stages k of
    BCE(a_k, M_k), each a mean over the classes. With a softmax, the cross-entropy of a pixel is
    -log of the probability of all that its label allows: the class whose map is highest, where one
    reaches the threshold; else background, or a class that was not looked for (the marginal loss of
    Shi et al., Medical Image Analysis 2021).

    Parameters
    ----------
    output : Output
        What the network predicted for a batch of images.
    maps : Tensor, shape (B, L, H, W) or (B, K (L + 1), H, W)
        Track maps in [0, 1], the core first, the full track last; of several classes, one class
        after the other, each with where it was not looked for behind its levels.
    config : LossConfig
        Weights and options of the loss.
    classes : ClassConfig
        The classes; without names, the loss is `gaze_loss`.
    divisor : callable
        From the number of pixels that a mean is over to what their sum is divided by, see
        `gradtrack_model.network.losses.weighted_bce`.

    Returns
    -------
    Losses
    """
    if not classes.names:
        return gaze_loss(output, maps, config, divisor)
    b, _, h, w = maps.shape
    by_class = maps.reshape(b, classes.n, -1, h, w)  # [B, K, L + 1, H, W]
    full = by_class[:, :, -2]  # [B, K, H, W]
    known = (by_class[:, :, -1] < 0.5).to(full.dtype)  # [B, K, H, W]
    threshold = config.thresholds[0]
    undecided = (full - threshold).abs() < config.ignore_band
    logits = resize(output.heads, full).float()
    if classes.exclusive:
        label = _most(full, known, threshold)
        # A pixel has one label: where any class is undecided, so is the label.
        decided = ((~undecided) | (known == 0)).all(1, keepdim=True).to(full.dtype)
        weight = known * decided
        mask = _marginal(logits, label, known, decided, divisor)
    else:
        label = full if config.soft_labels else (full >= threshold).to(full.dtype)
        weight = known * (~undecided).to(full.dtype)
        believed = label
        if config.bootstrap:
            believed = torch.lerp(label, torch.sigmoid(logits).detach(), config.bootstrap)
        each = [weighted_bce(*one, divisor) for one in _channels(logits, believed, weight)]
        mask = torch.stack(each).mean()
    dice = full.new_zeros(())
    tracks = full.new_zeros(())
    if config.dice_weight:
        dice = _dice(probabilities(logits, exclusive=classes.exclusive), label, weight)
    if config.track_weight:
        tracks = _tracks(output.tracks, by_class, config, divisor)
    total = mask + config.dice_weight * dice + config.track_weight * tracks
    return Losses(total, mask, dice, tracks)


def _channels(
    logits: Tensor, target: Tensor, weight: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Return the tensors [B, 1, H, W] of each class together, from those of all [B, K, H, W]."""
    tensors = (logits, target, weight)
    return zip(*(tensor.chunk(tensor.shape[1], dim=1) for tensor in tensors), strict=True)


def _most(full: Tensor, known: Tensor, threshold: float) -> Tensor:
    """Return the class of each pixel as [B, K, H, W]: 1 where a class's map is the highest."""
    of_known = full * known
    highest, which = of_known.max(1, keepdim=True)
    numbers = torch.arange(full.shape[1], device=full.device)[:, None, None]
    reached = (highest >= threshold) & (known.gather(1, which) > 0)
    return ((numbers == which) & reached).to(full.dtype)


def _marginal(
    logits: Tensor, label: Tensor, known: Tensor, decided: Tensor, divisor: Divisor
) -> Tensor:
    """Return the mean of -log of the probability of what the label allows, over decided pixels."""
    is_background = label.sum(1, keepdim=True) == 0
    # Where there is no class that is known to be there, those that were not looked for may be.
    allowed = torch.cat([is_background, (label > 0) | (is_background & (known == 0))], 1)
    every = with_background(logits)
    some = every.masked_fill(~allowed, torch.finfo(every.dtype).min)
    loss = torch.logsumexp(every, 1, keepdim=True) - torch.logsumexp(some, 1, keepdim=True)
    return (loss * decided).sum() / divisor(decided.sum())


def _dice(p: Tensor, label: Tensor, weight: Tensor) -> Tensor:
    """Return 1 - soft Dice, averaged over images and classes; 0 of a class without a known pixel.

    All are [B, K, H, W].
    """
    p = p * weight
    y = label * weight
    overlap = (p * y).sum((2, 3))
    total = (p + y).sum((2, 3))
    return (1 - (2 * overlap + 1) / (total + 1)).mean()


def _tracks(tracks: list[Tensor], by_class: Tensor, config: LossConfig, divisor: Divisor) -> Tensor:
    """Sum over the stages of the cross-entropy with the maps of the stage's level, of all classes.

    Tracks of several classes may cross, so that each has a probability of its own with either kind
    of heads.
    """
    levels = by_class.shape[2] - 1
    total = by_class.new_zeros(())
    for stage, logits in enumerate(tracks):
        level = level_of_stage(stage, len(tracks), levels)
        if config.full_first:
            level = levels - 1 - level
        size = logits.shape[-2:]
        target = functional.interpolate(by_class[:, :, level], size=size, mode="area")
        unknown = functional.interpolate(by_class[:, :, -1], size=size, mode="area")
        known = (unknown < 0.5).to(target.dtype)
        parts = _channels(logits.float(), target, known)
        total = total + torch.stack([weighted_bce(*one, divisor) for one in parts]).mean()
    return total
