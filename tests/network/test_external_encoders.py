"""Encoders of timm and smp, with stand-ins for the packages: what they are asked for, and what is made of it."""

from __future__ import annotations

import sys
import types

import pytest
import torch
from torch import nn

from gazetrack.errors import ConfigError
from gradtrack_model.config import load_config
from gradtrack_model.training.learner import build_model
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint

STRIDES = (2, 4, 8, 16, 32)


class Network(nn.Module):
    """Five strided convolutions with what timm says of its features."""

    def __init__(self, strides, weight):
        super().__init__()
        self.steps = nn.ModuleList(
            nn.Conv2d(a, b, 3, 2, 1) for a, b in ((3, 8), (8, 8), (8, 16), (16, 16), (16, 24))
        )
        self.feature_info = types.SimpleNamespace(
            channels=lambda: [8, 8, 16, 16, 24], reduction=lambda: list(strides)
        )
        if weight is not None:
            nn.init.constant_(self.steps[0].weight, weight)

    def forward(self, image):
        features = []
        for step in self.steps:
            image = step(image)
            features.append(image)
        return features


@pytest.fixture
def timm(monkeypatch):
    asked = []

    def create_model(name, *, features_only, pretrained):
        asked.append((name, features_only, pretrained))
        if name == "nothing":
            raise RuntimeError("Unknown model (nothing)")
        return Network(STRIDES if name == "small" else (4, 8, 16, 32), 0.5 if pretrained else None)

    monkeypatch.setitem(sys.modules, "timm", types.SimpleNamespace(create_model=create_model))
    return asked


def config(name, **more):
    overrides = {"image_size": 64, "model.encoder": name, "model.widths": [16, 16, 8, 8], **more}
    return load_config("tiny", overrides=overrides)


def test_pretrained_weights_are_asked_for_in_training_alone(timm, tmp_path):
    chosen = config("timm:small", **{"model.pretrained": True})
    model = build_model(chosen)
    assert timm == [("small", True, False), ("small", True, True)]
    assert (model.encoder.net.steps[0].weight == 0.5).all()
    timm.clear()
    loaded = load_model(save_checkpoint(tmp_path, "best", model, chosen, 1, {})).model
    assert timm == [("small", True, False)]
    image = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        output = loaded(image)
        assert torch.allclose(output.logits, model.eval()(image).logits, atol=1e-5)
    assert [tuple(track.shape[-2:]) for track in output.tracks] == [
        (4, 6),
        (8, 12),
        (16, 24),
        (32, 48),
    ]


def test_what_timm_cannot_give_is_said(timm, monkeypatch):
    with pytest.raises(ConfigError, match="timm does not give nothing: Unknown model"):
        build_model(config("timm:nothing"))
    with pytest.raises(
        ConfigError, match=r"timm:large has features at strides 4, 8, 16, 32 - use a network with"
    ):
        build_model(config("timm:large"))
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError, match=r"encoder timm:small needs timm: .*pip install timm"):
        build_model(config("timm:small"))


class OfSmp(Network):
    """The same as smp has it: the image first, and no channels for what is missing."""

    def __init__(self, first, weight):
        super().__init__(STRIDES, weight)
        self.out_channels = (3, first, 8, 16, 16, 24)

    def forward(self, image):
        return [image, *super().forward(image)]


@pytest.fixture
def smp(monkeypatch):
    asked = []

    def get_encoder(name, *, weights):
        asked.append((name, weights))
        if name == "nothing":
            raise KeyError("Wrong encoder name `nothing`")
        return OfSmp(8 if name == "small" else 0, 0.5 if weights else None)

    encoders = types.SimpleNamespace(get_encoder=get_encoder)
    monkeypatch.setitem(
        sys.modules, "segmentation_models_pytorch", types.SimpleNamespace(encoders=encoders)
    )
    return asked


def test_encoders_of_smp(smp, monkeypatch):
    model = build_model(config("smp:small", **{"model.pretrained": True})).eval()
    assert smp == [("small", None), ("small", "imagenet")]
    assert (model.encoder.net.steps[0].weight == 0.5).all()
    assert model.encoder.channels == (8, 8, 16, 16, 24)
    with torch.no_grad():
        output = model(torch.randn(1, 3, 64, 96))
    assert output.logits.shape == (1, 1, 64, 96)
    assert [tuple(track.shape[-2:]) for track in output.tracks] == [
        (4, 6),
        (8, 12),
        (16, 24),
        (32, 48),
    ]
    with pytest.raises(ConfigError, match=r"smp does not give nothing: .*get_encoder_names"):
        build_model(config("smp:nothing"))
    with pytest.raises(
        ConfigError, match=r"smp:mit has features at strides 4, 8, 16, 32 - use a network with"
    ):
        build_model(config("smp:mit"))
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(
        ConfigError, match=r"encoder smp:small needs segmentation_models_pytorch: .*pip install seg"
    ):
        build_model(config("smp:small"))
