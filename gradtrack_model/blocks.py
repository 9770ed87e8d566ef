"""The convolutional blocks of the U-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

NORM_GROUPS = 4


class ConvNormAct(nn.Sequential):
    """3 x 3 convolution, GroupNorm, leaky ReLU: [B, C_in, h, w] -> [B, C_out, h, w]."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
            nn.GroupNorm(NORM_GROUPS, c_out),
            nn.LeakyReLU(0.1, inplace=True),
        )


class DoubleConv(nn.Sequential):
    """Two `ConvNormAct`: [B, C_in, h, w] -> [B, C_out, h, w]."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(ConvNormAct(c_in, c_out), ConvNormAct(c_out, c_out))


class AttentionGate(nn.Module):
    """Weigh a skip connection: skip * sigmoid(conv1(ReLU(conv1(deep) + conv1(skip))))."""

    def __init__(self, c_deep: int, c_skip: int) -> None:
        super().__init__()
        hidden = max(c_skip // 2, 1)
        self.of_deep = nn.Conv2d(c_deep, hidden, 1)
        self.of_skip = nn.Conv2d(c_skip, hidden, 1, bias=False)
        self.weigh = nn.Conv2d(hidden, 1, 1)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Return skip [B, C_skip, h, w], weighted pixel by pixel."""
        weight = torch.sigmoid(self.weigh(functional.relu(self.of_deep(deep) + self.of_skip(skip))))
        return skip * weight


class DecoderStage(nn.Module):
    """Bring deep features to the size of the skip connection and merge the two.

    The deep features are resized to whatever size the skip has, so that no input size needs padding.
    With `gate`, an attention gate weighs the skip by them (Oktay et al. 2018).
    """

    def __init__(self, c_deep: int, c_skip: int, c_out: int, gate: bool = False) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(c_deep, c_out, 1)
        self.gate = AttentionGate(c_out, c_skip) if gate else None
        self.merge = DoubleConv(c_out + c_skip, c_out)

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """Merge deep [B, C_deep, h', w'] and skip [B, C_skip, h, w] into [B, C_out, h, w]."""
        deep = resize(self.reduce(deep), skip)  # [B, C_out, h, w]
        if self.gate is not None:
            skip = self.gate(deep, skip)
        merged: Tensor = self.merge(torch.cat([deep, skip], dim=1))
        return merged


def resize(features: Tensor, like: Tensor) -> Tensor:
    """Resize [B, C, h', w'] bilinearly to the height and width of `like`."""
    # Where sizes are symbols, this would be a condition on them: an exported network takes any size.
    if not torch.compiler.is_compiling() and features.shape[-2:] == like.shape[-2:]:
        return features
    return functional.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)
