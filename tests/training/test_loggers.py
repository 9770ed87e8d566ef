"""MLflow and Weights & Biases: what they are told, and that their trouble ends no run.

Neither is installed with the tests: stand-ins take the calls of their documented interfaces. Where
MLflow is installed, its own store is read back.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import signal
import sys
from types import ModuleType, SimpleNamespace

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training.loggers import check_loggers, open_loggers
from gradtrack_model.training.loop import train


class MLflow:
    """What a server of MLflow would have, by run."""

    def __init__(self):
        self.experiments = {}
        self.runs = {}

    def client(self):
        return self

    def get_experiment_by_name(self, name):
        number = self.experiments.get(name)
        return None if number is None else SimpleNamespace(experiment_id=number)

    def create_experiment(self, name):
        self.experiments[name] = str(len(self.experiments))
        return self.experiments[name]

    def create_run(self, experiment_id, run_name):
        number = f"run{len(self.runs)}"
        facts = {"experiment": experiment_id, "name": run_name, "metrics": [], "parameters": {}}
        self.runs[number] = facts | {"status": "RUNNING", "tags": {}}
        return SimpleNamespace(info=SimpleNamespace(run_id=number))

    def update_run(self, run_id, status):
        self.runs[run_id]["status"] = status

    def log_batch(self, run_id, metrics=(), params=(), tags=()):
        assert len(params) <= 100
        run = self.runs[run_id]
        run["metrics"] += [(m.step, m.key, m.value) for m in metrics]
        run["parameters"] |= {p.key: p.value for p in params}
        run["tags"] |= {t.key: t.value for t in tags}

    def set_terminated(self, run_id, status):
        self.runs[run_id]["status"] = status


@pytest.fixture
def mlflow(monkeypatch):
    server = MLflow()
    package, entities, tracking = (ModuleType(f"mlflow{n}") for n in ("", ".entities", ".tracking"))
    entities.Metric = lambda key, value, timestamp, step: SimpleNamespace(
        key=key, value=value, timestamp=timestamp, step=step
    )
    entities.Param = entities.RunTag = lambda key, value: SimpleNamespace(key=key, value=value)
    tracking.MlflowClient = server.client
    for module in (package, entities, tracking):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME", raising=False)
    return server


@pytest.fixture
def wandb(monkeypatch):
    runs = []

    class Run:
        def __init__(self, **given):
            self.given = given
            self.id = given["id"] or f"id{len(runs)}"
            self.rows, self.exit_code = [], None
            runs.append(self)

        def log(self, row, step):
            self.rows.append((step, row))

        def finish(self, exit_code):
            self.exit_code = exit_code

    package = ModuleType("wandb")
    package.init = Run
    package.Settings = lambda **given: given
    monkeypatch.setitem(sys.modules, "wandb", package)
    return runs


@pytest.fixture
def data(data_folder, config):
    return load_data(discover(data_folder), config)


def logging_to(config, *names):
    return dataclasses.replace(config, loggers=names)


def test_mlflow_is_told_settings_and_numbers_and_how_it_ended(mlflow, data, config, tmp_path):
    config = logging_to(config, "mlflow")
    train(config, data, tmp_path / "run")
    ((number, run),) = mlflow.runs.items()
    assert mlflow.experiments == {"gradtrack": "0"}
    assert (run["name"], run["status"]) == ("run", "FINISHED")
    assert run["parameters"]["optimizer.lr"] == str(config.optimizer.lr)
    assert run["parameters"]["steps"] == "6"
    steps = [step for step, name, _ in run["metrics"] if name == "loss"]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert {step for step, name, _ in run["metrics"] if name == "val_dice"} == {3, 6}
    # Nothing of the data: neither names of images nor folders.
    said = json.dumps(run)
    assert not any(sample.image_id in said for sample in (*data.train, *data.val))
    assert str(tmp_path) not in said
    assert json.loads((tmp_path / "run" / "loggers.json").read_text()) == {"mlflow": number}


def test_a_run_that_is_stopped_and_resumed_is_one_run_there(mlflow, wandb, data, config, tmp_path):
    config = logging_to(config, "mlflow", "wandb")

    def stop(progress):
        if progress.step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    train(config, data, tmp_path / "run", report=stop)
    assert [run["status"] for run in mlflow.runs.values()] == ["KILLED"]
    assert [run.exit_code for run in wandb] == [1]
    train(config, data, tmp_path / "run", resume=True)
    assert [run["status"] for run in mlflow.runs.values()] == ["FINISHED"]
    assert [(run.id, run.exit_code) for run in wandb] == [("id0", 1), ("id0", 0)]
    assert [step for run in wandb for step, _ in run.rows] == [1, 2, 3, 4, 5, 6]


def test_wandb_is_told_the_same(wandb, data, config, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "polyps")
    train(logging_to(config, "wandb"), data, tmp_path / "run")
    (run,) = wandb
    assert (run.given["project"], run.given["name"]) == ("polyps", "run")
    assert run.given["dir"] == str(tmp_path / "run")
    assert run.given["config"]["optimizer.lr"] == config.optimizer.lr
    assert (run.rows[2][0], set(run.rows[2][1]) >= {"loss", "val_dice", "lr"}) == (3, True)


def test_the_trouble_of_a_logger_ends_no_run(mlflow, wandb, data, config, tmp_path, monkeypatch):
    def refused(*_, **__):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(mlflow, "create_experiment", refused)
    notes = []
    config = logging_to(config, "mlflow", "wandb")
    done = train(config, data, tmp_path / "run", report=lambda p: notes.extend(p.notes))
    assert done.step == 6
    assert [note for note in notes if "mlflow" in note] == [
        "mlflow does not log (ConnectionError: no route to host): the run goes on without it"
    ]
    assert len(wandb[0].rows) == 6  # the other one is told everything


def test_a_logger_that_is_not_installed_is_said_before_any_work(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ConfigError, match=r"mlflow is not installed.*pip install mlflow"):
        check_loggers(["mlflow"])
    check_loggers([])
    with pytest.raises(ConfigError, match="loggers"):
        load_config(settings=["loggers=neptune"])
    assert load_config(settings=["loggers=mlflow"]).loggers == ("mlflow",)


def test_loggers_change_nothing_of_a_run(wandb, data, config, tmp_path):
    train(config, data, tmp_path / "without")
    train(logging_to(config, "wandb"), data, tmp_path / "with")
    names = ("last.safetensors", "best.safetensors")
    for name in names:
        one, other = (tmp_path / each / name for each in ("with", "without"))
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.filterwarnings("ignore")  # of its own packages
@pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None or importlib.util.find_spec("sqlalchemy") is None,
    reason="needs MLflow with its own store: pip install mlflow",
)
def test_a_real_store_of_mlflow_is_read_back(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    from mlflow.tracking import MlflowClient

    for rows in ({1: 0.5, 2: 0.25}, {3: 0.125}):
        (logger,) = open_loggers(["mlflow"], tmp_path, {"optimizer.lr": 0.001})
        for step, loss in rows.items():
            logger.add(step, {"loss": loss, "val_loss": float("inf")})
        logger.close()
        assert logger.failed == ""
    client = MlflowClient()
    (run,) = client.search_runs([client.get_experiment_by_name("gradtrack").experiment_id])
    assert run.data.params == {"optimizer.lr": "0.001"}
    assert run.info.status == "FINISHED"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(one.step, one.value) for one in history] == [(1, 0.5), (2, 0.25), (3, 0.125)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="needs: pip install wandb")
def test_the_real_wandb_writes_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    (logger,) = open_loggers(["wandb"], tmp_path, {"optimizer.lr": 0.001})
    logger.add(1, {"loss": 0.5})
    logger.close()
    assert logger.failed == ""
    assert list((tmp_path / "wandb").glob("offline-run-*/*.wandb"))
