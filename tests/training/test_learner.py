"""The learner: what a step does to the weights, and what it tells."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from gazetrack.errors import ConfigError
from gradtrack_model.data.batches import plain_batch, training_batch
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.network.losses import LossConfig, gaze_loss
from gradtrack_model.network.model import ModelConfig, build_network
from gradtrack_model.settings import load_config
from gradtrack_model.training import learner
from gradtrack_model.training.learner import (
    LOSS_NAMES,
    Learner,
    NonFiniteLossError,
    build_model,
    fast_convolutions,
    not_one_batch,
    pick_device,
)
from gradtrack_model.training.loop import train
from gradtrack_model.training.optim import lr_share
from gradtrack_model.weights.checkpoint import load_model

CPU = torch.device("cpu")


@pytest.fixture
def data(data_folder, config):
    return load_data(discover(data_folder), config)


def weights(path):
    return load_model(path).model.state_dict()


def copy_of(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def test_a_step_moves_the_weights_and_returns_its_losses(data, config):
    taught = Learner(config)
    before = copy_of(taught.model)
    (row,) = taught.advance(1, [training_batch(data.train, config, 0)])
    assert row.step == 1
    assert list(row.values) == [*LOSS_NAMES, "lr"]
    parts = config.loss.dice_weight * row.values["loss_dice"]
    parts += row.values["loss_mask"] + config.loss.track_weight * row.values["loss_tracks"]
    assert row.values["loss"] == pytest.approx(parts, rel=1e-6)
    share = lr_share(1, config.steps, config.optimizer)
    assert row.values["lr"] == pytest.approx(config.optimizer.lr * share)
    assert any(not torch.equal(before[key], value) for key, value in copy_of(taught.model).items())
    assert taught.rest() == []  # on a CPU, no step is still out


def test_a_loss_that_is_not_finite_leaves_the_weights_as_they_are(data, config, monkeypatch):
    real = learner.loss_of

    def spoiled(*arguments):
        losses = real(*arguments)
        return losses._replace(total=losses.total * float("nan"))

    monkeypatch.setattr(learner, "loss_of", spoiled)
    taught = Learner(config)
    names = [name for name, _ in taught.model.named_parameters()]
    before = copy_of(taught.model)
    batch = training_batch(data.train, config, 0)
    with pytest.raises(NonFiniteLossError, match="not finite at step 7") as caught:
        taught.advance(7, [batch])
    assert caught.value.step == 7
    assert all(quoted in str(caught.value) for quoted in batch.ids[:2])
    assert all(torch.equal(before[name], taught.model.state_dict()[name]) for name in names)


def test_tensors_are_all_that_the_next_step_depends_on(data, config):
    config = dataclasses.replace(config, ema=0.9)
    first, second = Learner(config), Learner(dataclasses.replace(config, seed=5))
    first.advance(1, [training_batch(data.train, config, 0)])
    second.restore({key: value.clone() for key, value in first.tensors().items()}, {})
    for each in (first, second):
        each.advance(2, [training_batch(data.train, config, 1)])
    expected, found = first.tensors(), second.tensors()
    assert expected.keys() == found.keys()
    assert {key.split(".")[0] for key in found} == {"model", "ema", "optimizer", "generator"}
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_initial_weights_are_the_seeds_and_leave_the_generator_alone(config):
    torch.manual_seed(3)
    generator = torch.get_rng_state()
    first, again = build_model(config), build_model(config)
    other = build_model(dataclasses.replace(config, seed=1))
    assert torch.equal(generator, torch.get_rng_state())
    name = "head.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == pick_device("cpu") == CPU
    with pytest.raises(ConfigError, match="device 'cuda' is not there - use --device cpu"):
        pick_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert pick_device("auto").type == pick_device("cuda").type == "cuda"
    assert pick_device("cpu") == CPU


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_fast_convolutions_are_a_gpus_and_end_with_the_block(device):
    products = torch.backends.cuda.matmul
    before = (torch.backends.cudnn.benchmark, products.allow_tf32)
    with fast_convolutions(torch.device(device)):
        inside = (torch.backends.cudnn.benchmark, products.allow_tf32)
    assert inside == ((True, True) if device == "cuda" else before)
    assert (torch.backends.cudnn.benchmark, products.allow_tf32) == before


def test_accumulated_batches_are_one_large_batch(data_folder, config):
    large = dataclasses.replace(config, batch_size=4)
    small = dataclasses.replace(config, batch_size=2, accumulate=2)
    data = load_data(discover(data_folder), config)
    learners = [Learner(c) for c in (large, small)]
    learners[0].advance(1, [training_batch(data.train, large, 0)])
    learners[1].advance(1, [training_batch(data.train, small, i) for i in range(2)])
    for a, b in zip(*(each.model.parameters() for each in learners), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.slow
def test_a_compiled_network_computes_what_the_eager_one_does(data_folder, config, monkeypatch):
    # Traced alike, but run as it is: code made from it would take a compiler, and half a minute.
    compile_, asked = torch.compile, []
    monkeypatch.setattr(
        torch, "compile", lambda f, mode: asked.append(mode) or compile_(f, backend="aot_eager")
    )
    data = load_data(discover(data_folder), config)
    for name in ("host", "compiled"):
        train(dataclasses.replace(config, compile=name == "compiled"), data, data_folder / name)
    assert asked == [None]
    eager, compiled = weights(data_folder / "host"), weights(data_folder / "compiled")
    assert list(eager) == list(compiled)  # the names say nothing of the compiler
    for key in eager:
        torch.testing.assert_close(compiled[key], eager[key], rtol=1e-3, atol=1e-3)


def test_half_precision_skips_steps_whose_gradients_overflow(data_folder, config):
    data = load_data(discover(data_folder), config)
    half = dataclasses.replace(config, precision="fp16")
    learning = Learner(half)
    before = {key: value.clone() for key, value in learning.model.state_dict().items()}
    learning.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**100)
    learning.advance(1, [training_batch(data.train, half, 0)])
    names = [key for key, _ in learning.model.named_parameters()]
    assert all(torch.equal(before[key], learning.model.state_dict()[key]) for key in names)
    assert learning.scaler.get_scale() == 2.0**99
    learning.scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    learning.advance(2, [training_batch(data.train, half, 1)])
    assert not all(torch.equal(before[key], learning.model.state_dict()[key]) for key in names)


def test_gaze_never_enters_the_network(data_folder, config):
    """Its prediction depends on the image alone; gaze reaches the weights through the loss only."""
    data = load_data(discover(data_folder), config)
    model, batch = build_model(config), plain_batch(data.train[:2], config)
    seen = []
    model.register_forward_pre_hook(
        lambda _, given, kwargs: seen.append((given, kwargs)), with_kwargs=True
    )
    first = model(batch.images)
    gaze_loss(first, batch.maps, config.loss).total.backward()
    bare = [
        dataclasses.replace(sample, maps=torch.zeros(4, 64, 64, dtype=torch.uint8))
        for sample in data.train[:2]
    ]
    assert torch.equal(model(plain_batch(bare, config).images).logits, first.logits)
    assert [(len(given), kwargs) for given, kwargs in seen] == [(1, {}), (1, {})]
    assert torch.equal(seen[0][0][0], batch.images)


@pytest.mark.parametrize(
    ("encoder", "accumulated", "settings", "reasons"),
    [
        ("basic", 4, {}, []),
        ("lite", 1, {}, []),
        ("lite", 2, {}, ["accumulate is 2: BatchNorm"]),
        ("basic", 2, {"loss.ignore_band": 0.1}, ["accumulate is 2, with loss.ignore_band"]),
        ("basic", 2, {"classes.names": ("a", "b")}, ["accumulate is 2, with several classes"]),
        ("basic", 1, {"loss.ignore_band": 0.1, "classes.names": ("a", "b")}, []),
    ],
)
def test_a_step_that_is_not_one_large_batch_says_so(encoder, accumulated, settings, reasons):
    network = build_network(ModelConfig(encoder=encoder, pretrained=False))
    config = load_config("tiny", overrides=settings)
    found = not_one_batch(accumulated, config.loss, config.classes, network)
    assert [one.startswith(reason) for one, reason in zip(found, reasons, strict=True)] == (
        [True] * len(reasons)
    )


def test_frozen_blocks_have_no_batch_to_normalise_by():
    network = build_network(ModelConfig(encoder="lite", pretrained=False))
    encoder = network.encoders[0]
    encoder.pretrained = True  # so that it can be frozen
    encoder.freeze(len(encoder.freezable_blocks()))
    assert not_one_batch(2, LossConfig(), ClassConfig(), network) == []


def test_a_run_notes_that_its_step_is_not_one_large_batch(data_folder, config):
    model = dataclasses.replace(config.model, encoder="lite", widths=(), pretrained=False)
    config = dataclasses.replace(
        config, batch_size=2, accumulate=2, steps=1, val_every=1, model=model
    )
    notes = []
    data = load_data(discover(data_folder), config)
    train(config, data, data_folder / "run", report=lambda p: notes.extend(p.notes))
    assert [note.split(":")[0] for note in notes] == ["accumulate is 2"]
