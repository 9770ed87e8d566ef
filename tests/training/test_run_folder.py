"""The run folder: which step is the best, what is kept of a run, and who may work in it."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil

import pytest

from gazetrack.errors import LockedError, OutputError
from gradtrack_model import parallel
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training import run_log
from gradtrack_model.training.best import BY_DICE
from gradtrack_model.training.loop import build_model, train
from gradtrack_model.training.run_folder import Run
from gradtrack_model.weights.checkpoint import load_model
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

    monkeypatch.setattr(run_log, "write_text", write_text)
    told = []
    done = train(config, data, tmp_path, report=lambda progress: told.extend(progress.notes))
    assert done.step == 4
    what = "cannot be written: No space left on device"
    assert told == [f"logs cannot be written ({what}): the run goes on without them"]
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
    # What failed has let go of the lock.
    assert train(config, data, tmp_path, force=True).step == 4


def test_what_a_run_leaves(run_folder):
    folder = run_folder / "runs" / "gradtrack"
    networks = {f"{name}.{kind}" for name in ("best", "last") for kind in ("json", "safetensors")}
    others = {"metrics.csv", "log.txt", "splits.json", "settings.toml", "states"}
    assert {path.name for path in folder.iterdir()} == networks | others
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [bool(row["val_dice"]) for row in rows] == [False, False, True, False, False, True]
    facts = json.loads((folder / "best.json").read_text())
    assert (facts["protocol"], facts["metrics"]["selected_by"]) == ("clean", BY_DICE)
    log = (folder / "log.txt").read_text()
    assert "chosen by validation Dice" in log
    assert "gradtrack: Track Attention; 4 levels (tail by count); cross-entropy + Dice" in log
    assert (facts["computed"]["method"], facts["computed"]["decoder"]) == (
        "gradtrack",
        "Track Attention",
    )
    # The run's own device says what "auto" was.
    assert facts["config"]["precision"] == "auto"
    assert facts["metrics"]["precision"] in ("fp32", "bf16")


def test_a_run_is_not_replaced_by_accident(run_folder, config, tmp_path):
    data = load_data(discover(run_folder), config)
    shutil.copytree(run_folder / "runs" / "gradtrack", tmp_path / "run")
    with pytest.raises(OutputError, match=r"already holds a run.*--force"):
        train(config, data, tmp_path / "run")
    (tmp_path / "run" / "mine.txt").write_text("kept")
    train(dataclasses.replace(config, steps=1), data, tmp_path / "run", force=True)
    assert load_model(tmp_path / "run").step == 1
    assert (tmp_path / "run" / "mine.txt").exists()


def test_who_is_not_the_first_process_writes_nothing(config, data, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "is_first", lambda: False)
    folder = tmp_path / "run"
    run = Run(folder, config, data)
    model = build_model(config)
    assert run.save_if_finite("last", model, 2)
    run.save_state(2, learner=None)  # which is not looked at
    run._extend(2, planned=2)
    assert run.extended == [{"planned": 2, "after": 2, "steps": 4}]
    assert run.end(2, None).step == 2
    run.close()
    assert not folder.exists()


def test_a_hopeless_run_is_over_and_says_why(config, data, tmp_path):
    run = Run(tmp_path, config, data)
    try:
        verdicts = ["", "given up: worse than all others"]
        run.hopeless = lambda rows: verdicts.pop(0)
        assert not run.over(1)
        assert run.over(2)
        assert run.end(2, None).given_up == "given up: worse than all others"
        assert "given up: worse than all others" in run.take_notes()
    finally:
        run.close()


def test_a_board_is_begun_with_the_run(config, data, tmp_path):
    pytest.importorskip("tensorboard")
    run = Run(tmp_path, dataclasses.replace(config, tensorboard=True), data)
    run.close()
    assert any((tmp_path / "tensorboard").iterdir())


def test_a_stop_between_validations_leaves_the_best_network_as_it_is(config, data, tmp_path):
    run = Run(tmp_path, config, data)
    try:
        model = build_model(config)
        # Before anything was validated, what there is is the best.
        run.save_stopped(model, 1, {"val_dice": 0.25})
        assert (load_model(tmp_path).step, run.best.step) == (1, 1)
        run.save_stopped(model, 2, {"val_dice": 0.5})
        assert load_model(tmp_path / "last.safetensors").step == 2
        assert (load_model(tmp_path).step, run.best.measured) == (1, {"val_dice": 0.25})
    finally:
        run.close()
