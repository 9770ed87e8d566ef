"""The encoders: five feature maps each, finest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from gazetrack.errors import ConfigError
from gradtrack_model.network.blocks import DoubleConv
from gradtrack_model.network.pretrained import load_lite

if TYPE_CHECKING:
    from collections.abc import Sequence

# EfficientNet-Lite0, a row per group: expansion, kernel, stride of the first block, channels,
# blocks. (Tan & Le 2019; the Lite variants leave out squeeze-and-excitation, use ReLU6, and do not
# scale the stem.)
LITE_GROUPS = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
LITE_STEM = 32
LITE_NORM_EPS = 1e-3
# Factors on the channels, and on the blocks of a group.
LITE_SCALES = {
    "lite": (1.0, 1.0),
    "lite1": (1.0, 1.1),
    "lite2": (1.1, 1.2),
}


class Block(NamedTuple):
    """A part of an encoder that can be frozen.

    Parameters
    ----------
    parameters : list of nn.Parameter
        The weights that no longer learn.
    modules : list of nn.Module
        The modules that stay in evaluation mode: those whose weights are all among `parameters`.
    """

    parameters: list[nn.Parameter]
    modules: list[nn.Module]


class Encoder(nn.Module):
    """What the network and the trainer know of an encoder, whatever package it comes from.

    An encoder is a module that turns images [B, 3, H, W] into five feature maps, finest first.
    Those with ImageNet weights override `load_pretrained` and `freezable_blocks`.

    Parameters
    ----------
    name : str
        The encoder's name in the configuration, for messages.

    Attributes
    ----------
    channels : tuple of int
        Channels of each feature map, finest first.
    pretrained : bool
        Whether the encoder started from ImageNet weights: it then gets its own share of the
        learning rate, and its first blocks can be frozen.
    pretrained_part : str
        Start of the names of the weights that are not new; empty where that is all of them.
    lr_share : float
        Factor on the learning rate of the weights that are not new, beside the configuration's.
    """

    channels: tuple[int, ...]

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.pretrained = False
        self.pretrained_part = ""
        self.lr_share = 1.0
        self._frozen: list[nn.Module] = []

    def load_pretrained(self) -> None:
        """Take over the ImageNet weights; an encoder without any stays as it is."""

    def freezable_blocks(self) -> list[Block]:
        """Return the blocks in the order of the computation; the stem belongs to the first."""
        return []

    def freeze(self, n: int) -> None:
        """Train the first n blocks no more, neither their weights nor their running statistics.

        Parameters
        ----------
        n : int
            Number of blocks, from the image on; 0 leaves everything as it is.

        Raises
        ------
        ConfigError
            The encoder has random weights, or fewer than n blocks.
        """
        if n == 0:
            return
        setting = f"optimizer.frozen_blocks is {n}"
        if not self.pretrained:
            what = f"{setting}, but the encoder {self.name} starts from random weights"
            raise ConfigError(what, hint="use 0, or an encoder with pretrained weights")
        blocks = self.freezable_blocks()
        if n > len(blocks):
            what = f"{setting}, but the encoder {self.name} has {len(blocks)} blocks"
            raise ConfigError(what, hint=f"use 0 to {len(blocks)}")
        for block in blocks[:n]:
            for parameter in block.parameters:
                parameter.requires_grad_(False)
            self._frozen += block.modules
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Switch between training and evaluation; frozen blocks are always in evaluation.

        In training mode, BatchNorm normalises by the batch and moves its running statistics: the
        frozen weights would see other features than those they were trained on.
        """
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn images [B, 3, H, W] into five feature maps, finest first."""
        raise NotImplementedError


class BasicEncoder(Encoder):
    """U-Net encoder from scratch: strides 1, 2, 4, 8, 16; there are no weights to start from.

    Parameters
    ----------
    widths : sequence of int
        Channels of the five feature maps.
    c_in : int
        Channels of the images, 3 for RGB.
    """

    def __init__(self, widths: Sequence[int], c_in: int = 3) -> None:
        super().__init__("basic")
        self.channels = tuple(widths)
        inputs = (c_in, *widths[:-1])
        self.levels = nn.ModuleList(
            DoubleConv(before, after) for before, after in zip(inputs, widths, strict=True)
        )

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^i, W/2^i]."""
        features: list[Tensor] = []
        for level in self.levels:
            image = level(functional.max_pool2d(image, 2) if features else image)
            features.append(image)
        return features


