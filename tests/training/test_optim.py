"""The optimizer: who learns how fast, and who does not learn at all."""

from __future__ import annotations

import math

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.config import OptimizerConfig
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner, build_model
from gradtrack_model.training.optim import EMA, build_optimizer, lr_share, set_lr
from tests.external_networks import install_smp, install_timm

PRETRAINED = ("lite", "timm:small", "smp:small")


@pytest.fixture(autouse=True)
def _packages(monkeypatch):
    install_timm(monkeypatch)
    install_smp(monkeypatch)


def config(encoder, **more):
    chosen = {"image_size": 64, "model.encoder": encoder, "optimizer.lr": 0.1, **more}
    if encoder != "basic":
        chosen["model.widths"] = [16, 16, 8, 8]
    return load_config("tiny", overrides=chosen)


def rates(model, optimizer):
    """{parameter: learning rate}, by its name in the network."""
    found = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    return {name: found.get(id(p), 0.0) for name, p in model.named_parameters()}


@pytest.mark.parametrize("encoder", PRETRAINED)
@pytest.mark.parametrize("pretrained", [True, False])
def test_a_pretrained_encoder_gets_its_share_of_the_learning_rate(encoder, pretrained):
    chosen = config(encoder, **{"model.pretrained": pretrained, "optimizer.encoder_lr_share": 0.2})
    model = build_model(chosen)
    for name, lr in rates(model, build_optimizer(model, chosen.optimizer)).items():
        share = 0.2 if name.startswith("encoder.") and pretrained else 1
        assert lr == pytest.approx(0.1 * share), name


def test_the_plain_encoder_learns_as_fast_as_the_rest():
    model = build_model(config("basic"))
    assert set(rates(model, build_optimizer(model, config("basic").optimizer)).values()) == {0.1}


@pytest.mark.parametrize("encoder", PRETRAINED)
def test_frozen_blocks_of_a_pretrained_encoder_do_not_learn(encoder):
    chosen = config(encoder, **{"optimizer.frozen_blocks": 2})
    learner = Learner(chosen)
    in_encoder = {
        name: lr
        for name, lr in rates(learner.model, learner.optimizer).items()
        if name.startswith("encoder.")
    }
    first, last = next(iter(in_encoder)), list(in_encoder)[-1]
    assert in_encoder[first] == 0
    assert in_encoder[last] == pytest.approx(0.1 * chosen.optimizer.encoder_lr_share)
    frozen = [name for name, p in learner.model.named_parameters() if not p.requires_grad]
    assert [name for name, lr in in_encoder.items() if lr == 0] == frozen


@pytest.mark.parametrize("encoder", PRETRAINED)
def test_more_blocks_than_there_are_is_an_error(encoder):
    with pytest.raises(ConfigError, match=r"optimizer\.frozen_blocks is 99, but the encoder"):
        Learner(config(encoder, **{"optimizer.frozen_blocks": 99}))


@pytest.mark.parametrize(
    ("encoder", "pretrained"), [("basic", True), *((name, False) for name in PRETRAINED)]
)
def test_blocks_with_random_weights_are_not_frozen(encoder, pretrained):
    chosen = config(encoder, **{"optimizer.frozen_blocks": 1, "model.pretrained": pretrained})
    with pytest.raises(ConfigError, match="starts from random weights"):
        Learner(chosen)


def test_vectors_are_not_decayed():
    chosen = config("basic").optimizer
    model = build_model(config("basic"))
    for group in build_optimizer(model, chosen).param_groups:
        decayed = {p.ndim > 1 for p in group["params"]}
        assert decayed == {group["weight_decay"] == chosen.weight_decay}
    assert chosen.weight_decay > 0


def test_each_group_has_its_share_of_its_own_peak():
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [w], "lr": 1.0} for w in weights])
    set_lr(optimizer, [0.1, 0.4], 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.2]


def test_schedule():
    config = OptimizerConfig(warmup=10, final_lr_share=0.1)
    shares = [lr_share(step, 100, config) for step in range(1, 101)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == 1
    assert shares[-1] == pytest.approx(0.1)
    assert shares[9:] == sorted(shares[9:], reverse=True)
    assert lr_share(1, 1, config) == pytest.approx(0.1)
    poly = OptimizerConfig(schedule="poly", warmup=0, final_lr_share=0)
    assert lr_share(50, 100, poly) == pytest.approx(0.5**0.9)
    cycle = [
        lr_share(step, 100, OptimizerConfig(schedule="onecycle", final_lr_share=0.1))
        for step in range(1, 101)
    ]
    assert cycle[:30] == sorted(cycle[:30])
    assert cycle[29:] == sorted(cycle[29:], reverse=True)
    assert (cycle[29], cycle[-1]) == (1, pytest.approx(0.1))
    assert all(
        math.isfinite(lr_share(1, 1, OptimizerConfig(schedule=name)))
        for name in ("cosine", "poly", "onecycle")
    )


def test_the_moving_average():
    model = torch.nn.Linear(1, 1, bias=False)
    ema = EMA(model, 0.9)
    torch.nn.init.constant_(model.weight, 5.0)
    before = ema.weights["weight"].item()
    ema.update(100)
    assert ema.weights["weight"].item() == pytest.approx(0.9 * before + 0.1 * 5)
    with ema.applied():
        assert model.weight.item() != 5
    assert model.weight.item() == 5
