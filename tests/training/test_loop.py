from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import OutputError
from gradtrack_model.data.batches import training_batch
from gradtrack_model.data.sources import discover, load_data
from gradtrack_model.evaluation.metrics import dice_and_iou
from gradtrack_model.settings import load_config
from gradtrack_model.study.report import write_run_report
from gradtrack_model.training import learner
from gradtrack_model.training import loop as training
from gradtrack_model.training.loop import NonFiniteLossError, build_model, train, validate
from gradtrack_model.training.resume import States
from gradtrack_model.training.run_folder import BY_DICE, BY_LOSS, BY_STEP
from gradtrack_model.training.validation import predicted_masks
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import H, W, picture, write_gaze


def weights(path):
    return load_model(path).model.state_dict()


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_the_same_seed_gives_the_same_weights(run_folder, tmp_path, config):
    again = train(config, load_data(discover(run_folder), config), tmp_path / "again")
    assert (again.folder / "last.safetensors").read_bytes() == (
        run_folder / "runs" / "gradtrack" / "last.safetensors"
    ).read_bytes()
    other = dataclasses.replace(config, seed=1)
    different = train(other, load_data(discover(run_folder), other), tmp_path / "other")
    assert not same(
        weights(again.folder / "last.safetensors"), weights(different.folder / "last.safetensors")
    )


def test_training_never_reads_masks(run_folder, tmp_path, config):
    shutil.copytree(run_folder / "images", tmp_path / "images")
    for name in ("g.fixations.parquet", "val.txt"):
        shutil.copy(run_folder / name, tmp_path / name)
    result = train(config, load_data(discover(tmp_path), config), tmp_path / "run")
    assert result.selected_by == BY_LOSS
    assert "val_dice" not in result.best
    with_masks = run_folder / "runs" / "gradtrack" / "last.safetensors"
    assert same(weights(tmp_path / "run" / "last.safetensors"), weights(with_masks))


def test_masks_of_training_images_may_be_broken(data_folder, config):
    for i in range(5):
        (data_folder / "masks" / f"im{i}.png").write_bytes(b"no image")
    assert load_data(discover(data_folder), config).val[0].mask is not None


