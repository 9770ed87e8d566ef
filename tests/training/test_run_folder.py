"""The run folder: which step is the best, what is kept of a run, and who may work in it."""

from __future__ import annotations

import os

import pytest

from gazetrack.errors import LockedError, OutputError
from gradtrack_model.data.sources import discover, load_data
from gradtrack_model.settings import load_config
from gradtrack_model.training import run_folder
from gradtrack_model.training.loop import train
from tests.synthetic import write_data

SETTINGS = {
    "image_size": 32,
    "steps": 4,
    "val_every": 2,
    "log_every": 1,
    "batch_size": 2,
    "tensorboard": False,
}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "data")


@pytest.fixture(scope="module")
def config():
    return load_config("tiny", overrides=SETTINGS)


@pytest.fixture(scope="module")
def data(data_folder, config):
    return load_data(discover(data_folder), config)


def test_logs_that_cannot_be_written_are_one_warning(config, data, tmp_path, monkeypatch):
    def write_text(path, text):
        raise OutputError("cannot be written: No space left on device", path=path)

    monkeypatch.setattr(run_folder, "write_text", write_text)
    told = []
    done = train(config, data, tmp_path, report=lambda progress: told.extend(progress.notes))
    assert done.step == 4
    assert told == [
        "logs cannot be written (cannot be written: No space left on device): the run goes on without them"
    ]
    assert (tmp_path / "last.safetensors").exists()


def test_two_trainers_never_share_a_folder(
    config, data, tmp_path, data_folder, monkeypatch, capsys
):
    fcntl = pytest.importorskip("fcntl")
    from tests.cli.test_model_commands import code_and_error

    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    with pytest.raises(LockedError, match="another trainer works in this folder"):
        train(config, data, tmp_path, force=True)
    assert list(tmp_path.iterdir()) == []
    line = f"gradtrack-train --data {data_folder} -o {tmp_path} --preset tiny --steps 1 -q"
    code, error = code_and_error(line, monkeypatch, capsys)
    assert code == 7
    assert error.count("\n") == 1
    os.close(holder)
    assert train(config, data, tmp_path).step == 4
    with pytest.raises(OutputError, match="already holds a run"):
        train(config, data, tmp_path)
    assert (
        train(config, data, tmp_path, force=True).step == 4
    )  # and what failed has let go of the lock
