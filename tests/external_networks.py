"""Stand-ins for timm and segmentation_models_pytorch, which the tests do without."""

from __future__ import annotations

import sys
import types

import torch
from torch import nn

STRIDES = (2, 4, 8, 16, 32)
CHANNELS = (8, 8, 16, 16, 24)


class Step(nn.Module):
    """A strided convolution with its normalisation."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 3, 2, 1)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class Network(nn.Module):
    """Five such steps after a shift of the image, and what timm says of a network's features."""

    def __init__(self, strides, weight, c_in=3):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(c_in, 1, 1))
        pairs = zip((c_in, *CHANNELS[:-1]), CHANNELS, strict=True)
        self.steps = nn.ModuleList(Step(c_in, c_out) for c_in, c_out in pairs)
        self.feature_info = types.SimpleNamespace(
            channels=lambda: list(CHANNELS), reduction=lambda: list(strides)
        )
        if weight is not None:
            nn.init.constant_(self.steps[0].conv.weight, weight)

    def forward(self, image):
        features = []
        x = image + self.shift
        for step in self.steps:
            x = step(x)
            features.append(x)
        return features


class OfSmp(Network):
    """The same as smp has it: the image first, and no channels for what is missing."""

    def __init__(self, first, weight, c_in=3):
        super().__init__(STRIDES, weight, c_in)
        self.out_channels = (c_in, first, *CHANNELS[1:])

    def forward(self, image):
        return [image, *super().forward(image)]


def install_timm(monkeypatch):
    """Let ``timm`` be a stand-in that knows the network ``small``; return what it is asked for."""
    asked = []

    def create_model(name, *, features_only, pretrained, in_chans=3):
        asked.append((name, features_only, pretrained))
        if name == "nothing":
            raise RuntimeError("Unknown model (nothing)")
        strides = STRIDES if name == "small" else (4, 8, 16, 32)
        return Network(strides, 0.5 if pretrained else None, in_chans)

    monkeypatch.setitem(sys.modules, "timm", types.SimpleNamespace(create_model=create_model))
    return asked


def install_smp(monkeypatch):
    """Let ``segmentation_models_pytorch`` be a stand-in; return what it is asked for."""
    asked = []

    def get_encoder(name, *, weights, in_channels=3):
        asked.append((name, weights))
        if name == "nothing":
            raise KeyError("Wrong encoder name `nothing`")
        return OfSmp(8 if name == "small" else 0, 0.5 if weights else None, in_channels)

    encoders = types.SimpleNamespace(get_encoder=get_encoder)
    package = types.SimpleNamespace(encoders=encoders)
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", package)
    return asked
