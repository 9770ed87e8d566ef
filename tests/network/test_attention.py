"""Track Attention: its formula, and that training starts as the plain U-Net."""

from __future__ import annotations

import torch

from gradtrack_model.network.attention import TrackAttention
from gradtrack_model.network.blocks import resize
from gradtrack_model.network.model import ModelConfig, TrackUNet

TINY = (8, 16, 32, 64, 64, 16)


def build(**options):
    torch.manual_seed(0)
    return TrackUNet(ModelConfig(encoder="basic", widths=TINY, **options)).eval()


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


def test_the_deepest_stage_has_no_alpha_and_a_control_neither_alpha_nor_refinement():
    def names(**options):
        return {name.split(".")[0] for name, _ in TrackAttention(8, **options).named_parameters()}

    assert names(deepest=False) == {"predict", "alpha", "refine"}
    assert names(deepest=True) == {"predict", "refine"}
    assert names(deepest=False, attend=False) == {"predict"}
    features = torch.randn(2, 8, 6, 5)
    control = TrackAttention(8, deepest=False, attend=False)
    same, track = control(features, torch.randn(2, 1, 3, 3))
    assert torch.equal(same, features)
    assert torch.equal(track, control.predict(features))
