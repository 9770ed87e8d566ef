"""A temperature of a network: fitted on its validation images, used on others."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import entr

from gazetrack.errors import ConfigError, DataError, InputError
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.image_files import slices_of
from gradtrack_model.data.splits import digests_of
from gradtrack_model.evaluation.calibrate import _halves, calibrate_folder
from gradtrack_model.evaluation.class_uncertainty import class_spread
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.in_memory import segment
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.network.classes import ClassConfig, probabilities
from gradtrack_model.weights.checkpoint import Checkpoint
from gradtrack_model.weights.ensemble import as_ensemble, load_ensemble
from tests.synthetic import picture
from tests.volume_files import write_nifti


@pytest.fixture(scope="module")
def networks(run_folder):
    return load_ensemble([run_folder / "runs" / "gradtrack"])


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Images that are in no split of the run, and their masks."""
    folder = tmp_path_factory.mktemp("others")
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for i in range(5):
        image, mask = picture(23 + 6 * i, 41 - 4 * i, 9 + i)
        Image.fromarray(image).save(folder / "images" / f"new{i}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"new{i}.png")
    return folder


@pytest.fixture(scope="module")
def found(networks, others):
    options = PredictOptions(ids=("new0", "new1", "new2"), batch_size=2)
    return calibrate_folder(others / "images", others / "masks", networks, options)


def predicted(folder, networks, out, **more):
    options = PredictOptions(probabilities=True, **more)
    return list(predict_folder(folder, networks, out, options))


def test_probabilities_change_and_masks_do_not(networks, others, found, tmp_path):
    assert list(found.images) == ["new0", "new1", "new2"]
    assert found.value != pytest.approx(1, abs=1e-3)
    ids = ("new3", "new4")
    for threshold in (0.5, 0.3):
        plain, scaled = tmp_path / f"plain{threshold}", tmp_path / f"scaled{threshold}"
        settings = {"ids": ids, "threshold": threshold}
        predicted(others / "images", networks, plain, **settings)
        predicted(others / "images", networks, scaled, temperature=found, **settings)
        for name in ids:
            assert (plain / f"{name}.png").read_bytes() == (scaled / f"{name}.png").read_bytes()
            before, after = (
                np.asarray(Image.open(folder / "probabilities" / f"{name}.png")) / 255
                for folder in (plain, scaled)
            )
            logit = np.log(before / (1 - before)) / found.value
            # Both are rounded to 255ths, and the slope of one over the other is 1 / temperature.
            rounding = 0.51 / 255 * (1 / found.value + 1)
            np.testing.assert_allclose(after, 1 / (1 + np.exp(-logit)), rtol=0, atol=rounding)
            assert not np.array_equal(before, after)
    made = json.loads((scaled / "network.json").read_text())
    assert made["temperature"] == found.value
    assert "temperature" not in json.loads((plain / "network.json").read_text())
    # What was predicted so can be evaluated: a mask is still where probabilities are highest.
    summary = evaluate_folder(scaled, others / "masks", None).summary()
    assert summary["calibration"]["images"] == 2


def test_the_images_it_was_fitted_on_are_refused(networks, others, found, tmp_path):
    with pytest.raises(DataError, match="fitted on 'new2'"):
        predicted(
            others / "images", networks, tmp_path / "out", temperature=found, ids=("new2", "new3")
        )
    assert not (tmp_path / "out").exists()
    renamed = tmp_path / "images"
    renamed.mkdir()
    shutil.copy(others / "images" / "new2.png", renamed / "fresh.png")
    with pytest.raises(DataError, match="fitted on 'fresh'"):
        predicted(renamed, networks, tmp_path / "out", temperature=found)


def test_images_that_taught_the_network_are_refused(run_folder, networks):
    folders = (run_folder / "images", run_folder / "masks")
    with pytest.raises(DataError, match="'im0' was trained on: no temperature is fitted on it"):
        calibrate_folder(*folders, networks, PredictOptions(ids=("im0", "im5")))
    # By default, those of validation alone.
    assert list(calibrate_folder(*folders, networks, PredictOptions()).images) == ["im5"]


def test_images_that_are_kept_for_testing_are_refused(run_folder, others, tmp_path):
    run = shutil.copytree(run_folder / "runs" / "gradtrack", tmp_path / "run")
    manifest = json.loads((run / "splits.json").read_text())
    from gradtrack_model.data.image_files import find_images

    digests = digests_of(find_images(others / "images"))
    facts = {"split": "test", "case": "t", "image": digests["new4"], "mask": None}
    manifest["images"]["t"] = facts
    (run / "splits.json").write_text(json.dumps(manifest))
    options = PredictOptions(ids=("new3", "new4"))
    network = load_ensemble([run])
    with pytest.raises(DataError, match="'new4' is kept to test the network"):
        calibrate_folder(others / "images", others / "masks", network, options)


def test_what_does_not_fit_is_said(networks, others, tmp_path):
    folders = (others / "images", others / "masks")
    with pytest.raises(InputError, match="there is no image 'nobody' - check the ids"):
        calibrate_folder(*folders, networks, PredictOptions(ids=("nobody",)))
    masks = shutil.copytree(others / "masks", tmp_path / "masks")
    Image.new("L", (9, 9)).save(masks / "new1.png")
    with pytest.raises(DataError, match="is 9 x 9 pixels, its image 80 x 64"):
        calibrate_folder(others / "images", masks, networks, PredictOptions(ids=("new1",)))
    with pytest.raises(ConfigError, match="own logits"):
        calibrate_folder(*folders, networks, PredictOptions(refine_with="x"))


class BrightOrDark(torch.nn.Module):
    """Says class 1 of what is bright and class 2 of what is dark, and is `sure` of it."""

    def __init__(self, sure):
        super().__init__()
        self.sure = sure

    def forward(self, images):
        bright = images.mean(1, keepdim=True)
        return SimpleNamespace(logits=torch.cat([bright, -bright], 1) * self.sure)


@pytest.fixture
def two_classes(networks, tmp_path):
    """Networks of two classes that see images at their own size, and label images of noise."""

    def network(heads, sure=4.0, name="two"):
        path = tmp_path / name / "best.safetensors"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
        config = dataclasses.replace(
            networks.first.config,
            classes=ClassConfig(names=("bright", "dark"), heads=heads),
            image_size=32,
            predict_scale=1.0,
        )
        return Checkpoint(BrightOrDark(sure), config, 0, {}, path)

    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for i in range(6):
        image = rng.integers(0, 256, (32, 32), np.uint8)
        labels = np.where(image > 160, 1, np.where(image < 80, 2, 0))
        # A label in five is another one: nobody can be as sure as the network is.
        wrong = rng.random(image.shape) < 0.2
        labels[wrong] = rng.integers(0, 3, int(wrong.sum()))
        Image.fromarray(image).save(tmp_path / "images" / f"{i}.png")
        Image.fromarray(labels.astype(np.uint8)).save(tmp_path / "labels" / f"{i}.png")
    return network


@pytest.mark.parametrize("heads", ["softmax", "independent"])
def test_several_classes_have_one_temperature_together(two_classes, tmp_path, heads):
    folders = tmp_path / "images", tmp_path / "labels"
    one = as_ensemble(two_classes(heads))
    options = PredictOptions(ids=("0", "1", "2", "3"), tta=True)
    found = calibrate_folder(*folders, one, options)
    assert found.value > 1.5
    assert found.measured["nll_after"] < found.measured["nll_before"]
    assert found.measured["ece_after"] < found.measured["ece_before"]
    assert ("class_ece_after" in found.measured) == (heads == "softmax")
    # As sure again, twice the temperature, to the rounding of its bins.
    surer = calibrate_folder(*folders, as_ensemble(two_classes(heads, 8.0)), options)
    assert surer.value == pytest.approx(2 * found.value, rel=0.01)

    made = {}
    for name, more in (("plain", {}), ("scaled", {"temperature": found})):
        more = {**more, "tta": True, "uncertainty": True}
        predicted(folders[0], one, tmp_path / name, ids=("4", "5"), **more)
        made[name] = np.asarray(Image.open(tmp_path / name / "4.png"))
        p = [
            np.asarray(Image.open(tmp_path / name / "probabilities" / each / "4.png")) / 255
            for each in ("bright", "dark")
        ]
        made[f"{name} p"] = np.stack(p)
    np.testing.assert_array_equal(made["plain"], made["scaled"])
    logits = one.first.model(normalised(folders[0] / "4.png")).logits[0] / found.value
    expected = probabilities(logits, exclusive=heads == "softmax").numpy()
    np.testing.assert_allclose(made["scaled p"], expected, atol=0.6 / 255)
    # The entropy is that of the probabilities beside it.
    with (tmp_path / "scaled" / "uncertainty.csv").open() as file:
        told = {row["image"]: float(row["entropy_nats"]) for row in csv.DictReader(file)}
    whole = np.concatenate([expected, 1 - expected.sum(0, keepdims=True)])
    states = [whole] if heads == "softmax" else [np.stack([p, 1 - p]) for p in expected]
    nats = sum(float(entr(p.clip(0)).sum(0).mean()) for p in states)
    assert told["4"] == pytest.approx(nats, rel=1e-3)
    (alone,) = segment(one, folders[0] / "4.png", PredictOptions(temperature=found, tta=True))
    np.testing.assert_array_equal(alone.mask, made["scaled"])
    np.testing.assert_allclose(alone.probability, expected, atol=1e-5)
    with pytest.raises(DataError, match="was fitted on '0'"):
        predicted(folders[0], one, tmp_path / "again", ids=("0",), temperature=found, tta=True)


@pytest.mark.parametrize("heads", ["softmax", "independent"])
def test_several_networks_of_several_classes(two_classes, tmp_path, heads):
    images = tmp_path / "images"
    members = [two_classes(heads, 4.0, "a"), two_classes(heads, -1.0, "b")]
    predicted(images, members, tmp_path / "out", ids=("0", "1"), uncertainty=True, overlay=True)
    pixels = normalised(images / "0.png")
    is_exclusive = heads == "softmax"
    each = torch.stack([one.model(pixels).logits[0] for one in members])
    mean = probabilities(each, exclusive=is_exclusive).mean(0).numpy()
    for number, name in enumerate(("bright", "dark")):
        grey = np.asarray(Image.open(tmp_path / "out" / "probabilities" / name / "0.png"))
        np.testing.assert_allclose(grey / 255, mean[number], atol=0.6 / 255)
    doubt = np.asarray(Image.open(tmp_path / "out" / "uncertainty" / "0.png")) / 255 / 2
    wanted = class_spread(each, exclusive=is_exclusive).numpy()
    np.testing.assert_allclose(doubt, np.minimum(wanted, 0.5), atol=0.6 / 255)
    with (tmp_path / "out" / "uncertainty.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["image"] for row in rows} == {"0", "1"}
    assert all(0.5 < float(row["uncertainty"]) <= 1 for row in rows)  # they are opposite
    assert all(float(row["entropy_nats"]) > 0.1 for row in rows)
    made = json.loads((tmp_path / "out" / "network.json").read_text())
    assert (made["networks"], made["classes"]) == (2, ["bright", "dark"])
    # The mean of a network with itself is the network.
    predicted(images, members[0], tmp_path / "one", ids=("0",))
    predicted(images, [members[0]] * 2, tmp_path / "twice", ids=("0",))
    for name in ("0.png", "probabilities/dark/0.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "twice" / name).read_bytes()


def normalised(path):
    """An image as a network sees it that sees it at its own size."""
    pixels = np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)[None]
    return normalise(torch.from_numpy(pixels.copy()).float() / 255)


def test_slices_of_a_volume_are_in_one_half(tmp_path):
    for name, n in (("a", 5), ("b", 2), ("c", 2)):
        write_nifti(tmp_path / f"{name}.nii.gz", np.zeros((6, 5, n), np.int16))
    slices = [one for name in "abc" for one in slices_of(tmp_path / f"{name}.nii.gz")]
    assert _halves(slices) == [0] * 5 + [1] * 4
    assert _halves(slices[5:]) == [0, 0, 1, 1]
    # The larger volume may come last; and of a single one there is nothing else to be done.
    assert _halves([*slices[7:], *slices[:5]]) == [0] * 2 + [1] * 5
    assert _halves(slices[:5]) == [0, 0, 0, 1, 1]
