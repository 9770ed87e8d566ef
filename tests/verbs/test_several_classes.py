"""A simulated study of two things to be found, from the trackers' files to Dice of each class."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import gazetrack
import gradtrack_model
from gazetrack.errors import ConfigError, DataError, InputError
from gradtrack_model.evaluation.class_evaluation import classes_of_folder, evaluate_classes
from gradtrack_model.weights.export import Segmenter, export_model

# From the trackers' files on, with networks that learn something.
pytestmark = pytest.mark.slow

NAMES = ("polyp", "ulcer")
SETTINGS = {
    "classes.names": NAMES,
    "image_size": 64,
    "steps": 60,
    "val_every": 30,
    "tensorboard": False,
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The study, with fixation tables whose trials are called after their task."""
    folder = tmp_path_factory.mktemp("study")
    example = gazetrack.write_class_example(folder, n_images=24, size=(64, 80))
    gazetrack.convert(example.exports, out=folder, trial_by="message=TASK (.+)")
    return folder


@pytest.fixture(scope="module", params=["softmax", "independent"])
def trained(study, request):
    settings = {**SETTINGS, "classes.heads": request.param}
    run = study / f"run-{request.param}"
    return gradtrack_model.train(study, "tiny", settings=settings, out=run)


def test_each_class_is_found_by_gaze_alone(study, trained, tmp_path):
    """Above chance, that is: all of an image called a class has a Dice of about .2 with it."""
    best = trained.best
    assert best["val_dice_polyp"] > 0.5
    assert best["val_dice_ulcer"] > 0.5
    mean = (best["val_dice_polyp"] + best["val_dice_ulcer"]) / 2
    assert best["val_dice"] == pytest.approx(mean)

    network = gradtrack_model.load_model(trained.folder)
    assert network.config.classes.names == NAMES
    assert network.model.head.weight.shape[0] == 2
    ids = tuple((study / "val.txt").read_text("utf-8").split())
    options = gradtrack_model.PredictOptions(probabilities=True, overlay=True, ids=ids)
    out = tmp_path / "predictions"
    done = list(gradtrack_model.predict_folder(study / "images", network, out, options))
    assert [one.error for one in done] == [None] * len(ids)
    labels = np.asarray(Image.open(out / f"{ids[0]}.png"))
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) <= {0, 1, 2}
    shown = np.asarray(Image.open(out / "overlays" / f"{ids[0]}.png"))
    assert shown.shape == (64, 80, 3)

    # What is written is what was validated, and what is written of probabilities fits it.
    assert classes_of_folder(out) == NAMES
    found = evaluate_classes(out, study / "masks", None, NAMES, ids=study / "val.txt").summary()
    for name in NAMES:
        measured = found["classes"][name]["dice"]["mean"]
        assert measured == pytest.approx(best[f"val_dice_{name}"], abs=1e-6)
    grey = np.stack(
        [np.asarray(Image.open(out / "probabilities" / name / f"{ids[0]}.png")) for name in NAMES]
    )
    assert (grey.argmax(0) + 1)[labels > 0] == pytest.approx(labels[labels > 0])
    with pytest.raises(DataError, match="several classes"):
        gradtrack_model.evaluate(out, study / "masks")

    in_memory = gradtrack_model.predict(network, study / "images" / f"{ids[0]}.png")[0]
    assert np.array_equal(in_memory.mask, labels)
    assert in_memory.probability.shape == (2, 64, 80)
    assert in_memory.share == pytest.approx(done[0].share)
    assert "foreground" in in_memory._repr_html_()
    page = (trained.folder / "report.html").read_text("utf-8")
    assert "dice of polyp" in page
    assert "dice of ulcer" in page


