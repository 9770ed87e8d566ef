"""A run that was interrupted and resumed is the run that was not, bit for bit."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.config import load_config
from gradtrack_model.data import discover, load_data
from gradtrack_model.optim import average_in
from gradtrack_model.train import build_model, train
from tests.model.synthetic import TINY

STEPS = 20
SETTINGS = ["image_size=32", "ema=0.9", "augment.rotate=10.0", "log_every=3"]


class Killed(Exception):
    """In place of a kill: nothing is saved any more."""


@pytest.fixture
def long():
    return load_config("tiny", None, SETTINGS, TINY | {"steps": STEPS, "val_every": 4})


def result_of(folder):
    """Return all that a run leaves but the time it took."""
    weights = {name: (folder / f"{name}.safetensors").read_bytes() for name in ("best", "last")}
    facts = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("best", "last")}
    with (folder / "metrics.csv").open() as file:
        rows = [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]
    return weights, facts, rows


def interrupted(config, data, folder, step, how):
    def report(progress):
        if progress.step == step:
            how()

    return train(config, data, folder, resume=(folder / "state.json").exists(), report=report)


def kill():
    raise Killed


def stop():
    os.kill(os.getpid(), signal.SIGTERM)


def test_interrupted_at_any_step(data_folder, tmp_path, long):
    data = load_data(discover(data_folder), long)
    train(long, data, tmp_path / "whole")
    expected = result_of(tmp_path / "whole")
    for step in range(1, STEPS + 1):
        folder = tmp_path / f"killed-{step}"
        with pytest.raises(Killed):
            interrupted(long, data, folder, step, kill)
        if not (folder / "state.json").exists():  # killed before the first state: there is nothing to resume
            assert step < long.val_every + 1
            continue
        train(long, data, folder, resume=True)
        assert result_of(folder) == expected, f"killed after step {step}"


def test_stopped_by_a_signal_twice(data_folder, tmp_path, long):
    data = load_data(discover(data_folder), long)
    train(long, data, tmp_path / "whole")
    folder = tmp_path / "stopped"
    assert interrupted(long, data, folder, 2, stop).stopped_by == signal.SIGTERM
    assert (folder / "best.safetensors").exists()
    second = interrupted(long, data, folder, 9, stop)
    assert (second.step, second.stopped_by) == (10, signal.SIGTERM)
    train(long, data, folder, resume=True)
    assert result_of(folder) == result_of(tmp_path / "whole")
    assert [path.name for path in folder.glob("state-*")] == [f"state-{STEPS}.safetensors"]
    again = train(long, data, folder, resume=True)
    assert (again.step, again.stopped_by) == (STEPS, None)
    assert result_of(folder) == result_of(tmp_path / "whole")


def test_a_killed_process(data_folder, tmp_path, long):
    train(long, load_data(discover(data_folder), long), tmp_path / "whole")
    others = {key: value for key, value in TINY.items() if key in ("tensorboard", "batch_size")}
    settings = [f"--set={setting}" for setting in SETTINGS]
    settings += [f"--set={key}={json.dumps(value)}" for key, value in others.items()]
    settings += ["--steps", str(STEPS), "--set=val_every=4", "--preset", "tiny", "-o", str(tmp_path / "run")]
    code = "import torch; torch.set_num_threads(1); from gazetrack_cli.model_commands import train_main; train_main()"
    command = [sys.executable, "-c", code, "--data", str(data_folder), *settings]
    process = subprocess.Popen([*command, "-q"], cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "run" / "state.json").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    subprocess.run([*command, "--resume", "-q"], cwd=tmp_path, check=True)
    assert result_of(tmp_path / "run") == result_of(tmp_path / "whole")


def test_what_cannot_be_resumed_is_refused(data_folder, tmp_path, config):
    data = load_data(discover(data_folder), config)
    with pytest.raises(CheckpointError, match="holds no run to resume"):
        train(config, data, tmp_path / "none", resume=True)
    folder = tmp_path / "run"
    train(config, data, folder)
    with pytest.raises(ConfigError, match="steps was 6, now 9"):
        train(dataclasses.replace(config, steps=9), data, folder, resume=True)
    with pytest.raises(ConfigError, match="other images"):
        train(config, dataclasses.replace(data, train=data.train[1:]), folder, resume=True)
    train(dataclasses.replace(config, workers=2), data, folder, resume=True)
    (folder / "state-6.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="SHA-256"):
        train(config, data, folder, resume=True)
    (folder / "state.json").write_text("{}")
    with pytest.raises(CheckpointError, match="damaged"):
        train(config, data, folder, resume=True)


def test_the_average_of_the_weights(config):
    model, average = build_model(config), build_model(dataclasses.replace(config, seed=1))
    before = [p.clone() for p in average.parameters()]
    average_in(average, model, 0.5, step=1000)
    for old, new, mean in zip(before, model.parameters(), average.parameters(), strict=True):
        torch.testing.assert_close(mean, (old + new) / 2)


def test_frozen_blocks_stay(data_folder, tmp_path):
    settings = ["model.encoder=lite", "model.widths=[16, 16, 16, 16]", "optimizer.frozen_blocks=3"]
    config = load_config("tiny", None, settings, {"image_size": 64, "steps": 2, "tensorboard": False})
    start = build_model(config).state_dict()
    result = train(config, load_data(discover(data_folder), config), tmp_path / "run")
    from gradtrack_model.checkpoint import load_model

    weights = load_model(result.folder).model.state_dict()
    changed = {key for key, value in weights.items() if not torch.equal(value, start[key])}
    trained = {key for key in changed if key.endswith("conv.weight") and key.startswith("encoder.")}
    assert trained
    assert not [key for key in trained if key.startswith(("encoder.stem", *(f"encoder.blocks.{k}." for k in range(3))))]
