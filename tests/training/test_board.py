"""TensorBoard's file: what is in it, and that one which cannot be written is a warning."""

from __future__ import annotations

import dataclasses
import errno
import os
import sys

import pytest

from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training.board import Board
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


def full_disk():
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
        return full_disk() if len(written) > after else write(self, record)

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
    monkeypatch.setitem(sys.modules, "tensorboard.compat", None)
    log = Board(tmp_path / "tensorboard")
    log.add(1, {"loss": 1.0})
    log.close()
    assert (log.failed, list(tmp_path.iterdir())) == ("", [])
