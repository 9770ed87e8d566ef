"""A temperature of a network: fitted on its validation images, used on others."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import ConfigError, DataError, InputError
from gradtrack_model.data.image_files import slices_of
from gradtrack_model.data.splits import digests_of
from gradtrack_model.evaluation.calibrate import _halves, calibrate_folder
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.predict import PredictOptions, predict_folder
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.weights.ensemble import Ensemble, load_ensemble
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


def test_several_classes_are_refused(networks, others):
    first = networks.first
    config = dataclasses.replace(first.config, classes=ClassConfig(names=("a", "b")))
    several = Ensemble((dataclasses.replace(first, config=config),))
    with pytest.raises(ConfigError, match=r"calibration of 2 classes \(a, b\)"):
        calibrate_folder(others / "images", others / "masks", several, PredictOptions())


def test_slices_of_a_volume_are_in_one_half(tmp_path):
    for name, n in (("a", 5), ("b", 2), ("c", 2)):
        write_nifti(tmp_path / f"{name}.nii.gz", np.zeros((6, 5, n), np.int16))
    slices = [one for name in "abc" for one in slices_of(tmp_path / f"{name}.nii.gz")]
    assert _halves(slices) == [0] * 5 + [1] * 4
    assert _halves(slices[5:]) == [0, 0, 1, 1]
    # The larger volume may come last; and of a single one there is nothing else to be done.
    assert _halves([*slices[7:], *slices[:5]]) == [0] * 2 + [1] * 5
    assert _halves(slices[:5]) == [0, 0, 0, 1, 1]