def test_the_export_gives_the_probabilities_of_each_class(trained, tmp_path):
    network = gradtrack_model.load_model(trained.folder)
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    exclusive = network.config.classes.exclusive
    segmenter = Segmenter(network.model, tracks=True, exclusive=exclusive).eval()
    with torch.no_grad():
        p, *tracks = segmenter(images)
        logits = network.model((images - segmenter.mean) / segmenter.std).logits
    odds = logits.exp()
    expected = odds / (1 + odds.sum(1, keepdim=True)) if exclusive else odds / (1 + odds)
    torch.testing.assert_close(p, expected, atol=1e-5, rtol=1e-4)
    assert all(track.shape[1] == 2 for track in tracks)
    if not exclusive:
        return
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    export_model(network, tmp_path / "network.onnx")
    facts = {one.key: one.value for one in onnx.load(tmp_path / "network.onnx").metadata_props}
    assert "polyp, ulcer" in facts["classes"]


def test_what_is_for_one_class_is_refused(study, trained, tmp_path):
    network = gradtrack_model.load_model(trained.folder)
    for options in ({"tracks": True}, {"refine_with": "sam"}):
        chosen = gradtrack_model.PredictOptions(**options)
        with pytest.raises(ConfigError, match=r"of 2 classes \(polyp, ulcer\)"):
            list(gradtrack_model.predict_folder(study / "images", network, tmp_path / "p", chosen))
    assert not (tmp_path / "p").exists()


def test_a_run_of_classes_is_calibrated_and_two_of_its_networks_are_averaged(
    study, trained, tmp_path
):
    found, path = gradtrack_model.calibrate(
        trained.folder, study / "images", study / "masks", out=tmp_path / "t.json"
    )
    assert path.exists()
    assert found.measured["nll_after"] < found.measured["nll_before"]
    network = gradtrack_model.load_model(trained.folder)
    ids = tuple((study / "train.txt").read_text("utf-8").split())[:3]
    options = gradtrack_model.PredictOptions(ids=ids, temperature=found, tta=False)
    done = list(gradtrack_model.predict_folder(study / "images", network, tmp_path / "p", options))
    assert [one.error for one in done] == [None] * 3
    last = gradtrack_model.load_model(trained.folder / "last.safetensors")
    options = gradtrack_model.PredictOptions(ids=ids, uncertainty=True)
    out = tmp_path / "both"
    list(gradtrack_model.predict_folder(study / "images", [network, last], out, options))
    with (out / "uncertainty.csv").open() as file:
        assert [set(row) for row in csv.DictReader(file)] == [
            {"image", "uncertainty", "entropy_nats"}
        ] * 3


def test_stored_maps_of_each_target_train_as_the_tables_do(study, tmp_path):
    gazetrack.render(study, study / "images", tmp_path / "maps", target="trial", pooled=True)
    store = gazetrack.read_maps(tmp_path / "maps")
    assert sorted(store.targets) == list(NAMES)
    assert len(store) > len(store.ids)
    short = {**SETTINGS, "steps": 2, "val_every": 2}
    result = gradtrack_model.train(
        study, "tiny", settings=short, maps=tmp_path / "maps", out=tmp_path / "run"
    )
    assert np.isfinite(result.best["val_loss"])
    with pytest.raises(InputError, match=r"holds maps of each of several targets"):
        store.load(store.ids[0])
    one_thing = {**short, "classes.names": ()}
    with pytest.raises(InputError, match="several targets"):
        gradtrack_model.train(study, "tiny", settings=one_thing, maps=tmp_path / "maps")
    gazetrack.render(study, study / "images", tmp_path / "plain")
    with pytest.raises(DataError, match="do not say what was looked for"):
        gradtrack_model.train(study, "tiny", settings=short, maps=tmp_path / "plain")


