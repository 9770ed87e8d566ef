from __future__ import annotations

import inspect

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.network.model import (
    BASIC_WIDTHS,
    ModelConfig,
    TrackUNet,
    build_network,
    channels_seen,
)

TINY = (8, 16, 32, 64, 64, 16)


def build(encoder="basic", **options):
    torch.manual_seed(0)
    options.setdefault("widths", TINY if encoder == "basic" else (16, 16, 8, 8))
    return TrackUNet(ModelConfig(encoder=encoder, **options)).eval()


@pytest.mark.parametrize("size", [(64, 64), (37, 51), (33, 100)])
@pytest.mark.parametrize("encoder", ["basic", "lite", "dinov2"])
def test_any_size(encoder, size):
    with torch.no_grad():
        output = build(encoder)(torch.randn(2, 3, *size))
    assert output.logits.shape == (2, 1, *size)
    assert len(output.tracks) == 4
    heights = [track.shape[-2] for track in output.tracks]
    assert heights == sorted(heights)
    finest = size[0] if encoder == "basic" else -(-size[0] // 2)
    assert heights[-1] == finest


def test_gaze_is_no_input():
    assert list(inspect.signature(TrackUNet.forward).parameters) == ["self", "image"]


def test_every_parameter_learns():
    model = build()
    output = model(torch.randn(2, 3, 32, 32))
    (output.logits.mean() + sum(track.mean() for track in output.tracks)).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize(
    "bad", [{"encoder": "vgg"}, {"widths": (8, 8)}, {"encoder": "basic", "widths": (9,) * 6}]
)
def test_bad_configurations(bad):
    with pytest.raises(ConfigError, match=r"encoder|widths"):
        ModelConfig(**bad)


def test_default_widths():
    assert ModelConfig(encoder="basic").widths == BASIC_WIDTHS


def test_peers_begin_alike_and_the_prediction_is_their_mean():
    config = ModelConfig(encoder="basic", widths=(8,) * 6, attention=False, networks=2)
    peers = build_network(config).eval()
    one, other = (network.state_dict() for network in peers.networks)
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert one["head.weight"].data_ptr() != other["head.weight"].data_ptr()
    with torch.no_grad():
        peers.networks[1].head.bias += 2
        output = peers(torch.zeros(2, 3, 40, 33))
        alone = [network(torch.zeros(2, 3, 40, 33)) for network in peers.networks]
    torch.testing.assert_close(output.logits, (alone[0].logits + alone[1].logits) / 2)
    assert output.heads.shape[:2] == (2, 2)
    assert torch.equal(output.empty, torch.cat([alone[0].empty, alone[1].empty]))
    assert [features.shape for features in output.features] == [alone[0].features[0].shape] * 2
    assert (output.tracks, peers.n_tracks) == ([], 0)
    assert len(peers.encoders) == 2
    single = build_network(ModelConfig(encoder="basic", widths=(8,) * 6))
    assert isinstance(single, TrackUNet)
    assert single.n_tracks == 4


@pytest.mark.parametrize("encoder", ["basic", "lite", "dinov2"])
@pytest.mark.parametrize("networks", [1, 2])
def test_a_network_sees_the_slices_around_a_slice(encoder, networks):
    config = ModelConfig(encoder=encoder, pretrained=False, networks=networks)
    model = build_network(config, context=2).eval()
    assert (model.context, channels_seen(2)) == (2, 15)
    with torch.no_grad():
        assert model(torch.randn(1, 15, 32, 48)).logits.shape == (1, 1, 32, 48)
    with pytest.raises(RuntimeError, match="15 channels"):
        model(torch.randn(1, 3, 32, 48))
