"""The loss: the segmentation against the full track's label, each stage against its level's map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from gradtrack_model.limits import within
from gradtrack_model.network.blocks import resize
from gradtrack_model.network.consistency import consistency_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradtrack_model.network.model import Output

    # From the number of pixels that a mean is over, as a tensor, to what its sum is divided by.
    Divisor = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Weights and options of the loss.

    Parameters
    ----------
    dice_weight : float
        Weight of the soft Dice term of the segmentation; 0 for none.
    track_weight : float
        Weight of each stage's term, the lambda of the method; 0 for Track Attention without
        supervision.
    ignore_band : float
        Pixels whose full-track map is closer than this to .5 are left out of the segmentation
        terms.
    soft_labels : bool
        Use the full-track map itself as the label instead of map >= .5.
    bootstrap : float
        Share of the network's own prediction in the label of the cross-entropy, for labels with
        errors (soft bootstrapping, Reed et al. 2015).
    thresholds : tuple of float
        Where the label begins on the full-track map, for each head of each network.
    consistency_weight : float
        Weight of the agreement between these, see `gradtrack_model.network.consistency`.
    full_first : bool
        Give the deepest stage the full track and the last one the core: the opposite order, as a
        control.
    """

    dice_weight: float = 1.0
    track_weight: float = 1.0
    ignore_band: float = 0.0
    soft_labels: bool = False
    bootstrap: float = 0.0
    thresholds: tuple[float, ...] = (0.5,)
    consistency_weight: float = 0.0
    full_first: bool = False

    def __post_init__(self) -> None:
        for threshold in self.thresholds:
            within("thresholds", threshold, 0, 1)
        within("ignore_band", self.ignore_band, 0, 0.5)
        within("bootstrap", self.bootstrap, 0, 1)


class Losses(NamedTuple):
    """The loss and its parts.

    Parameters
    ----------
    total : Tensor
        The weighted sum, a scalar: what is minimised.
    mask, dice, tracks : Tensor
        Cross-entropy and soft Dice of the segmentation, and the sum over all stages: scalars that
        are not weighted yet.
    """

    total: Tensor
    mask: Tensor
    dice: Tensor
    tracks: Tensor


def own_pixels(counted: Tensor) -> Tensor:
    """Return what a sum over pixels of the batch is divided by: their number, or 1 of none."""
    return counted.clamp(min=1)


def gaze_loss(
    output: Output, maps: Tensor, config: LossConfig, divisor: Divisor = own_pixels
) -> Losses:
    """Compare predictions with track maps.

    Sum over heads i of BCE(logits_i, M_L >= t_i) + dice_weight * Dice, + track_weight * sum over
    stages k of BCE(a_k, M_k at its size) + consistency_weight * consistency of the heads.

    Parameters
    ----------
    output : Output
        What the network predicted for a batch of images.
    maps : Tensor, shape (B, L, H, W)
        Track maps in [0, 1], the core first, the full track last.
    config : LossConfig
        Weights and options of the loss.
    divisor : callable
        From the number of pixels of weight 1 to what their sum is divided by, see `weighted_bce`.

    Returns
    -------
    Losses
    """
    full = maps[:, -1:]  # [B, 1, H, W]
    mask = full.new_zeros(())
    dice = full.new_zeros(())
    tracks = full.new_zeros(())
    for i, threshold in enumerate(config.thresholds):
        target = full if config.soft_labels else (full >= threshold).to(full.dtype)
        # Where the map is undecided, it says nothing of the border.
        weight = ((full - threshold).abs() >= config.ignore_band).to(full.dtype)
        logits = resize(output.heads[:, i : i + 1], full).float()
        # What cross-entropy is asked to agree with: gaze, or in part the network itself.
        believed = target
        if config.bootstrap:
            own = torch.sigmoid(logits).detach()
            believed = torch.lerp(target, own, config.bootstrap)
        mask = mask + weighted_bce(logits, believed, weight, divisor)
        if config.dice_weight:
            dice = dice + dice_loss(logits, target, weight)
    if config.track_weight:
        tracks = tracks_loss(output.tracks, maps, config)
    total = mask + config.dice_weight * dice + config.track_weight * tracks
    if config.consistency_weight:
        disagreement = consistency_loss(output.heads, output.features, output.empty)
        total = total + config.consistency_weight * disagreement
    return Losses(total, mask, dice, tracks)


def weighted_bce(
    logits: Tensor, target: Tensor, weight: Tensor, divisor: Divisor = own_pixels
) -> Tensor:
    """Mean binary cross-entropy over the pixels of weight 1; 0 when there are none.

    Parameters
    ----------
    logits, target, weight : Tensor
        Logits, what they are compared with, and 0 or 1 for each pixel, all of one shape.
    divisor : callable
        Where several processes share a batch, each has pixels of weight 1 of its own number: with
        the mean of these numbers over the processes, the mean of their losses is that of the batch.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, target, weight, reduction="sum")
    return loss / divisor(weight.sum())


def dice_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return 1 - soft Dice, averaged over images, of the pixels of weight 1."""
    p = torch.sigmoid(logits) * weight  # [B, 1, H, W]
    y = target * weight
    overlap = (p * y).sum((1, 2, 3))
    total = (p + y).sum((1, 2, 3))
    # One pixel more of both keeps empty labels finite.
    dice = (2 * overlap + 1) / (total + 1)
    return (1 - dice).mean()


def tracks_loss(tracks: list[Tensor], maps: Tensor, config: LossConfig) -> Tensor:
    """Sum over the stages of the cross-entropy with the area-averaged map of the stage's level."""
    levels = maps.shape[1]
    total = maps.new_zeros(())
    for stage, logits in enumerate(tracks):
        level = level_of_stage(stage, len(tracks), levels)
        if config.full_first:
            level = levels - 1 - level
        of_level = maps[:, level : level + 1]  # [B, 1, H, W]
        target = functional.interpolate(of_level, size=logits.shape[-2:], mode="area")
        total = total + functional.binary_cross_entropy_with_logits(logits.float(), target)
    return total


def level_of_stage(stage: int, stages: int, levels: int) -> int:
    """Return the level that supervises a stage, both counted from 0.

    The deepest stage gets the core and the last the full track. With as many stages as levels it is
    one each; otherwise levels are spread evenly and rounded, so that some are used twice or not at
    all.
    """
    if stages == 1:
        return levels - 1
    return int(stage * (levels - 1) / (stages - 1) + 0.5)