def test_labels_of_areas_are_classes_without_any_task(study, tmp_path):
    """From rough boxes around what is there, gaze within them, and no word of what was asked."""
    example = [study / f"reader-{number}.asc" for number in (1, 2)]
    gazetrack.convert(example, out=tmp_path)
    areas = gazetrack.read_aois(study / "aois.csv")
    told = gazetrack.render(
        tmp_path, study / "images", tmp_path / "maps", target="aoi", aois=areas, pooled=True
    )
    assert all(one.rows_in == one.rows_out + sum(one.dropped.values()) for one in told)
    store = gazetrack.read_maps(tmp_path / "maps")
    assert sorted(store.targets) == list(NAMES)
    run = tmp_path / "run"
    result = gradtrack_model.train(
        study, "tiny", settings=SETTINGS, maps=tmp_path / "maps", out=run
    )
    assert result.best["val_dice_polyp"] > 0.4
    assert result.best["val_dice_ulcer"] > 0.4
    network = gradtrack_model.load_model(run)
    ids = tuple((study / "val.txt").read_text("utf-8").split())
    out = tmp_path / "predictions"
    options = gradtrack_model.PredictOptions(ids=ids)
    list(gradtrack_model.predict_folder(study / "images", network, out, options))
    found = evaluate_classes(out, study / "masks", None, NAMES, ids=study / "val.txt").summary()
    for name in NAMES:
        dice = found["classes"][name]["dice"]["mean"]
        assert dice == pytest.approx(result.best[f"val_dice_{name}"], abs=1e-6)
    other = {**SETTINGS, "classes.names": ("polyp", "bleeding")}
    with pytest.raises(DataError, match=r"class bleeding: the targets in .* are polyp, ulcer"):
        gradtrack_model.train(study, "tiny", settings=other, maps=tmp_path / "maps")
    by_area = {**SETTINGS, "classes.target": "aoi"}
    with pytest.raises(ConfigError, match="said as maps are rendered - gazetrack render --target"):
        gradtrack_model.train(study, "tiny", settings=by_area)


def test_a_class_that_nobody_looked_for_stops_the_run_before_it_begins(study, tmp_path):
    settings = {**SETTINGS, "classes.names": ("polyp", "bleeding")}
    with pytest.raises(DataError, match=r"class bleeding: the targets in .* are polyp, ulcer"):
        gradtrack_model.train(study, "tiny", settings=settings, out=tmp_path / "run")


def test_masks_teach_classes_too_and_their_values_are_checked(study, tmp_path):
    short = {**SETTINGS, "steps": 2, "val_every": 2, "method": "full"}
    result = gradtrack_model.train(study, "tiny", settings=short, out=tmp_path / "run")
    assert 0 <= result.best["val_dice"] <= 1
    masks = shutil.copytree(study / "masks", tmp_path / "masks")
    case = (study / "val.txt").read_text("utf-8").split()[0]
    Image.fromarray(np.full((64, 80), 7, np.uint8)).save(masks / f"{case}.png")
    for method in ("full", "gradtrack"):
        settings = {**short, "method": method}
        with pytest.raises(DataError, match=rf"{case}\.png: has the value 7"):
            gradtrack_model.train(
                study, "tiny", settings=settings, masks=masks, out=tmp_path / method
            )


def test_a_run_of_classes_resumes_bit_by_bit(study, tmp_path):
    class KilledError(Exception):
        pass

    def kill(progress):
        if progress.step == 3:
            raise KilledError

    settings = {**SETTINGS, "steps": 5, "val_every": 2, "image_size": 32, "ema": 0.9}
    whole = gradtrack_model.train(study, "tiny", settings=settings, out=tmp_path / "whole")
    with pytest.raises(KilledError):
        gradtrack_model.train(study, "tiny", settings=settings, out=tmp_path / "cut", report=kill)
    cut = gradtrack_model.train(study, "tiny", settings=settings, out=tmp_path / "cut", resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        assert (cut.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name
    texts = [(run.folder / "metrics.csv").read_text("utf-8") for run in (whole, cut)]
    rows = [list(csv.DictReader(text.splitlines())) for text in texts]
    assert "val_dice_ulcer" in rows[0][0]
    for one, other in zip(*rows, strict=True):
        assert one | {"seconds": ""} == other | {"seconds": ""}
    facts = json.loads((cut.folder / "last.json").read_text("utf-8"))
    assert facts["config"]["classes"]["names"] == list(NAMES)
