"""Batches made on the device against those made in memory: the same, but for rounding."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gazetrack.maps.track import Track
from gradtrack_model.data import device_batches as resident
from gradtrack_model.data.batches import Batch, batches, training_batch
from gradtrack_model.data.device_batches import Resident, batch_maker, beside, lies_on_device
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sample import Sample
from gradtrack_model.data.sources import discover
from gradtrack_model.data.torch_maps import KINDS
from gradtrack_model.settings import load_config
from gradtrack_model.training import learner
from gradtrack_model.training.loop import train
from tests.synthetic import TINY

S, CPU = 48, torch.device("cpu")
RECIPE = {
    "image_size": S,
    "batch_size": 4,
    "augment.gamma": 0.3,
    "augment.hue": 20.0,
    "augment.cutmix": 0.5,
}


def samples(tracks=(1, 2, 1, 3, 1), *, stored=False):
    """Return noise with `tracks` tracks of several lengths on each image, or with stored maps."""
    rng = np.random.default_rng(0)
    made = []
    for i, n in enumerate(tracks):
        gaze = []
        for length in rng.integers(1, 12, n):
            x, y = rng.uniform(-3, S + 3, (2, length))
            gaze.append(Track("r", "1", str(i), x, y, rng.uniform(60, 900, length), S, S))
        pixels, maps = (torch.from_numpy(rng.integers(0, 256, (k, S, S), np.uint8)) for k in (3, 4))
        made.append(
            Sample(str(i), pixels, maps=maps) if stored else Sample(str(i), pixels, tuple(gaze))
        )
    return made


CLASSES = ["classes.names=['a','b','c']"]


def samples_of_classes(*, stored=False):
    """Return samples whose gaze is of two of three classes each, or with stored maps."""
    if stored:
        rng = np.random.default_rng(1)
        made = samples(stored=True)
        shape = (len(made), 15, S, S)
        maps = torch.from_numpy(rng.integers(0, 256, shape, np.uint8))
        return [dataclasses.replace(one, maps=own) for one, own in zip(made, maps, strict=True)]
    made = []
    for number, one in enumerate(samples((2, 3, 2, 4, 2))):
        names = ("abc"[number % 3], "abc"[(number + 1) % 3])
        told = [
            dataclasses.replace(track, target=names[i % 2]) for i, track in enumerate(one.tracks)
        ]
        made.append(dataclasses.replace(one, tracks=tuple(told)))
    return made


def assert_same(made, config):
    """Compare two epochs; 1e-3 of a map is a quarter of a gray level of a stored one."""
    on_device = Resident(made, config, CPU)
    for step in range(3):
        expected, found = training_batch(made, config, step), on_device.batch(step)
        assert found.ids == expected.ids
        assert torch.equal(found.images, expected.images)
        assert found.maps.dtype == torch.float32
        torch.testing.assert_close(found.maps, expected.maps, atol=1e-3, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["maps.by=time", "maps.ratios=[.2,.5,1]", "maps.levels=3"],
        ["maps.duration_exponent=.5", "maps.max_saccade=.4"],
    ],
)
def test_maps_rendered_on_the_device(kind, settings):
    assert_same(
        samples(), load_config("tiny", overrides=RECIPE | {"maps.kind": kind}, settings=settings)
    )


@pytest.mark.parametrize(
    "settings", [["maps.truncation=head"], ["maps.truncation=shuffled"], ["maps.kind=hull"]]
)
def test_what_is_rendered_by_the_toolkit_alone(settings):
    assert_same(samples(), load_config("tiny", overrides=RECIPE, settings=settings))


def test_stored_maps():
    assert_same(samples(stored=True), load_config("tiny", overrides=RECIPE))


def test_a_gpu_holds_the_data_where_they_take_a_quarter_of_what_is_free(monkeypatch):
    made, gpu = samples(stored=True), SimpleNamespace(type="cuda")
    size = 5 * 7 * S * S
    for free, fits in ((4 * size, True), (4 * size - 1, False)):
        monkeypatch.setattr(
            torch.cuda, "mem_get_info", lambda _device, free=free: (free, 10 * size)
        )
        assert lies_on_device(made, load_config("tiny"), gpu) == fits
    assert not lies_on_device(made, load_config("tiny"), CPU)
    assert not lies_on_device(made, load_config("tiny", settings=["cache=host"]), gpu)
    assert lies_on_device(made, load_config("tiny", settings=["cache=device"]), CPU)


def test_threads_prepare_what_is_made_in_memory_alone():
    config = load_config("tiny", overrides=RECIPE | {"workers": 3})
    make, ahead = batch_maker(samples(), config, CPU)
    assert ahead == 3
    stream = batches(make, ahead, first=2)
    assert torch.equal(next(stream).maps, training_batch(samples(), config, 2).maps)
    stream.close()
    assert (
        batch_maker(
            samples(), load_config("tiny", overrides={"workers": 3, "cache": "device"}), CPU
        )[1]
        == 0
    )


def test_a_run_with_its_data_on_the_device_learns_the_same(data_folder, tmp_path, monkeypatch):
    losses, data = {}, None
    for cache in ("host", "device"):
        config = load_config("tiny", overrides=TINY | {"cache": cache, "maps.kind": "density"})
        data = data or load_data(discover(data_folder), config)
        if cache == "device":
            monkeypatch.setattr(resident, "training_batch", None)  # nothing is made in memory
        train(config, data, tmp_path / cache)
        rows = csv.DictReader((tmp_path / cache / "metrics.csv").read_text().splitlines())
        losses[cache] = [float(row["loss"]) for row in rows]
    assert len(losses["host"]) == TINY["steps"]
    np.testing.assert_allclose(losses["device"], losses["host"], rtol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [[f"maps.kind={kind}"] for kind in KINDS]
    + [
        ["maps.kind=hull"],
        ["stored"],
        ["method=gazemedseg"],
        ["loss.ignore_band=.1", "loss.bootstrap=.2"],
        ["optimizer.name=sgd", "ema=.9"],
        ["accumulate=2"],
        ["model.encoder=lite", "model.pretrained=false"],
        ["model.encoder=dinov2", "model.pretrained=false"],
        ["model.gates=true", "model.heads=2", "loss.thresholds=[.4,.6]"],
    ],
)
def test_a_whole_step_waits_for_nothing(settings, monkeypatch):
    """A step, batch making included, leaves nothing in memory and asks a device for no number.

    The device "meta" holds no values: like a GPU it refuses what mixes devices, and it cannot
    answer at all."""
    monkeypatch.setattr(learner, "pick_device", lambda _name: torch.device("meta"))
    stored = settings == ["stored"]
    config = load_config("tiny", overrides=RECIPE, settings=[] if stored else settings)
    learning = learner.Learner(config)
    make = Resident(samples(stored=stored), config, learning.device).batch
    for step in (1, 2):
        parts = [make(step * config.accumulate + i) for i in range(config.accumulate)]
        assert {parts[0].images.device, parts[0].maps.device} == {learning.device}
        assert (parts[0].images.shape, parts[0].maps.shape[2:]) == ((4, 3, S, S), (S, S))
        monkeypatch.setattr(
            learner._Taken, "row", lambda taken: taken
        )  # what is read, is read a step later
        assert [taken.step for taken in learning.advance(step, parts)] == [1][: step - 1]
    heads = [module for name, module in learning.model.named_modules() if name.endswith("head")]
    assert len(heads) == config.model.networks
    assert all(head.weight.grad is not None for head in heads)


@pytest.mark.parametrize("kind", KINDS)
def test_maps_of_classes_rendered_on_the_device(kind):
    overrides = RECIPE | {"maps.kind": kind}
    assert_same(samples_of_classes(), load_config("tiny", overrides=overrides, settings=CLASSES))


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("heads", ["softmax", "independent"])
def test_a_whole_step_of_several_classes_waits_for_nothing(heads, stored, monkeypatch):
    monkeypatch.setattr(learner, "pick_device", lambda _name: torch.device("meta"))
    overrides = RECIPE | {"classes.heads": heads}
    config = load_config("tiny", overrides=overrides, settings=CLASSES)
    learning = learner.Learner(config)
    make = Resident(samples_of_classes(stored=stored), config, learning.device).batch
    for step in (1, 2):
        parts = [make(step)]
        assert parts[0].maps.device == learning.device
        assert parts[0].maps.shape == (4, 3 * 5, S, S)
        monkeypatch.setattr(learner._Taken, "row", lambda taken: taken)
        assert [taken.step for taken in learning.advance(step, parts)] == [1][: step - 1]
    assert learning.model.head.weight.grad.shape[0] == 3


def test_what_asks_a_device_for_a_number_is_found(monkeypatch):
    monkeypatch.setattr(learner, "pick_device", lambda _name: torch.device("meta"))
    config = load_config("tiny", overrides=RECIPE)
    learning = learner.Learner(config)
    batch = Resident(samples(), config, learning.device).batch(0)
    learning.advance(1, [batch])
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        learning.rest()


def test_batches_are_made_beside_the_steps(monkeypatch):
    """What a stream of a GPU is told, in which order; that it then does so takes a GPU to see."""
    told = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            told.append(f"{self.name} waits for {other.name}")

    class Made:
        def record_stream(self, stream):
            told.append(f"memory kept for {stream.name}")

    steps, at_work = Stream("steps"), []
    monkeypatch.setattr(torch.cuda, "Stream", lambda _device: Stream("batches"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _device: steps)

    @contextlib.contextmanager
    def stream(one):
        at_work.append(one.name)
        yield
        at_work.pop()

    monkeypatch.setattr(torch.cuda, "stream", stream)

    def make(step):
        told.append(f"{step} made on {at_work[-1]}")
        return Batch(Made(), Made(), ())

    made = beside(make, torch.device("cuda"))
    assert told == ["batches waits for steps"]  # the data set has to be there
    made(7)
    assert told[1:] == [
        "7 made on batches",
        "steps waits for batches",
        "memory kept for steps",
        "memory kept for steps",
    ]
