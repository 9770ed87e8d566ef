"""What a run will take is said before it is begun."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch
from click.testing import CliRunner

from gazetrack.errors import ConfigError
from gazetrack_cli import train as cli
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.network import pretrained
from gradtrack_model.settings import load_config
from gradtrack_model.training.learner import Learner
from gradtrack_model.training.preflight import check_machine, plan


def test_a_dry_run_writes_nothing(data_folder, config):
    before = sorted(data_folder.rglob("*"))
    planned = plan(config, load_data(discover(data_folder), config))
    assert (planned["training_images"], planned["epochs"], planned["validations"]) == (5, 4.8, 2)
    assert planned["expected_seconds"] == pytest.approx(
        config.steps * planned["step_seconds"], abs=0.1
    )
    arguments = [
        "--data",
        str(data_folder),
        "--preset",
        "tiny",
        "--image-size",
        "64",
        "--dry-run",
        "-q",
    ]
    ran = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert ran.return_value == 0
    assert "expected seconds" in ran.stdout
    assert re.search(r"^memory +[\d,]+\.\d MB$", ran.stdout, re.MULTILINE)
    assert re.search(r"^disk +[\d,]+\.\d MB$", ran.stdout, re.MULTILINE)
    assert sorted(data_folder.rglob("*")) == before


def test_memory_holds_images_and_activations(data_folder, config):
    data = load_data(discover(data_folder), config)
    memory = {
        size: plan(dataclasses.replace(config, batch_size=size), data)["memory_bytes"]
        for size in (2, 4, 8)
    }
    an_image = (memory[8] - memory[4]) / 4
    # What the network keeps of an image, beside the image and its maps: the features before and
    # after each of the two normalisations at the image's own size alone are more than this.
    pixels = 64 * 64
    assert an_image > pixels * 4 * (3 + 4 + 4 * config.model.widths[0])
    assert memory[4] - memory[2] == pytest.approx(2 * an_image, rel=1e-3)
    # The rest does not depend on the batch: weights, gradients, two moments, and the data set.
    learner = Learner(config)
    weights = sum(p.nbytes for p in learner.model.parameters())
    images = sum(a.nbytes for s in (*data.train, *data.val) for a in s.arrays())
    rest = memory[8] - 8 * an_image
    assert rest == pytest.approx(4 * weights + images, rel=0.1)


def test_accumulated_batches_wait_in_memory(data_folder, config):
    data = load_data(discover(data_folder), config)
    one = plan(dataclasses.replace(config, batch_size=2), data)["memory_bytes"]
    three = plan(dataclasses.replace(config, batch_size=2, accumulate=3), data)["memory_bytes"]
    assert three - one == 2 * 2 * 64 * 64 * 4 * (3 + config.maps.levels)


def check(config):
    check_machine(config.device, config.model, config.optimizer)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"device": "cuda"}, "device 'cuda' is not there"),
        ({"model.encoder": "lite2"}, "the ImageNet weights of lite2 are not installed"),
        ({"model.encoder": "lite", "optimizer.frozen_blocks": 99}, "frozen_blocks"),
    ],
)
def test_what_the_machine_lacks_is_said(settings, says, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    real = pretrained.importlib.import_module

    def without_lite2(name, *arguments):
        if "lite2" in name:
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(pretrained.importlib, "import_module", without_lite2)
    with pytest.raises(ConfigError, match=says):
        check(load_config("tiny", overrides=settings))


def test_what_the_machine_has_is_no_trouble(config):
    check(config)
