"""A run that is interrupted and resumed is the run that was not."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from gazetrack.errors import CheckpointError
from gradtrack_model import parallel
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training import loop as training
from gradtrack_model.training.loop import build_model, train
from gradtrack_model.training.optim import lr_share
from gradtrack_model.training.resume import KEPT, States, check_same, check_tensors
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import write_data

STEPS = 9
RECIPE = {
    "image_size": 32,
    "steps": STEPS,
    "val_every": 2,
    "log_every": 2,
    "batch_size": 2,
    "tensorboard": False,
    "ema": 0.9,
    "model.widths": [8] * 6,
    "accumulate": 2,
    "maps.levels": 2,
}


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Configuration, data and folder of a run without interruption."""
    folder = write_data(tmp_path_factory.mktemp("whole"))
    config = load_config("tiny", overrides=RECIPE)
    data = load_data(discover(folder), config)
    return config, data, train(config, data, folder / "run").folder


def contents(folder):
    """Everything of a run but the time it took."""
    with (folder / "metrics.csv").open() as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    files = {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name[:4] in ("best", "last")
    }
    return rows, files


def interrupt(step, how):
    def report(progress):
        if progress.step == step:
            if how == "kill":
                raise Killed
            os.kill(os.getpid(), signal.SIGTERM)

    return report


def again(folder):
    """Resume where there is a state, as whoever starts jobs would; else begin anew."""
    saved = bool(States(folder).paths)
    return {"resume": saved, "force": not saved}


# Many, as each seed is stopped in other places: most of them with what takes long.
@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))]
)
def test_interrupted_runs_are_the_same_bit_for_bit(whole, tmp_path, seed):
    config, data, expected = whole
    rng = np.random.default_rng(seed)
    for _ in range(rng.integers(1, 4)):
        torch.manual_seed(seed)  # another process starts with another generator
        how, step = rng.choice(["kill", "signal"]), rng.integers(1, STEPS)
        with contextlib.suppress(Killed):
            train(config, data, tmp_path, **again(tmp_path), report=interrupt(step, how))
    done = train(config, data, tmp_path, **again(tmp_path))
    assert (done.step, done.stopped_by) == (STEPS, None)
    assert contents(tmp_path) == contents(expected)


