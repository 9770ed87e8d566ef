"""Encoders of timm and smp, with stand-ins: what the packages are asked for, and what they give."""

from __future__ import annotations

import sys

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.network import external_encoders
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import build_model
from gradtrack_model.weights.checkpoint import load_model, save_checkpoint
from tests.external_networks import install_smp, install_timm


@pytest.fixture
def timm(monkeypatch):
    return install_timm(monkeypatch)


@pytest.fixture
def smp(monkeypatch):
    return install_smp(monkeypatch)


def config(name, **more):
    overrides = {"image_size": 64, "model.encoder": name, "model.widths": [16, 16, 8, 8], **more}
    return load_config("tiny", overrides=overrides)


def test_pretrained_weights_are_asked_for_in_training_alone(timm, tmp_path):
    chosen = config("timm:small", **{"model.pretrained": True})
    model = build_model(chosen)
    assert timm == [("small", True, False), ("small", True, True)]
    assert (model.encoder.net.steps[0].conv.weight == 0.5).all()
    timm.clear()
    loaded = load_model(save_checkpoint(tmp_path, "best", model, chosen, step=1, metrics={})).model
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


@pytest.mark.parametrize("package", ["timm", "smp"])
def test_a_torchvision_for_another_pytorch_is_said(package, monkeypatch):
    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(external_encoders, "import_module", broken)
    with pytest.raises(ConfigError, match=r"nms does not exist - .* torchvision that fits"):
        build_model(config(f"{package}:small"))


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


def test_encoders_of_smp(smp, monkeypatch):
    model = build_model(config("smp:small", **{"model.pretrained": True})).eval()
    assert smp == [("small", None), ("small", "imagenet")]
    assert (model.encoder.net.steps[0].conv.weight == 0.5).all()
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


@pytest.mark.parametrize("package", ["timm", "smp"])
def test_packages_are_asked_for_the_channels_of_all_slices(package, timm, smp):
    chosen = config(f"{package}:small", context=1)
    model = build_model(chosen)
    assert model.encoder.net.steps[0].conv.in_channels == 9
    with torch.no_grad():
        assert model.eval()(torch.randn(1, 9, 64, 64)).logits.shape == (1, 1, 64, 64)
    assert len(model.encoder.freezable_blocks()) == 5
