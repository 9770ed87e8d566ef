"""The contract of encoders: what every kind gives the network, starts from, and can freeze."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gazetrack.errors import ConfigError
from gradtrack_model.network.encoders import BasicEncoder, Encoder, LiteEncoder
from gradtrack_model.network.external_encoders import ExternalEncoder
from tests.external_networks import install_smp, install_timm

BLOCKS = {"lite": 16, "timm:small": 5, "smp:small": 5}
WIDTHS = (8, 16, 32, 64, 64)


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    install_timm(monkeypatch)
    install_smp(monkeypatch)


def encoder(name):
    if name == "basic":
        return BasicEncoder(WIDTHS)
    return ExternalEncoder(name) if ":" in name else LiteEncoder(name)


def pretrained(name):
    built = encoder(name)
    built.load_pretrained()
    return built


@pytest.mark.parametrize("name", ["basic", *BLOCKS])
def test_five_feature_maps_with_the_channels_that_it_says(name):
    built = encoder(name).eval()
    assert isinstance(built, Encoder)
    assert built.name == name
    with torch.no_grad():
        features = built(torch.randn(1, 3, 64, 96))
    assert tuple(feature.shape[1] for feature in features) == built.channels
    heights = [feature.shape[2] for feature in features]
    assert heights == [heights[0] >> i for i in range(5)]


@pytest.mark.parametrize("name", BLOCKS)
def test_it_says_whether_it_started_from_imagenet(name):
    built = encoder(name)
    before = {key: value.clone() for key, value in built.state_dict().items()}
    assert not built.pretrained
    built.load_pretrained()
    assert built.pretrained
    assert any(not torch.equal(before[key], value) for key, value in built.state_dict().items())


def test_the_plain_encoder_has_no_weights_to_start_from():
    built = pretrained("basic")
    assert not built.pretrained


def is_behind(built, parameter, feature):
    """Whether a feature map depends on a parameter, by changing it."""
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    before = built(image)[feature]
    with torch.no_grad():
        kept = parameter.clone()
        parameter.add_(0.5 * torch.rand(parameter.shape))
        after = built(image)[feature]
        parameter.copy_(kept)
    return not torch.equal(before, after)


@pytest.mark.parametrize("name", ["timm:small", "smp:small"])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_the_blocks_of_other_packages_end_at_their_feature_maps(name, n):
    built = pretrained(name).eval()
    with torch.no_grad():  # so that no ReLU hides a change
        for module in built.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.bias.fill_(5.0)
    built.freeze(n)
    for parameter in built.parameters():
        assert parameter.requires_grad != is_behind(built, parameter, n - 1)


@pytest.mark.parametrize("name", BLOCKS)
def test_frozen_blocks_keep_weights_and_statistics(name):
    built = pretrained(name).train()
    built.freeze(2)
    # Validation comes between steps: back in training, frozen blocks are still in evaluation.
    built.eval()
    built.train()
    before = {key: value.clone() for key, value in built.state_dict().items()}
    sum(feature.square().mean() for feature in built(torch.randn(2, 3, 64, 64))).backward()
    frozen = {key for key, p in built.named_parameters() if not p.requires_grad}
    assert frozen
    assert all(p.grad is None for key, p in built.named_parameters() if key in frozen)
    moved = {
        key for key, value in built.state_dict().items() if not torch.equal(before[key], value)
    }
    norms = {key: m for key, m in built.named_modules() if isinstance(m, nn.BatchNorm2d)}
    for key, norm in norms.items():
        learns = f"{key}.weight" not in frozen
        assert norm.training == learns
        assert (f"{key}.running_mean" in moved) == learns
    learning = [norm.training for norm in norms.values()]
    assert learning == sorted(learning)  # the frozen ones come first
    assert 0 < sum(learning) < len(learning)


@pytest.mark.parametrize("name", BLOCKS)
def test_all_blocks_can_be_frozen_and_not_one_more(name):
    built = pretrained(name)
    n = BLOCKS[name]
    with pytest.raises(
        ConfigError, match=f"frozen_blocks is {n + 1}, but .*{n} blocks - use 0 to {n}"
    ):
        built.freeze(n + 1)
    assert all(p.requires_grad for p in built.parameters())
    built.freeze(n)
    assert not any(p.requires_grad for p in built.parameters())


@pytest.mark.parametrize("name", ["basic", *BLOCKS])
def test_random_weights_are_not_frozen(name):
    built = encoder(name)
    built.freeze(0)
    with pytest.raises(ConfigError, match=f"frozen_blocks is 1, but .*{name} starts from random"):
        built.freeze(1)
    assert all(p.requires_grad for p in built.parameters())


def test_finding_blocks_changes_nothing():
    built = pretrained("timm:small").train()
    before = {key: value.clone() for key, value in built.state_dict().items()}
    generator = torch.get_rng_state()
    assert len(built.freezable_blocks()) == 5
    assert torch.equal(generator, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in built.state_dict().items())
    assert all(module.training for module in built.modules())


def test_half_precision_on_a_cpu_spares_depthwise_convolutions():
    model = encoder("lite").eval()
    image = torch.rand(1, 3, 64, 64)
    seen = {}
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(
                lambda conv, _, out: seen.setdefault(conv.groups > 1, set()).add(out.dtype)
            )
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            half = model(image)[-1]
        assert seen == {True: {torch.float32}, False: {torch.bfloat16}}
        torch.testing.assert_close(half.float(), model(image)[-1], atol=0.1, rtol=0.1)
