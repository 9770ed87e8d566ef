"""BatchNorm of several processes: that of one process on the whole batch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import distributed, nn

from gazetrack.errors import ConfigError
from gradtrack_model import parallel
from gradtrack_model.config import TrainConfig
from gradtrack_model.network.batch_norm import (
    SharedBatchNorm2d,
    has_batch_norm,
    refuse_the_compiler,
    share_statistics,
)
from gradtrack_model.network.model import ModelConfig, build_network
from gradtrack_model.training.gradients import GradientMeans
from gradtrack_model.training.learner import Learner
from tests.processes import run_in

# Features far from 0, as large beside their spread: a difference of sums would not survive them.
B, C, S = 4, 3, 5


def features():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(B, C, S, S, generator=generator)
    spread = torch.tensor([1.0, 0.1, 5.0])[:, None, None]
    return x * spread + torch.tensor([0.0, 100.0, -3.0])[:, None, None]


def norm(momentum=0.1):
    found = nn.BatchNorm2d(C, momentum=momentum)
    with torch.no_grad():
        found.weight.copy_(torch.tensor([1.0, -2.0, 0.5]))
        found.bias.copy_(torch.tensor([0.1, 0.2, 0.3]))
    return found


def loss_of(out, x):
    """A loss that is a mean over images, as those of training are, and depends on all pixels."""
    return (torch.sin(out) * x).mean()


def one_process(momentum):
    alone = norm(momentum)
    x = features().requires_grad_()
    for _ in range(2):
        alone.zero_grad()
        x.grad = None
        loss_of(alone(x), features()).backward()
    return alone, x.grad


def two_steps(folder, momentum):
    with parallel.joined():
        shared = norm(momentum)
        share_statistics(shared := nn.Sequential(shared))
        mine = slice(parallel.rank() * B // 2, (parallel.rank() + 1) * B // 2)
        x = features()[mine].clone().requires_grad_()
        for _ in range(2):
            shared.zero_grad()
            x.grad = None
            loss_of(shared(x), features()[mine]).backward()
        GradientMeans(shared.parameters()).finish()
        found = {**shared[0].state_dict(), "x": x.grad / parallel.world()}
        found |= {"of_weight": shared[0].weight.grad, "of_bias": shared[0].bias.grad}
        torch.save(found, folder / f"{parallel.rank()}.pt")


@pytest.mark.parametrize("momentum", [0.1, None])
def test_two_processes_normalise_as_one(tmp_path, momentum):
    alone, of_x = one_process(momentum)
    run_in(two_steps, 2, tmp_path, momentum)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    expected = {**alone.state_dict(), "of_weight": alone.weight.grad, "of_bias": alone.bias.grad}
    for part in parts:
        for name, value in expected.items():
            torch.testing.assert_close(part[name], value, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.cat([part["x"] for part in parts]), of_x, rtol=1e-4, atol=1e-7)


def half(folder):
    with parallel.joined():
        shared = nn.Sequential(norm(1.0))
        share_statistics(shared)
        mine = slice(parallel.rank() * B // 2, (parallel.rank() + 1) * B // 2)
        x = features()[mine].bfloat16().requires_grad_()
        out = shared(x)
        loss_of(out.float(), features()[mine]).backward()
        found = {"out": out.detach(), "x": x.grad / parallel.world(), **shared[0].state_dict()}
        torch.save(found, folder / f"{parallel.rank()}.pt")


def test_in_half_precision_statistics_are_not(tmp_path):
    run_in(half, 2, tmp_path)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    alone = norm(1.0)
    x = features().bfloat16().requires_grad_()
    out = alone(x)
    loss_of(out.float(), features()).backward()
    for name in ("running_mean", "running_var"):
        assert parts[0][name].dtype == torch.float32
        torch.testing.assert_close(parts[0][name], getattr(alone, name), rtol=1e-4, atol=1e-4)
    both = {name: torch.cat([part[name] for part in parts]) for name in ("out", "x")}
    assert both["out"].dtype == both["x"].dtype == torch.bfloat16
    torch.testing.assert_close(both["out"], out.detach(), rtol=0.02, atol=0.02)
    torch.testing.assert_close(both["x"], x.grad, rtol=0.05, atol=0.05 * float(x.grad.abs().max()))


def test_alone_it_is_the_one_of_pytorch():
    plain, shared = norm(), nn.Sequential(norm())
    share_statistics(shared)
    assert type(shared[0]) is SharedBatchNorm2d
    assert not distributed.is_initialized()
    assert torch.equal(plain(features()), shared(features()))
    plain.eval()
    shared.eval()
    assert torch.equal(plain(features()), shared(features()))


def test_the_weights_of_a_network_stay_what_and_where_they_are():
    network = build_network(ModelConfig(encoder="lite", pretrained=False))
    before = copy.copy(dict(network.state_dict(keep_vars=True)))
    share_statistics(network)
    after = network.state_dict(keep_vars=True)
    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before)
    assert not [m for m in network.modules() if type(m) is nn.BatchNorm2d]
    assert has_batch_norm(network)
    assert not has_batch_norm(build_network(ModelConfig(encoder="basic")))


def test_frozen_blocks_keep_their_statistics():
    network = build_network(ModelConfig(encoder="lite", pretrained=False))
    share_statistics(network)
    encoder = network.encoders[0]
    encoder.pretrained = True  # so that it can be frozen
    encoder.freeze(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(torch.randn(2, 3, 64, 64))
    moved = {
        name
        for name, value in network.state_dict().items()
        if "running" in name and not torch.equal(value, before[name])
    }
    assert moved
    frozen = ("encoder.stem.", *(f"encoder.blocks.{i}." for i in range(3)))
    assert not [name for name in moved if name.startswith(frozen)]
    assert any(name.startswith("encoder.blocks.3.") for name in moved)


def test_another_normalisation_is_refused_and_not_left_out():
    with pytest.raises(ConfigError, match="BatchNorm3d, the normalisation at 0, in several"):
        share_statistics(nn.Sequential(nn.BatchNorm3d(2)))


class BatchNormAct2d(nn.BatchNorm2d):
    """As timm has it."""

    def __init__(self, channels):
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.ReLU()

    def forward(self, x):
        return self.act(self.drop(super().forward(x)))


def activated(folder):
    with parallel.joined():
        shared = nn.Sequential(BatchNormAct2d(C))
        share_statistics(shared)
        mine = slice(parallel.rank() * B // 2, (parallel.rank() + 1) * B // 2)
        torch.save(shared(features()[mine]).detach(), folder / f"{parallel.rank()}.pt")


def test_what_activates_as_well_still_does(tmp_path):
    run_in(activated, 2, tmp_path)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    expected = BatchNormAct2d(C)(features())
    torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("encoder", "is_refused"), [("lite", True), ("basic", False)], ids=["lite", "basic"]
)
def test_messages_between_processes_are_not_compiled(encoder, is_refused):
    network = build_network(ModelConfig(encoder=encoder, pretrained=False))
    share_statistics(network)
    if is_refused:
        with pytest.raises(ConfigError, match="compile with the BatchNorm") as caught:
            refuse_the_compiler(network)
        assert "compile=false" in str(caught.value)
    else:
        refuse_the_compiler(network)


def test_several_processes_of_a_learner_refuse_to_compile(monkeypatch):
    monkeypatch.setattr(parallel, "world", lambda: 2)
    model = ModelConfig(encoder="lite", pretrained=False)
    config = TrainConfig(model=model, compile=True, device="cpu")
    with pytest.raises(ConfigError, match="compile with the BatchNorm"):
        Learner(config)
