"""A run that is being replaced stands until the new one has saved something, or stands again."""

from __future__ import annotations

import csv
import dataclasses
import errno
import os

import pytest

from gazetrack.errors import OutputError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training import replaced
from gradtrack_model.training.loop import train
from gradtrack_model.training.run_folder import _RUN_FILES
from gradtrack_model.weights.checkpoint import load_model
from tests.faults import Calls, as_left_by_the_dead, restore, spread, tree
from tests.synthetic import TINY, write_data

SMALL = {"image_size": 32, "model.widths": [8] * 6, "steps": 2, "val_every": 1, "log_every": 1}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A configuration, its data, and the files of a run of it."""
    folder = tmp_path_factory.mktemp("replaced")
    config = load_config("tiny", overrides=TINY | SMALL | {"tensorboard": False})
    data = load_data(discover(write_data(folder / "data")), config)
    train(config, data, folder / "run")
    return config, data, tree(folder / "run")


def results(folder):
    """The networks and the log of a run, but for the time it took."""
    with (folder / "metrics.csv").open() as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    return rows, (folder / "best.safetensors").read_bytes()


def test_at_every_moment_one_of_both_runs_is_whole_and_found(study, tmp_path):
    config, data, old = study
    other = dataclasses.replace(config, seed=1)
    run, killed = tmp_path / "run", tmp_path / "killed"
    for folder in (run, killed):
        folder.mkdir()
    restore(old, run)
    expected = [results(run)]
    left = []
    with Calls(run, lambda n, call, when: left.append((call, when, tree(run)))):
        train(other, data, run, force=True)
    expected.append(results(run))
    assert "replaced" not in tree(run)
    assert expected[0] != expected[1]
    for number, (call, when, files) in enumerate(spread(left, 40)):
        restore(as_left_by_the_dead(files), killed)
        resumed = {0: config, 1: other}[load_model(killed).config.seed]
        if number % 4 == 0:
            train(resumed, data, killed, resume=True)
            assert results(killed) == expected[resumed.seed], (call, when)
            assert not (killed / "replaced").exists()


def test_the_old_run_is_back_where_the_new_one_fails_before_it_saved(study, tmp_path):
    config, data, old = study
    restore(old, tmp_path)

    def report(_progress):
        raise OSError("before anything was saved")

    with pytest.raises(OSError, match="before anything"):
        train(dataclasses.replace(config, seed=1), data, tmp_path, force=True, report=report)
    assert tree(tmp_path) == old


def test_a_network_is_found_while_it_is_replaced(study, tmp_path):
    _, _, old = study
    restore(old, tmp_path)
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert not (tmp_path / "best.safetensors").exists()
    for path in (tmp_path, tmp_path / "best.safetensors"):
        assert load_model(path).path == tmp_path / "replaced" / "best.safetensors"


def test_what_is_no_file_of_a_run_stays(study, tmp_path):
    _, _, old = study
    restore(old, tmp_path)
    (tmp_path / "notes.md").write_text("mine")
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert (tmp_path / "notes.md").read_text() == "mine"
    replaced.put_back(tmp_path, _RUN_FILES)
    assert tree(tmp_path) == old | {"notes.md": b"mine"}
    replaced.put_back(tmp_path, _RUN_FILES)  # nothing is there to be put back
    assert tree(tmp_path) == old | {"notes.md": b"mine"}


def test_where_there_are_no_links_files_are_copied(study, tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.EPERM, "not permitted")

    _, _, old = study
    restore(old, tmp_path)
    monkeypatch.setattr(os, "link", link)
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert load_model(tmp_path).path.parent.name == "replaced"
    replaced.put_back(tmp_path, _RUN_FILES)
    assert tree(tmp_path) == old


def test_a_full_disk_leaves_the_old_run_where_it_was(study, tmp_path, monkeypatch):
    def link(*_):
        raise OSError(errno.ENOSPC, "no space left")

    _, _, old = study
    restore(old, tmp_path)
    (tmp_path / "states" / "00000001.json.damaged").mkdir()  # as one is left that lay in the way
    monkeypatch.setattr(os, "link", link)
    with pytest.raises(OutputError, match="no space left"):
        replaced.set_aside(tmp_path, _RUN_FILES)
    assert {name: data for name, data in tree(tmp_path).items() if "damaged" not in name} == old
    monkeypatch.undo()
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert load_model(tmp_path).path.parent.name == "replaced"