class ConvBN(nn.Module):
    """Convolution with 'same' padding as in TensorFlow, BatchNorm, and ReLU6 where wanted.

    With stride 2 that padding is uneven and depends on the input size; the pretrained weights
    expect it.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: int,
        stride: int = 1,
        *,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            c_in,
            c_out,
            kernel,
            stride,
            padding=kernel // 2 if stride == 1 else 0,
            groups=groups,
            bias=False,
        )
        self.norm = nn.BatchNorm2d(c_out, eps=LITE_NORM_EPS, momentum=0.01)
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        """[B, C_in, h, w] -> [B, C_out, ceil(h/stride), ceil(w/stride)]."""
        stride = self.conv.stride[0]
        kernel = self.conv.kernel_size[0]
        if stride > 1:
            height, width = x.shape[-2:]
            top, bottom = _same_padding(height, kernel, stride)
            left, right = _same_padding(width, kernel, stride)
            x = functional.pad(x, (left, right, top, bottom))
        x = self.norm(self._convolve(x))
        return functional.relu6(x, inplace=True) if self.activate else x

    def _convolve(self, x: Tensor) -> Tensor:
        if self.conv.groups > 1 and torch.is_autocast_enabled("cpu"):
            # CPUs have no fast bfloat16 for depthwise convolutions: these alone would take longer
            # than all in float32.
            with torch.autocast("cpu", enabled=False):
                x = self.conv(x.float())
        else:
            x = self.conv(x)
        return x


class MBConv(nn.Module):
    """Inverted residual: expand, convolve each channel, project; add the input where it fits."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = c_in * expansion
        self.expand = ConvBN(c_in, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBN(hidden, hidden, kernel, stride, groups=hidden)
        self.project = ConvBN(hidden, c_out, 1, activate=False)
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        """[B, C_in, h, w] -> [B, C_out, ceil(h/stride), ceil(w/stride)]."""
        out: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + out if self.residual else out


class LiteEncoder(Encoder):
    """EfficientNet-Lite without its classifier: strides 2, 4, 8, 16, 32.

    Parameters
    ----------
    name : {"lite", "lite1", "lite2"}
        Which network it is: EfficientNet-Lite0, -Lite1 or -Lite2.
    c_in : int
        Channels of the images, 3 for RGB.
    """

    def __init__(self, name: str = "lite", c_in: int = 3) -> None:
        super().__init__(name)
        self.stem = ConvBN(c_in, LITE_STEM, 3, stride=2)
        self.blocks = nn.ModuleList()
        self.channels = ()
        # Numbers of the blocks whose outputs are features: the last one before each halving of the
        # size, and the last of all.
        self.taps: tuple[int, ...] = ()
        channels = LITE_STEM
        wide, deep = LITE_SCALES[name]
        for place, (expansion, kernel, stride, c_out, count) in enumerate(LITE_GROUPS):
            if stride == 2:
                self._tap(channels)
            c_out = _whole_channels(c_out * wide)
            # The first and the last group are as deep in all variants.
            outer = place in {0, len(LITE_GROUPS) - 1}
            n_blocks = count if outer else math.ceil(count * deep)
            for i in range(n_blocks):
                first_stride = stride if i == 0 else 1
                self.blocks.append(MBConv(channels, c_out, kernel, first_stride, expansion))
                channels = c_out
        self._tap(channels)

    def _tap(self, channels: int) -> None:
        """Let the output of the last block so far be a feature map."""
        self.channels = (*self.channels, channels)
        self.taps = (*self.taps, len(self.blocks) - 1)

    def load_pretrained(self) -> None:
        """Take over the ImageNet weights; errors as in `gradtrack_model.network.pretrained`."""
        load_lite(self, self.name)
        self.pretrained = True

    def freezable_blocks(self) -> list[Block]:
        """Return the inverted residuals, the first one with the stem."""
        blocks = [Block(list(block.parameters()), [block]) for block in self.blocks]
        blocks[0].parameters.extend(self.stem.parameters())
        blocks[0].modules.append(self.stem)
        return blocks

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^(i+1), W/2^(i+1)].

        Of ``lite``, they have 16, 24, 40, 112 and 320 channels.
        """
        features = []
        x = self.stem(image)  # [B, 32, H/2, W/2]
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.taps:
                features.append(x)
        return features


def _whole_channels(wanted: float) -> int:
    """Return the nearest multiple of 8 that is not below nine tenths of it."""
    whole = max(8, int(wanted + 4) // 8 * 8)
    return whole + 8 if whole < 0.9 * wanted else whole


def _same_padding(n: int, kernel: int, stride: int) -> tuple[int, int]:
    """Return how many pixels TensorFlow adds before and after n pixels."""
    outputs = (n + stride - 1) // stride
    total = (outputs - 1) * stride + kernel - n  # never below 0: no kernel is below its stride
    before = total // 2
    return before, total - before
