"""What runs beside training: logs that cannot be written, other trainers, states that are not what they say."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os

import pytest
import torch
from safetensors.torch import load, save

from gazetrack.errors import CheckpointError, LockedError, OutputError
from gradtrack_model.data.sources import discover, load_data
from gradtrack_model.settings import load_config
from gradtrack_model.training import board
from gradtrack_model.training import run_folder as run
from gradtrack_model.training.loop import train
from gradtrack_model.training.resume import States
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


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("after", [0, 3])
def test_a_full_disk_under_tensorboard_is_a_warning(
    config, data, tmp_path, monkeypatch, capfd, after
):
    pytest.importorskip("tensorboard")
    from tensorboard.summary.writer.record_writer import RecordWriter

    written, write = [], RecordWriter.write

    def limited(self, record):
        written.append(record)
        return full() if len(written) > after else write(self, record)

    monkeypatch.setattr(RecordWriter, "write", limited)
    told = []
    config = dataclasses.replace(config, tensorboard=True)
    done = train(config, data, tmp_path, report=lambda progress: told.extend(progress.notes))
    assert done.step == 4
    assert told == [
        "TensorBoard's file cannot be written (No space left on device): the run goes on without it"
    ]
    assert told[0] in (tmp_path / "log.txt").read_text()
    assert len(written) == after + 1
    assert capfd.readouterr() == ("", "")


def test_tensorboard_reads_what_was_logged(config, data, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config = dataclasses.replace(config, tensorboard=True)
    train(config, data, tmp_path)
    found = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [event.step for event in found.Scalars("loss")] == [1, 2, 3, 4]
    assert {"lr", "val_dice", "seconds"} <= set(found.Tags()["scalars"])


def test_nothing_is_written_where_tensorboard_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorboard.compat", None)
    log = board.Board(tmp_path / "tensorboard")
    log.add(1, {"loss": 1.0})
    log.close()
    assert (log.failed, list(tmp_path.iterdir())) == ("", [])


def test_logs_that_cannot_be_written_are_one_warning(config, data, tmp_path, monkeypatch):
    def write_text(path, text):
        raise OutputError("cannot be written: No space left on device", path=path)

    monkeypatch.setattr(run, "write_text", write_text)
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


def rewrite(path, change):
    """Change the tensors or facts of a state, and its digest with them."""
    data = path.with_suffix(".safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    tensors, facts = load(data), json.loads(header["__metadata__"]["facts"])
    facts = change(tensors, facts) or facts
    data = save(tensors, {"facts": json.dumps(facts)})
    path.with_suffix(".safetensors").write_bytes(data)
    kept = json.loads(path.read_text()) | {"sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(json.dumps(kept))


def without(name):
    return lambda tensors, facts: (
        [tensors.pop(key) for key in list(tensors) if key.startswith(name)] and None
    )


def fact(**changes):
    return lambda tensors, facts: facts | changes


def resized(tensors, facts):
    name = next(key for key in tensors if key.startswith("model."))
    tensors[name] = torch.zeros(3)


def moments(tensors, facts):
    tensors["optimizer.99999.exp_avg"] = torch.zeros(3)


@pytest.mark.parametrize(
    "change",
    [
        without("model."),
        without("generator"),
        resized,
        moments,
        fact(config=[]),
        fact(config={"seed": "x"}),
        fact(rows=5),
        fact(rows=[1]),
        fact(best=None),
        fact(best_step="2"),
        fact(scaler=[]),
        fact(seconds="long"),
        lambda tensors, facts: [1],
    ],
)
def test_a_state_that_is_not_what_it_says_is_named(config, data, tmp_path, change):
    train(config, data, tmp_path)
    (state,) = States(tmp_path).paths
    rewrite(state, change)
    with pytest.raises(CheckpointError) as caught:
        train(config, data, tmp_path, resume=True)
    assert caught.value.path == tmp_path / "states"
    assert caught.value.hint