def test_the_run_folder(run_folder):
    folder = run_folder / "runs" / "gradtrack"
    assert {p.name for p in folder.iterdir()} == {
        "best.safetensors", "best.json", "last.safetensors", "last.json", "metrics.csv", "log.txt", "splits.json",
        "states",
    }  # fmt: skip
    with (folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [bool(row["val_dice"]) for row in rows] == [False, False, True, False, False, True]
    facts = json.loads((folder / "best.json").read_text())
    assert (facts["protocol"], facts["metrics"]["selected_by"]) == ("clean", BY_DICE)
    assert "chosen by validation Dice" in (folder / "log.txt").read_text()


def test_tensorboard(data_folder, config):
    config = dataclasses.replace(config, tensorboard=True, steps=1)
    train(config, load_data(discover(data_folder), config), data_folder / "run")
    assert list((data_folder / "run" / "tensorboard").glob("events*"))


def test_a_run_is_not_replaced_by_accident(run_folder, config, tmp_path):
    data = load_data(discover(run_folder), config)
    shutil.copytree(run_folder / "runs" / "gradtrack", tmp_path / "run")
    with pytest.raises(OutputError, match=r"already holds a run.*--force"):
        train(config, data, tmp_path / "run")
    (tmp_path / "run" / "mine.txt").write_text("kept")
    train(dataclasses.replace(config, steps=1), data, tmp_path / "run", force=True)
    assert load_model(tmp_path / "run").step == 1
    assert (tmp_path / "run" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("method", "size", "flip", "least"),
    [("gradtrack", 64, "true", 0.95), ("full", 80, "false", 0.98)],
)
def test_it_overfits_four_images(tmp_path, method, size, flip, least):
    points, masks = {}, []
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    for i, (cx, cy) in enumerate([(25, 25), (50, 40), (30, 42), (55, 22)]):
        image, mask = picture(cx, cy, 12)
        masks.append(mask)
        Image.fromarray(image).save(tmp_path / "images" / f"im{i}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(tmp_path / "masks" / f"im{i}.png")
        # A ring whose tube fills the disc.
        a = np.linspace(0, 2 * np.pi, 13)
        points[f"im{i}.png"] = [(cx + 6 * np.cos(t), cy + 6 * np.sin(t)) for t in a] + [(cx, cy)]
    write_gaze(tmp_path / "g.fixations.parquet", points)
    settings = [
        "maps.kind=tube",
        "maps.drop_first=0",
        "maps.radius=0.085",
        "val_share=0.0",
        "tensorboard=false",
        "batch_size=4",
    ]
    settings += [
        f"augment.{k}=0"
        for k in ("scale", "rotate", "translate", "brightness", "contrast", "saturation")
    ]
    settings += [f"augment.hflip={flip}", f"augment.vflip={flip}"]
    config = load_config(
        "tiny",
        None,
        settings,
        {"image_size": size, "steps": 120, "val_every": 120, "method": method},
    )
    data = load_data(discover(tmp_path), config)
    result = train(config, data, tmp_path / "run")
    assert result.selected_by == BY_STEP
    assert result.best_step == result.step == 120
    model = load_model(tmp_path / "run").model
    seen = tuple(dataclasses.replace(s, mask=m) for s, m in zip(data.train, masks, strict=True))
    assert validate(model, seen, config, torch.device("cpu"))["val_dice"] > least


def test_validation_is_at_the_masks_own_size(data_folder, config):
    data = load_data(discover(data_folder), config)
    model = build_model(config)
    torch.nn.init.constant_(model.head.bias, 100)
    measured = validate(model, data.val, config, torch.device("cpu"))
    assert data.val[0].mask.shape == (H, W)
    assert measured["val_dice"] == dice_and_iou(np.ones((H, W), bool), data.val[0].mask)[0]


def test_a_loss_that_is_not_finite_ends_the_run(data_folder, config, monkeypatch):
    real, calls = learner.gaze_loss, []

    def spoiled(*args):
        calls.append(1)
        losses = real(*args)
        return losses._replace(total=losses.total * float("nan")) if len(calls) == 3 else losses

    monkeypatch.setattr(learner, "gaze_loss", spoiled)
    with pytest.raises(
        NonFiniteLossError, match=r"not finite at step 3, images im\d, im\d.*\[NON_FINITE\]"
    ) as caught:
        train(config, load_data(discover(data_folder), config), data_folder / "run")
    assert caught.value.exit_code == 6
    assert load_model(data_folder / "run" / "last.safetensors").step == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_step(data_folder, config, number):
    before = signal.getsignal(number)

    def report(progress):
        if progress.step == 2:
            os.kill(os.getpid(), number)

    result = train(
        config, load_data(discover(data_folder), config), data_folder / "run", report=report
    )
    assert result.stopped_by == number
    assert load_model(data_folder / "run" / "last.safetensors").step == result.step == 2
    assert signal.getsignal(number) is before


def test_every_recipe_makes_a_step(data_folder):
    for settings in (
        ["optimizer.name=sgd", "model.attention=false"],
        [
            "model.encoder=lite",
            "model.widths=[16, 16, 16, 16]",
            "loss.ignore_band=0.1",
            "maps.kind=density",
        ],
        ["maps.levels=2", "maps.truncation=random", "precision=bf16"],
    ):
        config = load_config(
            "tiny", None, settings, {"image_size": 64, "steps": 1, "tensorboard": False}
        )
        result = train(
            config, load_data(discover(data_folder), config), data_folder / "run", force=True
        )
        assert result.best_step == 1
        assert load_model(data_folder / "run").config == config


def _share(model, samples, config, threshold):
    config = dataclasses.replace(config.predicting(), predict_threshold=threshold)
    return np.mean(
        [mask.mean() for _, mask in predicted_masks(model, samples, config, torch.device("cpu"))]
    )


def test_validation_at_another_size(data_folder):
    settings = ["tensorboard=false", "predict_scale=1.5"]
    config = load_config(
        "tiny", None, settings, {"image_size": 64, "steps": 2, "val_every": 2, "ema": 0.5}
    )
    data = load_data(discover(data_folder), config)
    assert {sample.pixels.shape[-1] for sample in data.train} == {64}
    assert {sample.pixels.shape[-1] for sample in data.val} == {96}
    train(config, data, data_folder / "run")
    found = load_model(data_folder / "run")
    again = validate(found.model, data.val, config, torch.device("cpu"))
    assert found.metrics["val_dice"] == pytest.approx(again["val_dice"])
    share = {
        threshold: _share(found.model, data.val, config, threshold) for threshold in (0.1, 0.5, 0.9)
    }
    assert share[0.1] > share[0.5] > share[0.9]
    assert (
        "64 x 64, validated at 96 x 96 pixels"
        in write_run_report(data_folder / "run", data).read_text()
    )


def test_the_moving_average_is_what_is_saved(data_folder, config):
    config = dataclasses.replace(config, ema=0.9)
    data = load_data(discover(data_folder), config)
    train(config, data, data_folder / "run")
    plain = train(dataclasses.replace(config, ema=0.0), data, data_folder / "plain")
    saved = load_model(data_folder / "run")
    assert not same(saved.model.state_dict(), weights(plain.folder))
    assert (
        validate(saved.model, data.val, config, torch.device("cpu"))["val_dice"]
        == saved.metrics["val_dice"]
    )


def test_accumulated_batches_are_one_large_batch(data_folder, config):
    large = dataclasses.replace(config, batch_size=4)
    small = dataclasses.replace(config, batch_size=2, accumulate=2)
    data = load_data(discover(data_folder), config)
    learners = [learner.Learner(c) for c in (large, small)]
    learners[0].advance(1, [training_batch(data.train, large, 0)])
    learners[1].advance(1, [training_batch(data.train, small, i) for i in range(2)])
    for a, b in zip(*(each.model.parameters() for each in learners), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_a_compiled_network_computes_what_the_eager_one_does(data_folder, config, monkeypatch):
    # Traced alike, but run as it is: code made from it would take a compiler, and half a minute.
    compile_, asked = torch.compile, []
    monkeypatch.setattr(
        torch, "compile", lambda f, mode: asked.append(mode) or compile_(f, backend="aot_eager")
    )
    data = load_data(discover(data_folder), config)
    for name in ("host", "compiled"):
        train(dataclasses.replace(config, compile=name == "compiled"), data, data_folder / name)
    assert asked == [None]
    eager, compiled = weights(data_folder / "host"), weights(data_folder / "compiled")
    assert list(eager) == list(compiled)  # the names say nothing of the compiler
    for key in eager:
        torch.testing.assert_close(compiled[key], eager[key], rtol=1e-3, atol=1e-3)


def test_half_precision_skips_steps_whose_gradients_overflow(data_folder, config):
    data = load_data(discover(data_folder), config)
    half = dataclasses.replace(config, precision="fp16")
    learning = learner.Learner(half)
    before = {key: value.clone() for key, value in learning.model.state_dict().items()}
    learning.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**100)
    learning.advance(1, [training_batch(data.train, half, 0)])
    names = [key for key, _ in learning.model.named_parameters()]
    assert all(torch.equal(before[key], learning.model.state_dict()[key]) for key in names)
    assert learning.scaler.get_scale() == 2.0**99
    learning.scaler = torch.amp.GradScaler("cpu", init_scale=2.0)
    learning.advance(2, [training_batch(data.train, half, 1)])
    assert not all(torch.equal(before[key], learning.model.state_dict()[key]) for key in names)


def test_waiting_for_batches_is_told(data_folder, config, monkeypatch):
    data = load_data(discover(data_folder), config)
    make = training.batch_maker

    def slowly(*arguments):
        one, ahead = make(*arguments)
        return lambda step: (time.sleep(0.05), one(step))[1], ahead

    monkeypatch.setattr(training, "batch_maker", slowly)
    done = train(config, data, data_folder / "run")
    assert 0.3 <= done.waiting * done.seconds <= done.seconds
    monkeypatch.undo()
    state = States(data_folder / "run").newest()
    assert state.facts["waited"] == pytest.approx(done.waiting * done.seconds)
    assert (
        train(config, data, data_folder / "run", resume=True).waiting > 0.01
    )  # that of before counts
