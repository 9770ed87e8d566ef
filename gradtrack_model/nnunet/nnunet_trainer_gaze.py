"""A trainer for nnU-Net v2 that learns soft maps of gaze.

nnU-Net imports this file by its folder, named in ``nnUNet_extTrainer``, and not as a part of this
package: it uses PyTorch and nnU-Net alone. The data set is what ``gradtrack-train nnunet --soft``
writes, with the soft map as the last channel of each image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from batchgeneratorsv2.transforms.base.basic_transform import BasicTransform, ImageOnlyTransform
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import (
    DownsampleSegForDSTransform,
)
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAP_CHANNEL = "noNorm"


class nnUNetTrainerGaze(nnUNetTrainer):  # type: ignore[misc]  # noqa: N801 - nnU-Net's naming
    """Trains nnU-Net's network on soft maps, in place of labels of whole numbers.

    The map is turned, scaled and mirrored with its image, and left alone by what changes
    brightness, noise or contrast. Each resolution of the decoder learns the map at its own size.
    Networks take images without a map: prediction needs no gaze. Validation during training
    compares with the map from .5.
    """

    def initialize(self) -> None:
        """Make the network and its loss, if the data set has soft maps; nnU-Net calls this."""
        channels = list(self.dataset_json["channel_names"].values())
        labels = self.dataset_json["labels"]
        if channels[-1] != _MAP_CHANNEL or len(labels) != 2:
            raise RuntimeError(
                f"{type(self).__name__} needs images whose last channel is a map of gaze, and one "
                f"label beside the background. This data set has channels {channels} and labels "
                f"{labels}: write it with: gradtrack-train nnunet --soft"
            )
        super().initialize()

    @staticmethod
    def build_network_architecture(
        plans_manager: Any,
        configuration_manager: Any,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = True,
    ) -> nn.Module:
        """Return nnU-Net's network for the image alone; a map beside it is taken off first."""

        def without_map(_network: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            image, *others = inputs
            has_map = image.shape[1] == num_input_channels
            return (image[:, :-1] if has_map else image, *others)

        network: nn.Module = nnUNetTrainer.build_network_architecture(
            plans_manager,
            configuration_manager,
            num_input_channels - 1,
            num_output_channels,
            enable_deep_supervision,
        )
        network.register_forward_pre_hook(without_map)
        return network

    @staticmethod
    def get_training_transforms(*args: Any, **kwargs: Any) -> BasicTransform:
        """Return nnU-Net's augmentation, for an image with its map."""
        return with_map_as_target(nnUNetTrainer.get_training_transforms(*args, **kwargs))

    def _build_loss(self) -> nn.Module:
        """Return cross entropy and Dice loss for soft targets, with nnU-Net's weights of levels."""
        soft = SoftCrossEntropyAndDice(batch_dice=self.configuration_manager.batch_dice)
        loss: nn.Module = super()._build_loss()
        if isinstance(loss, DeepSupervisionWrapper):
            loss.loss = soft
        else:
            loss = soft
        return loss


class SoftCrossEntropyAndDice(nn.Module):
    """Cross entropy and Dice loss of two classes, for targets between 0 and 1.

    The Dice loss has squares below, as that of V-Net (Milletari et al., 3DV 2016): it is smallest
    where the prediction is the target, which the usual sum is not for soft targets.

    Parameters
    ----------
    batch_dice : bool
        Whether all images of a batch are one for the Dice loss.
    """

    def __init__(self, batch_dice: bool) -> None:
        super().__init__()
        self.batch_dice = batch_dice

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss.

        Parameters
        ----------
        logits : Tensor, shape (B, 2, ...)
            Output of the network for background and target, before softmax.
        target : Tensor, shape (B, 1, ...)
            Probability of the target, or its label, 0 or 1.
        """
        soft = target[:, 0].float().clamp(0, 1)
        log_background, log_target = logits.float().log_softmax(1).unbind(1)
        cross_entropy = -(soft * log_target + (1 - soft) * log_background).mean()
        found = log_target.exp()
        over = tuple(range(0 if self.batch_dice else 1, soft.ndim))
        shared = 2 * (found * soft).sum(over)
        whole = found.square().sum(over) + soft.square().sum(over)
        dice_loss = 1 - ((shared + 1e-5) / (whole + 1e-5)).mean()
        return cross_entropy + dice_loss


def with_map_as_target(composed: ComposeTransforms) -> ComposeTransforms:
    """Return nnU-Net's transforms, changed for images whose last channel is the target.

    Parameters
    ----------
    composed : ComposeTransforms
        What nnU-Net made for a data set of these channels.
    """
    changed: list[BasicTransform] = []
    scales: Sequence[Any] | None = None
    for transform in composed.transforms:
        inner = transform.transform if isinstance(transform, RandomTransform) else transform
        if isinstance(inner, DownsampleSegForDSTransform):
            scales = inner.ds_scales
        elif isinstance(inner, ImageOnlyTransform):
            changed.append(_OnImageAlone(transform))
        else:
            changed.append(transform)
    return ComposeTransforms([*changed, _MapAsTarget(scales)])


class _OnImageAlone(BasicTransform):  # type: ignore[misc]
    """Changes all channels but the last."""

    def __init__(self, transform: BasicTransform) -> None:
        super().__init__()
        self.transform = transform

    def __call__(self, **data: Any) -> dict[str, Any]:
        whole = data["image"]
        # Some transforms write into what they are given.
        soft = whole[-1:].clone()
        done: dict[str, Any] = self.transform(**{**data, "image": whole[:-1]})
        return {**done, "image": torch.cat([done["image"], soft])}


class _MapAsTarget(BasicTransform):  # type: ignore[misc]
    """Puts the last channel in the place of the label, at each scale."""

    def __init__(self, scales: Sequence[Any] | None) -> None:
        super().__init__()
        self.scales = scales

    def __call__(self, **data: Any) -> dict[str, Any]:
        whole = data["image"]
        soft = (whole[-1:] / 255).clamp(0, 1)
        target = soft if self.scales is None else [_at_scale(soft, one) for one in self.scales]
        return {**data, "image": whole[:-1], "segmentation": target}


def _at_scale(soft: Tensor, scale: float | Sequence[float]) -> Tensor:
    """Return a map at a share of its size, by means over areas."""
    sides = soft.shape[1:]
    factors = [scale] * len(sides) if isinstance(scale, int | float) else scale
    size = [round(side * factor) for side, factor in zip(sides, factors, strict=True)]
    if size == list(sides):
        return soft
    return functional.interpolate(soft[None], size=size, mode="area")[0]
