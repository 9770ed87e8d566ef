"""A study on volumes from end to end, of a network that sees the slices around a slice."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import gradtrack_model
from gazetrack.errors import ConfigError, DataError
from gazetrack.images.reference import ImageRef
from gradtrack_model.data.augment import normalise
from gradtrack_model.data.checks import check
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training.loop import train
from gradtrack_model.weights.ensemble import load_ensemble
from gradtrack_model.weights.monai_bundle import save_bundle
from tests.synthetic import TINY
from tests.volume_study import SLICES, ball, write_volume, write_volume_study

pytest.importorskip("nrrd")
SETTINGS = TINY | {"context": 1, "optimizer.lr": 0.01, "steps": 40, "val_every": 20}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = write_volume_study(tmp_path_factory.mktemp("volumes"))
    config = load_config("tiny", overrides=SETTINGS)
    train(config, load_data(discover(folder), config), folder / "run")
    return folder


def segment(study, folder):
    found = gradtrack_model.predict(study / "run", folder)
    return {one.name: one.probability for one in found}


def test_a_network_learns_predicts_and_is_evaluated_on_volumes(study, tmp_path):
    network = gradtrack_model.load_model(study / "run")
    assert network.config.context == 1
    out = tmp_path / "predictions"
    options = gradtrack_model.PredictOptions(overlay=True)
    held_out = tmp_path / "images"
    held_out.mkdir()
    shutil.copy(study / "images" / "case2.nrrd", held_out)
    done = list(gradtrack_model.predict_folder(held_out, network, out, options))
    assert [one.error for one in done] == [None] * SLICES
    assert (out / "volumes" / "case2.nrrd").is_file()
    for predictions in (out, out / "volumes"):
        result = gradtrack_model.evaluate(predictions, study / "masks", out=tmp_path / "e")
        (volume,) = result.volumes
        assert volume.spacing == pytest.approx((3, 0.6, 0.5))
        assert volume.dice > 0.5
        assert 0 < volume.surfaces.asd < volume.surfaces.hd95 < 20
        with (tmp_path / "e" / "volumes.csv").open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert float(row["mask_ml"]) == pytest.approx(ball(2).sum() * 0.9 / 1000, abs=1e-6)


def test_what_is_around_a_slice_counts_and_no_more(study, tmp_path):
    """Of two volumes that differ in slice 4 alone, slices 3 to 5 are seen otherwise."""
    pixels = np.random.default_rng(5).integers(0, 255, (6, 64, 80)).astype(np.uint8)
    other = pixels.copy()
    other[3] = 255 - other[3]
    found = []
    for name, volume in (("a", pixels), ("b", other)):
        folder = tmp_path / name
        folder.mkdir()
        write_volume(folder / "c.nrrd", volume)
        found.append(segment(study, folder))
    a, b = found
    differ = [int(key[2:]) for key in a if not np.array_equal(a[key], b[key])]
    assert differ == [3, 4, 5]


def test_the_ends_of_a_volume_stand_again(study, tmp_path):
    pixels = np.random.default_rng(6).integers(0, 255, (2, 64, 80)).astype(np.uint8)
    folder = tmp_path / "images"
    folder.mkdir()
    write_volume(folder / "c.nrrd", pixels)
    write_volume(folder / "d.nrrd", pixels[[0, 0, 1, 1]])
    found = segment(study, folder)
    assert np.array_equal(found["c_1"], found["d_2"])
    assert np.array_equal(found["c_2"], found["d_3"])


def test_images_that_are_no_slices_are_refused(study, data_folder, config, tmp_path):
    more = load_config("tiny", overrides=TINY | {"context": 1})
    with pytest.raises(DataError, match=r"im0\.png.*no slices before and after.*context=0"):
        load_data(discover(data_folder), more)
    found = check(discover(data_folder), more)
    assert sum(one.fatal and "no slices before" in one.what for one in found) == 6
    network = gradtrack_model.load_model(study / "run")
    with pytest.raises(ConfigError, match=r"an array.*sees 1 slices.*give files of volumes"):
        gradtrack_model.predict(network, np.zeros((64, 64), np.uint8))
    options = gradtrack_model.PredictOptions()
    done = list(
        gradtrack_model.predict_folder(data_folder / "images", network, tmp_path / "o", options)
    )
    assert all("no slices before" in str(one.error) for one in done)


def test_the_report_and_the_samples_show_the_slice_itself(study):
    config = load_config("tiny", overrides=SETTINGS)
    data = load_data(discover(study), config)
    first = data.val[0]
    assert first.image_id == "case2_1"
    assert first.pixels.shape == (9, 64, 64)
    assert torch.equal(first.pixels[:3], first.pixels[3:6])  # the first slice, standing again
    assert torch.equal(data.val[1].pixels[:3], first.pixels[3:6])
    write_run_report(study / "run", data)
    assert "case2_3" in (study / "run" / "report.html").read_text("utf-8")
    alone = load_data(discover(study), load_config("tiny", overrides=SETTINGS | {"context": 0}))
    assert torch.equal(alone.val[0].pixels, first.pixels[3:6])


def test_networks_that_see_other_slices_are_no_ensemble(study, run_folder):
    with pytest.raises(ConfigError, match="context of gradtrack is 0, of the first 1"):
        load_ensemble([study / "run", run_folder / "runs" / "gradtrack"])


def test_a_run_says_its_context(study):
    facts = json.loads((study / "run" / "best.json").read_text())
    assert facts["config"]["context"] == 1


@pytest.mark.slow
def test_an_exported_network_takes_all_slices(study, tmp_path):
    path = tmp_path / "network.pt2"
    gradtrack_model.export(study / "run", path)
    module = torch.export.load(path).module()
    own = gradtrack_model.load_model(study / "run")
    (slices, *_) = load_data(discover(study), own.config).val
    pixels = slices.pixels[None].float() / 255

    with torch.no_grad():
        expected = torch.sigmoid(own.model(normalise(pixels)).logits)
        assert torch.allclose(module(pixels)[0], expected, atol=1e-4)
    with pytest.raises(Exception, match="9"):
        module(pixels[:, :3])


def test_a_bundle_reads_single_images_alone(study, tmp_path):
    with pytest.raises(ConfigError, match="bundle of a network that sees the slices around"):
        save_bundle(gradtrack_model.load_model(study / "run"), tmp_path / "bundle")
    assert not (tmp_path / "bundle").exists()


def test_a_frozen_convolution_could_not_tell_slices_apart():
    with pytest.raises(ConfigError, match="frozen_blocks with context"):
        load_config(overrides={"context": 1, "optimizer.frozen_blocks": 2})


def test_the_picture_of_a_prediction_is_that_of_its_slice(study, tmp_path):
    network = gradtrack_model.load_model(study / "run")
    options = gradtrack_model.PredictOptions(overlay=True, ids=("case0_3",))
    (done,) = gradtrack_model.predict_folder(study / "images", network, tmp_path / "o", options)
    assert done.image == ImageRef(study / "images" / "case0.nrrd", 3)
    overlay = np.array(Image.open(done.outputs[1]).convert("L"))
    assert overlay.shape == (64, 80)