@pytest.mark.parametrize(
    "recipe",
    [
        {"optimizer.name": "sgd"},
        {"model.encoder": "lite", "model.widths": [16] * 4, "model.pretrained": False},
        {"precision": "bf16", "workers": 2},
        {"precision": "fp16"},
        pytest.param({"compile": True}, marks=pytest.mark.slow),
    ],
)
def test_every_recipe_resumes(whole, tmp_path, recipe, monkeypatch):
    # What is traced is the same; code made from it would take a compiler, and half a minute.
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    _, data, _ = whole
    config = load_config("tiny", overrides=RECIPE | {"steps": 4} | recipe)
    train(config, data, tmp_path / "whole")
    with pytest.raises(Killed):
        train(config, data, tmp_path / "run", report=interrupt(3, "kill"))
    train(config, data, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.slow
def test_a_killed_process_resumes(whole, tmp_path):
    config, data, expected = whole
    settings = [f"{key}={json.dumps(value)}" for key, value in RECIPE.items()]
    arguments = [
        "--data",
        str(expected.parent),
        "--preset",
        "tiny",
        "-o",
        str(tmp_path / "run"),
        "-q",
    ]
    arguments += [part for text in settings for part in ("--set", text)]
    # Once something is saved it stands still, so that the kill comes before the end.
    code = f"""
import pathlib, time, torch
from gradtrack_model.training import learner
from gradtrack_model.training.resume import States
states = States(pathlib.Path({str(tmp_path / "run")!r}))
torch.set_num_threads(1)
advance = learner.Learner.advance
learner.Learner.advance = lambda *a: (states.paths and time.sleep(600), advance(*a))[1]
from gazetrack_cli.train import command
command({arguments!r})
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 300
    while not States(tmp_path / "run").paths and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert States(tmp_path / "run").paths
    assert train(config, data, tmp_path / "run", resume=True).step == STEPS
    assert contents(tmp_path / "run") == contents(expected)


def stopped(whole, folder, step=7):
    config, data, _ = whole
    with pytest.raises(Killed):
        train(config, data, folder, report=interrupt(step, "kill"))
    return config, data


def test_a_damaged_state_gives_way_to_the_one_before(whole, tmp_path):
    config, data = stopped(whole, tmp_path)
    states = States(tmp_path)
    assert [path.stem for path in states.paths] == ["00000002", "00000004", "00000006"][-KEPT:]
    newest = states.paths[-1].with_suffix(".safetensors")
    damaged = bytearray(newest.read_bytes())
    damaged[-5] ^= 1
    newest.write_bytes(damaged)
    told = []
    train(config, data, tmp_path, resume=True, report=lambda progress: told.extend(progress.notes))
    assert told == ["states/00000006 is damaged: the one before is used", "resumed after step 4"]
    assert contents(tmp_path) == contents(whole[2])
    log = (tmp_path / "log.txt").read_text()
    assert "states/00000006 is damaged: the one before is used" in log
    assert "resumed after step 4" in log


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b"\xff", b'{"format": 1, "sha256": 2}']
)
def test_no_usable_state_is_an_error_and_never_a_fresh_start(whole, tmp_path, content):
    config, data = stopped(whole, tmp_path, step=3)
    for path in States(tmp_path).paths:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match="all 1 states of the run are damaged"):
        train(config, data, tmp_path, resume=True)


def test_other_settings_or_data_are_refused(whole, tmp_path):
    config, data = stopped(whole, tmp_path)
    with pytest.raises(CheckpointError, match="other settings: seed was 0, is 1"):
        train(dataclasses.replace(config, seed=1), data, tmp_path, resume=True)
    with pytest.raises(CheckpointError, match="have changed"):
        train(config, dataclasses.replace(data, train=data.train[:-1]), tmp_path, resume=True)


def test_a_complete_run_is_left_as_it_is(whole):
    config, data, folder = whole
    before = contents(folder)
    again = train(config, data, folder, resume=True)
    assert (again.step, again.stopped_by) == (STEPS, None)
    assert again.best_step > 0
    assert contents(folder) == before


def test_what_was_stopped_before_anything_was_saved_begins_from_the_start(whole, tmp_path):
    config, data, expected = whole
    with pytest.raises(Killed):
        train(config, data, tmp_path, report=interrupt(1, "kill"))
    assert (tmp_path / "log.txt").exists()
    told = []
    train(config, data, tmp_path, resume=True, report=lambda progress: told.extend(progress.notes))
    assert contents(tmp_path) == contents(expected)
    assert told == ["nothing was saved yet to resume: begun from the start"]
    assert told[0] in (tmp_path / "log.txt").read_text()


def test_networks_without_a_state_are_never_begun_over(whole, tmp_path):
    config, data, _ = whole
    train(config, data, tmp_path)
    States(tmp_path).keep(0)
    with pytest.raises(CheckpointError, match="holds no run to resume"):
        train(config, data, tmp_path, resume=True)


def test_frozen_blocks_stay(whole, tmp_path):
    _, data, _ = whole
    settings = ["model.encoder=lite", "model.widths=[16, 16, 16, 16]", "optimizer.frozen_blocks=3"]
    config = load_config(
        "tiny", None, settings, {"image_size": 32, "steps": 2, "tensorboard": False}
    )
    start = build_model(config).state_dict()
    weights = load_model(train(config, data, tmp_path).folder).model.state_dict()
    changed = {key for key, value in weights.items() if not torch.equal(value, start[key])}
    frozen = ("encoder.stem.", *(f"encoder.blocks.{k}." for k in range(3)))
    # Neither weights nor the running statistics of the normalisation.
    assert not [key for key in changed if key.startswith(frozen)]
    in_encoder = {key for key in changed if key.startswith("encoder.")}
    assert "encoder.blocks.3.project.conv.weight" in in_encoder
    assert "encoder.blocks.3.project.norm.running_mean" in in_encoder


def test_it_ends_early_when_nothing_gets_better(whole, tmp_path, monkeypatch):
    _, data, _ = whole
    config = load_config("tiny", overrides=RECIPE | {"steps": 50, "patience": 2})
    measured = iter([0.5, 0.6, 0.6, 0.55, 0.9])
    monkeypatch.setattr(training, "validate", lambda *_: {"val_dice": next(measured)})
    result = train(config, data, tmp_path)
    assert (result.step, result.best_step, result.stopped_by) == (8, 4, None)
    assert train(config, data, tmp_path, resume=True).step == 8


@pytest.fixture(scope="module")
def short():
    """The configuration of a run with one state that is soon made."""
    settings = {"image_size": 32, "steps": 4, "val_every": 2, "log_every": 1, "batch_size": 2}
    return load_config("tiny", overrides=settings | {"tensorboard": False})


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
def test_a_state_that_is_not_what_it_says_is_named(whole, short, tmp_path, change):
    _, data, _ = whole
    train(short, data, tmp_path)
    (state,) = States(tmp_path).paths
    rewrite(state, change)
    with pytest.raises(CheckpointError) as caught:
        train(short, data, tmp_path, resume=True)
    assert caught.value.path == tmp_path / "states"
    assert caught.value.hint


def test_a_run_from_before_the_ratios_were_recorded_can_be_resumed(data_folder, config, tmp_path):
    data = load_data(discover(data_folder), config)
    facts = {"config": config.as_dict(), "data": data.sha256()}
    facts["config"]["maps"]["ratios"] = []
    check_same(facts, config.as_dict(), data, tmp_path)
    facts["config"]["maps"]["levels"] = 3
    with pytest.raises(CheckpointError, match=r"maps\.levels was 3, is 4"):
        check_same(facts, config.as_dict(), data, tmp_path)


def test_a_finished_run_is_extended(whole, tmp_path):
    config, data, finished = whole
    shutil.copytree(finished, tmp_path / "more")
    longer = dataclasses.replace(config, steps=STEPS + 5)
    rows = []
    done = train(
        longer, data, tmp_path / "more", resume=True, report=lambda p: rows.append((p.step, p.row))
    )
    assert done.step == STEPS + 5
    before, after = contents(finished)[0], contents(tmp_path / "more")[0]
    assert after[: len(before)] == before  # what was done stays
    # From there on, the rate is that of a run of so many steps at the same place.
    rates = {step: row["lr"] for step, row in rows if "lr" in row}
    assert sorted(rates) == list(range(STEPS + 1, STEPS + 6))
    for step, rate in rates.items():
        share = lr_share(step, STEPS + 5, config.optimizer)
        assert rate == pytest.approx(share * config.optimizer.lr)
    facts = json.loads((tmp_path / "more" / "last.json").read_text())
    told = [{"planned": STEPS, "after": STEPS, "steps": STEPS + 5}]
    assert facts["metrics"]["extended"] == told
    assert facts["config"]["steps"] == STEPS + 5
    log = (tmp_path / "more" / "log.txt").read_text()
    assert f"extended after step {STEPS}: {STEPS} steps were planned until then, now" in log
    assert load_config(file=tmp_path / "more" / "settings.toml") == longer


def test_an_extended_run_that_is_interrupted_is_the_same_bit_for_bit(whole, tmp_path):
    config, data, finished = whole
    longer = dataclasses.replace(config, steps=STEPS + 5)
    for name in ("whole", "interrupted"):
        shutil.copytree(finished, tmp_path / name)
    train(longer, data, tmp_path / "whole", resume=True)
    with pytest.raises(Killed):
        train(
            longer,
            data,
            tmp_path / "interrupted",
            resume=True,
            report=interrupt(STEPS + 3, "kill"),
        )
    train(longer, data, tmp_path / "interrupted", resume=True)
    assert contents(tmp_path / "interrupted") == contents(tmp_path / "whole")


def test_a_run_is_not_shortened_and_only_its_steps_may_grow(whole, tmp_path):
    config, data, finished = whole
    shutil.copytree(finished, tmp_path / "run")
    shorter = dataclasses.replace(config, steps=STEPS - 1)
    with pytest.raises(CheckpointError, match=f"extended, not shortened: give --steps {STEPS}"):
        train(shorter, data, tmp_path / "run", resume=True)
    other = dataclasses.replace(config, steps=STEPS + 1, seed=1)
    with pytest.raises(CheckpointError, match="other settings: seed was 0, is 1"):
        train(other, data, tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(finished)


def test_every_process_goes_on_from_the_state_of_the_first(whole, tmp_path, monkeypatch):
    kept = States(whole[2])
    expected = kept.newest()
    sent = []

    def given_by_the_first(data):
        sent.append(data)
        return sent[0]

    monkeypatch.setattr(parallel, "is_joined", lambda: True)
    monkeypatch.setattr(parallel, "bytes_of_the_first", given_by_the_first)
    for is_first, states in ((True, kept), (False, States(tmp_path))):
        monkeypatch.setattr(parallel, "is_first", lambda is_first=is_first: is_first)
        found = states.newest_of_the_first()
        assert (found.step, found.facts, found.notes) == (expected.step, expected.facts, ())
        assert found.tensors.keys() == expected.tensors.keys()
        for name, tensor in found.tensors.items():
            assert torch.equal(tensor, expected.tensors[name]), name
    assert sent[1] == b""  # who is not the first has nothing to give


def test_maps_that_were_rendered_in_another_way_are_told_as_such(whole, tmp_path):
    config = whole[0]
    stored = SimpleNamespace(gaze=SimpleNamespace(source="maps", files="maps"))
    before = {"config": load_config("tiny", overrides=RECIPE | {"maps.levels": 3}).as_dict()}
    with pytest.raises(CheckpointError, match=r"other maps than it began with: maps\.levels was 3"):
        check_same(before, config.as_dict(), stored, tmp_path)


def test_an_optimizer_has_no_moments_before_its_first_step(tmp_path):
    check_tensors({}, {"optimizer.moment": torch.zeros(2)}, tmp_path)
    with pytest.raises(CheckpointError, match=r"holds no model\.weight of shape \(2,\)"):
        check_tensors({"model.weight": torch.zeros(3)}, {"model.weight": torch.zeros(2)}, tmp_path)


def test_a_folder_in_the_place_of_a_state_makes_way(tmp_path):
    states = States(tmp_path)
    for name in ("00000002.json", "00000002.safetensors"):
        (states.folder / name).mkdir(parents=True)
        (states.folder / name / "mine.txt").write_text("kept")
    facts = {"config": {}, "data": "", "scaler": {}, "best_step": 0, "best": {}, "rows": []}
    states.save(2, {"weight": torch.arange(3.0)}, {**facts, "seconds": 1.5})
    found = states.newest()
    assert (found.step, found.facts["seconds"], found.notes) == (2, 1.5, ())
    assert found.tensors["weight"].tolist() == [0, 1, 2]
    for name in ("00000002.json", "00000002.safetensors"):
        assert (states.folder / f"{name}.damaged" / "mine.txt").read_text() == "kept"
