"""The encoders: five feature maps each, finest first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from gradtrack_model.network.blocks import DoubleConv

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
LITE_SCALES = {
    "lite": (1.0, 1.0),
    "lite1": (1.0, 1.1),
    "lite2": (1.1, 1.2),
}  # of channels and of blocks a group


class BasicEncoder(nn.Module):
    """U-Net encoder from scratch: strides 1, 2, 4, 8, 16."""

    def __init__(self, widths: Sequence[int], c_in: int = 3) -> None:
        super().__init__()
        self.channels = tuple(widths)
        self.levels = nn.ModuleList(
            DoubleConv(a, b) for a, b in zip((c_in, *widths), widths, strict=False)
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
        stride, kernel = self.conv.stride[0], self.conv.kernel_size[0]
        if stride > 1:
            (top, bottom), (left, right) = (_same_padding(n, kernel, stride) for n in x.shape[-2:])
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
    """Inverted residual: expand, depthwise convolution, project, and add the input where shapes allow."""

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


class LiteEncoder(nn.Module):
    """EfficientNet-Lite without its classifier: strides 2, 4, 8, 16, 32.

    Parameters
    ----------
    name : {"lite", "lite1", "lite2"}
        EfficientNet-Lite0, -Lite1 or -Lite2.
    """

    def __init__(self, name: str = "lite", c_in: int = 3) -> None:
        super().__init__()
        self.name = name
        self.stem = ConvBN(c_in, LITE_STEM, 3, stride=2)
        self.blocks = nn.ModuleList()
        self.channels: tuple[int, ...] = ()
        self.taps: tuple[
            int, ...
        ] = ()  # the last blocks before each halving, and of all: their outputs are features
        channels = LITE_STEM
        for place, (expansion, kernel, stride, c_out, count) in enumerate(LITE_GROUPS):
            if stride == 2:
                self._tap(channels)
            wide, deep = LITE_SCALES[name]
            c_out = _whole_channels(c_out * wide)
            outer = place in {0, len(LITE_GROUPS) - 1}
            for i in range(count if outer else math.ceil(count * deep)):
                self.blocks.append(
                    MBConv(channels, c_out, kernel, stride if i == 0 else 1, expansion)
                )
                channels = c_out
        self._tap(channels)

    def _tap(self, channels: int) -> None:
        self.channels, self.taps = (*self.channels, channels), (*self.taps, len(self.blocks) - 1)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Turn [B, 3, H, W] into features [B, C_i, H/2^(i+1), W/2^(i+1)]; ``lite``: 16, 24, 40, 112, 320 channels."""
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
    total = (
        ((n + stride - 1) // stride - 1) * stride + kernel - n
    )  # never below 0: no kernel is below its stride
    return total // 2, total - total // 2
