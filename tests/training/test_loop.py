from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import time

import numpy as np
import pytest
import torch
from PIL import Image

from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.training import learner
from gradtrack_model.training import loop as training
from gradtrack_model.training.best import BY_LOSS, BY_STEP
from gradtrack_model.training.loop import NonFiniteLossError, train, validate
from gradtrack_model.training.resume import States
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import picture, write_gaze


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


@pytest.mark.parametrize(
    ("method", "size", "steps", "flip", "least"),
    [
        ("gradtrack", 48, 60, "true", 0.95),
        pytest.param("gradtrack", 64, 120, "true", 0.95, marks=pytest.mark.slow),
        pytest.param("full", 80, 120, "false", 0.98, marks=pytest.mark.slow),
    ],
)
def test_it_overfits_four_images(tmp_path, method, size, steps, flip, least):
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
        {"image_size": size, "steps": steps, "val_every": steps, "method": method},
    )
    data = load_data(discover(tmp_path), config)
    result = train(config, data, tmp_path / "run")
    assert result.selected_by == BY_STEP
    assert result.best_step == result.step == steps
    model = load_model(tmp_path / "run").model
    seen = tuple(dataclasses.replace(s, mask=m) for s, m in zip(data.train, masks, strict=True))
    assert validate(model, seen, config, torch.device("cpu"))["val_dice"] > least


def test_a_loss_that_is_not_finite_ends_the_run(data_folder, config, monkeypatch):
    real, calls = learner.loss_of, []

    def spoiled(*args):
        calls.append(1)
        losses = real(*args)
        return losses._replace(total=losses.total * float("nan")) if len(calls) == 3 else losses

    monkeypatch.setattr(learner, "loss_of", spoiled)
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


def test_waiting_for_batches_is_told(data_folder, config, monkeypatch):
    data = load_data(discover(data_folder), config)
    make = training.batch_maker

    def slowly(*arguments):
        one, ahead = make(*arguments)
        return lambda step: (time.sleep(0.05), one(step))[1], ahead

    monkeypatch.setattr(training, "batch_maker", slowly)
    done = train(config, data, data_folder / "run")
    waited = done.waiting * done.seconds
    assert 0.3 <= waited <= done.seconds
    monkeypatch.undo()
    state = States(data_folder / "run").newest()
    assert state.facts["waited"] == pytest.approx(waited)
    again = train(config, data, data_folder / "run", resume=True)
    assert again.waiting * again.seconds == pytest.approx(waited)  # that of before counts
