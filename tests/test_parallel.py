"""Two processes under torchrun take the steps of one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training.loop import train
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import TINY

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from gradtrack_model.settings import load_config
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.training.loop import train
from tests.synthetic import TINY
config = load_config("tiny", overrides=TINY | {"optimizer.name": "sgd"})
train(config, load_data(discover(Path(sys.argv[1])), config), Path(sys.argv[2]))
"""


def test_two_processes_are_one(data_folder, tmp_path):
    # Not AdamW: its first steps are the sign of the gradient, which rounding changes where it is
    # almost 0.
    config = load_config("tiny", overrides=TINY | {"optimizer.name": "sgd"})
    train(config, load_data(discover(data_folder), config), tmp_path / "one")
    (tmp_path / "two.py").write_text(SCRIPT)
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
    ]
    arguments = [str(tmp_path / "two.py"), str(data_folder), str(tmp_path / "two")]
    path = os.pathsep.join([str(Path.cwd()), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    command = [*launch, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (load_model(tmp_path / name / "last.safetensors") for name in ("one", "two"))
    assert one.step == two.step
    weights = two.model.state_dict()
    for key, value in one.model.state_dict().items():
        assert (weights[key] - value).abs().max() < 1e-5, key
    assert one.metrics["val_dice"] == pytest.approx(two.metrics["val_dice"], abs=1e-5)


def test_a_batch_must_be_shared_evenly(data_folder, config, monkeypatch):
    data = load_data(discover(data_folder), config)
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ConfigError, match="batch_size 4 on 3 processes"):
        train(dataclasses.replace(config, batch_size=4), data, data_folder / "run")
