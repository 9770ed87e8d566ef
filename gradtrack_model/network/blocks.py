"""The convolutional blocks of the U-Net."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

NORM_GROUPS = 4


class GroupNorm(nn.GroupNorm):
    """GroupNorm that leaves features in the precision and the memory order they come in.

    PyTorch's own, under autocast on a GPU, turns half-precision features with channels last into
    float32 with channels first, and the next convolution turns them back: several times the traffic
    of the normalisation itself. This one is written for the compiler, which makes one pass for the
    sums and joins the rest with its neighbours; without a compiler it would be slower, and
    PyTorch's is used.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [B, C, h, w]."""
        if torch.compiler.is_compiling() and x.is_cuda:
            return self._for_the_compiler(x)
        return super().forward(x)

    def _for_the_compiler(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        n = c // self.num_groups * h * w
        wide = x.float()
        # Sums over the image first: with channels last, neighbours in memory are channels.
        total = wide.sum((2, 3)).view(b, self.num_groups, -1).sum(2)  # [B, G]
        squares = (wide * wide).sum((2, 3)).view(b, self.num_groups, -1).sum(2)
        mean = total / n
        variance = (squares / n - mean * mean).clamp(min=0)
        by_group = torch.rsqrt(variance + self.eps)[..., None]  # [B, G, 1]
        scale = by_group * self.weight.view(self.num_groups, -1)  # [B, G, C / G]
        shift = self.bias.view(self.num_groups, -1) - mean[..., None] * scale
        return (wide * scale.view(b, c, 1, 1) + shift.view(b, c, 1, 1)).to(x.dtype)


class ConvNormAct(nn.Sequential):
    """3 x 3 convolution, GroupNorm, leaky ReLU: [B, C_in, h, w] -> [B, C_out, h, w]."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__(
            nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
            GroupNorm(NORM_GROUPS, c_out),
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
        seen = functional.relu(self.of_deep(deep) + self.of_skip(skip))
        return skip * torch.sigmoid(self.weigh(seen))


class DecoderStage(nn.Module):
    """Bring deep features to the size of the skip connection and merge the two.

    The deep features are resized to whatever size the skip has, so that no input size needs
    padding. With `gate`, an attention gate weighs the skip by them (Oktay et al. 2018).
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
    # Where sizes are symbols, this would be a condition on them: an exported network takes any
    # size.
    if not torch.compiler.is_compiling() and features.shape[-2:] == like.shape[-2:]:
        return features
    # Sizes are asked last: of an exported network, which is never on a GPU, they must stay open.
    if torch.compiler.is_compiling() and features.is_cuda and _is_doubled(features, like):
        return double(features)
    return functional.interpolate(
        features, size=like.shape[-2:], mode="bilinear", align_corners=False
    )


def _is_doubled(features: Tensor, like: Tensor) -> bool:
    height, width = features.shape[-2:]
    new_height, new_width = like.shape[-2:]
    return new_height == 2 * height and new_width == 2 * width


def double(features: Tensor) -> Tensor:
    """Resize [B, C, h, w] bilinearly to [B, C, 2 h, 2 w].

    The compiler makes a gather of ``interpolate``, and of its gradient a scatter that adds number
    by number. At twice the size, each new pixel is a quarter of one neighbour and three quarters of
    the other.
    """
    for dim in (2, 3):
        last = features.shape[dim] - 1
        # Every pixel's neighbours; at the border, the pixel itself.
        before = torch.cat([features.narrow(dim, 0, 1), features.narrow(dim, 0, last)], dim)
        after = torch.cat([features.narrow(dim, 1, last), features.narrow(dim, last, 1)], dim)
        nearer = 0.75 * features
        pairs = torch.stack([0.25 * before + nearer, nearer + 0.25 * after], dim + 1)
        features = pairs.flatten(dim, dim + 1)
    return features
