"""A run that is being replaced stands until the new one has saved something, or stands again."""

from __future__ import annotations

import csv
import dataclasses
import errno
import os

import pytest

from gazetrack.errors import OutputError
from gazetrack.publish import temporary_name
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


def files(folder):
    """The bytes of every file below a folder, whatever folders are there."""
    return {name: data for name, data in tree(folder).items() if data is not None}


def files_of(study):
    return {name: data for name, data in study[2].items() if data is not None}


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


@pytest.mark.parametrize(
    "mine",
    [
        {"replaced/notes.txt": "mine"},
        {"replaced/best.json": "mine", "replaced/states/1.json": "mine"},
        {"replaced/replaced.json": "mine"},
        {"replaced/replaced.json": '{"format": "gradtrack-replaced-1", "files": ["best.json"]}'},
        {"replaced/replaced.json": '{"format": "gradtrack-replaced-1", "files": 7}'},
        {"replaced/replaced.json": '{"format": "mine", "files": ["replaced.json"]}'},
        {"replaced/replaced.json": "[]"},
    ],
)
def test_a_folder_of_that_name_that_is_not_ours_counts_for_nothing_and_stays(study, tmp_path, mine):
    config, old = study[0], files_of(study)
    whole = old | {name: text.encode() for name, text in mine.items()}
    restore(whole, tmp_path)
    assert load_model(tmp_path).config.seed == config.seed
    assert load_model(tmp_path).path.parent == tmp_path
    replaced.put_back(tmp_path, _RUN_FILES)
    replaced.discard(tmp_path)
    assert files(tmp_path) == whole
    with pytest.raises(OutputError, match="replaced: is in the way"):
        replaced.set_aside(tmp_path, _RUN_FILES)
    assert files(tmp_path) == whole


def test_a_run_with_such_a_folder_is_gone_on_with_and_not_replaced(study, tmp_path):
    config, data, _ = study
    old = files_of(study)
    restore(old | {"replaced/notes.txt": b"mine"}, tmp_path)
    expected = results(tmp_path)
    train(config, data, tmp_path, resume=True)
    assert results(tmp_path) == expected
    with pytest.raises(OutputError, match="in the way"):
        train(config, data, tmp_path, force=True)
    assert results(tmp_path) == expected
    assert (tmp_path / "replaced" / "notes.txt").read_text() == "mine"


def test_an_empty_folder_of_that_name_is_no_run(study, tmp_path):
    old = files_of(study)
    restore(old, tmp_path)
    (tmp_path / "replaced").mkdir()
    assert load_model(tmp_path).path.parent == tmp_path
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == old
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert load_model(tmp_path).path.parent.name == "replaced"
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == old


def test_half_of_a_run_does_not_take_the_place_of_a_whole_one(study, tmp_path):
    old = files_of(study)
    restore(old, tmp_path)
    replaced.set_aside(tmp_path, _RUN_FILES)
    (tmp_path / "replaced" / "best.safetensors").unlink()
    restore(old | files(tmp_path), tmp_path)
    before = files(tmp_path)
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == before
    assert load_model(tmp_path).path.parent == tmp_path


def test_what_others_put_into_the_folder_stays(study, tmp_path):
    old = files_of(study)
    restore(old, tmp_path)
    replaced.set_aside(tmp_path, _RUN_FILES)
    (tmp_path / "replaced" / "mine").mkdir()
    (tmp_path / "replaced" / "mine" / "notes.txt").write_text("mine")
    replaced.discard(tmp_path)
    assert files(tmp_path) == {"replaced/mine/notes.txt": b"mine"}


def test_what_is_written_about_a_run_goes_and_comes_with_it(study, tmp_path):
    old = files_of(study)
    about = {"report.html": b"old", "best.temperature.json": b"{}"}
    restore(old | about, tmp_path)
    replaced.set_aside(tmp_path, _RUN_FILES)
    assert [name for name in files(tmp_path) if not name.startswith("replaced/")] == []
    (tmp_path / "report.html").write_text("new")
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == old | about
    replaced.set_aside(tmp_path, _RUN_FILES)
    replaced.discard(tmp_path)
    assert files(tmp_path) == {}


def test_what_one_that_was_killed_left_of_a_replaced_run_is_removed(study, tmp_path):
    old = files_of(study)
    restore(old, tmp_path)
    replaced.set_aside(tmp_path, _RUN_FILES)
    hidden = temporary_name("replaced")
    aside = {
        name.replace("replaced", hidden, 1): data
        for name, data in files(tmp_path).items()
        if name.startswith("replaced/")
    }
    left = as_left_by_the_dead(aside)
    replaced.discard(tmp_path)
    restore(old | left, tmp_path)
    assert len(files(tmp_path)) > len(old)
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == old


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


def test_a_disk_that_fails_while_a_replaced_run_is_removed_keeps_nothing_of_it(
    tmp_path, monkeypatch
):
    def full(_folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "best.json").write_text("{}")
    replaced.set_aside(tmp_path, ["best.json"])
    assert (tmp_path / "replaced" / "best.json").exists()
    monkeypatch.setattr(replaced, "sync_folder", full)
    with pytest.raises(OutputError, match="No space left"):
        replaced.discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_trainer_at_work_stays(tmp_path):
    mine = tmp_path / temporary_name("replaced") / "best.json"
    mine.parent.mkdir()
    mine.write_text("{}")
    replaced.put_back(tmp_path, _RUN_FILES)
    assert files(tmp_path) == {f"{mine.parent.name}/best.json": b"{}"}


def test_files_of_others_with_one_name_both_stay(tmp_path):
    (tmp_path / "best.json").write_text("{}")
    replaced.set_aside(tmp_path, ["best.json"])
    hidden = temporary_name("replaced")
    names = {name: name.replace("replaced", hidden, 1) for name in files(tmp_path)}
    aside = {names[name]: data for name, data in files(tmp_path).items()}
    left = as_left_by_the_dead(aside | {f"{hidden}/notes.txt": b"older"})
    replaced.discard(tmp_path)
    both = left | {"replaced/notes.txt": b"newer"}
    restore(both, tmp_path)
    replaced.put_back(tmp_path, ["best.json"])
    assert files(tmp_path) == both
