"""The trainer's public verbs, without files where that is asked for."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import gazetrack
import gradtrack_model
from gazetrack.errors import CheckpointError, ConfigError, DataError, InputError
from gazetrack.images.folder import find_images, read_image, read_mask

SETTINGS = {"steps": 4, "image_size": 32, "batch_size": 2, "val_every": 2, "tensorboard": False}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    example = gazetrack.write_example(folder, n_images=8, size=(40, 56))
    gazetrack.convert(example.exports)
    return folder


@pytest.fixture(scope="module")
def run(study):
    return gradtrack_model.train(study, "tiny", settings=SETTINGS)


def test_train_takes_a_folder_and_gives_a_run_that_load_model_takes(study, run):
    assert run.folder == study / "runs" / "gradtrack"
    assert run.step == 4
    network = gradtrack_model.load_model(run.folder)
    assert network.config.image_size == 32
    again = gradtrack_model.train(study, network.config, out=study / "again")
    assert again.best == run.best
    with pytest.raises(ConfigError, match="settings"):
        gradtrack_model.train(study, network.config, settings={"steps": 5})
    with pytest.raises(ConfigError, match="steeps"):
        gradtrack_model.train(study, "tiny", settings={"steeps": 5})


def test_train_tells_of_its_data_and_its_steps(study, tmp_path):
    seen, steps = [], []
    gradtrack_model.train(
        study,
        "tiny",
        settings=SETTINGS,
        out=tmp_path / "run",
        loaded=seen.append,
        report=lambda progress: steps.append(progress.step),
        images=str(study / "images"),
    )
    assert len(seen[0].train) + len(seen[0].val) == 8
    assert steps[-1] == 4


def test_predictions_at_hand_are_those_of_the_files(study, run, tmp_path):
    network = gradtrack_model.load_model(run.folder)
    found = gradtrack_model.predict(network, study / "images", batch_size=3)
    options = gradtrack_model.PredictOptions(probabilities=True)
    list(gradtrack_model.predict_folder(study / "images", network, tmp_path, options))
    assert [one.name for one in found] == list(find_images(study / "images"))
    for one in found:
        written = np.asarray(Image.open(tmp_path / f"{one.name}.png")) > 0
        np.testing.assert_array_equal(one.mask, written)
        grey = np.asarray(Image.open(tmp_path / "probabilities" / f"{one.name}.png"))
        np.testing.assert_allclose(one.probability * 255, grey, atol=0.51)
        assert one.mask.shape == (40, 56)


def test_predict_takes_arrays_pictures_and_paths_alike(study, run):
    refs = list(find_images(study / "images").values())[:2]
    arrays = [read_image(ref, "RGB") for ref in refs]
    pictures = [Image.fromarray(array) for array in arrays]
    files = [ref.file for ref in refs]
    expected = gradtrack_model.predict(run.folder, files)
    assert [one.name for one in expected] == [file.stem for file in files]
    for images in (arrays, pictures, (arrays[0], files[1])):
        for ours, theirs in zip(gradtrack_model.predict(run.folder, images), expected, strict=True):
            np.testing.assert_array_equal(ours.mask, theirs.mask)
    (alone,) = gradtrack_model.predict(run.folder, arrays[0])
    np.testing.assert_array_equal(alone.mask, expected[0].mask)
    (grey,) = gradtrack_model.predict(run.folder, arrays[0][..., 0])
    assert grey.mask.shape == (40, 56)
    assert "data:image/png;base64," in alone._repr_html_()
    assert "40 x 56" in repr(alone)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(run, image):
    with pytest.raises(ConfigError, match="uint8"):
        gradtrack_model.predict(run.folder, [image])


def test_a_folder_without_images_is_an_error(run, tmp_path):
    with pytest.raises(InputError, match="no image"):
        gradtrack_model.predict(run.folder, tmp_path)


def test_the_released_network_is_there_by_its_name(study):
    network = gradtrack_model.load_model("kvasir-lite")
    (one,) = gradtrack_model.predict(
        network, next(iter(find_images(study / "images").values())).file
    )
    assert one.mask.shape == (40, 56)
    (same,) = gradtrack_model.predict(
        "kvasir-lite", next(iter(find_images(study / "images").values())).file
    )
    np.testing.assert_array_equal(one.probability, same.probability)


def test_an_evaluation_at_hand_is_that_of_the_folders(study, run, tmp_path):
    network = gradtrack_model.load_model(run.folder)
    found = gradtrack_model.predict(network, study / "images")
    list(
        gradtrack_model.predict_folder(
            study / "images", network, tmp_path / "p", gradtrack_model.PredictOptions()
        )
    )
    of_folders = gradtrack_model.evaluate(tmp_path / "p", study / "masks", out=tmp_path / "e")
    assert (tmp_path / "e" / "evaluation.csv").exists()
    expected = [score.measures for score in sorted(of_folders.scores, key=lambda s: s.image_id)]
    masks = {name: read_mask(ref) for name, ref in find_images(study / "masks").items()}
    in_order = [masks[one.name] for one in found]
    for predictions, reference in (
        (found, study / "masks"),
        (found, masks),
        ([one.mask for one in found], in_order),
    ):
        ours = gradtrack_model.evaluate(predictions, reference)
        assert [score.measures for score in ours.scores] == expected
        assert ours.complete
    gradtrack_model.evaluate(tmp_path / "p", study / "masks")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "p"]


def test_an_evaluation_says_what_does_not_fit():
    ours = {"a": np.ones((3, 3), bool), "b": np.ones((2, 2), bool), "c": np.ones((1, 1), bool)}
    masks = {"a": np.ones((3, 3), bool), "b": np.ones((3, 3), bool), "d": np.ones((1, 1), bool)}
    found = gradtrack_model.evaluate(ours, masks)
    assert [score.image_id for score in found.scores if score.error is None] == ["a"]
    assert (found.without_mask, found.without_prediction) == (("c",), ("d",))
    assert not found.complete
    with pytest.raises(DataError, match="no prediction"):
        gradtrack_model.evaluate({"a": ours["a"]}, {"d": masks["d"]})
    with pytest.raises(ConfigError, match="folders"):
        gradtrack_model.evaluate(ours, masks, out="e")


def test_compare_trains_each_method_and_writes_a_table(study, tmp_path):
    found = gradtrack_model.compare(
        study, ["heatmap", "full"], preset="tiny", settings=SETTINGS, out=tmp_path / "c"
    )
    assert [line["method"] for line in found.lines] == ["heatmap", "full"]
    assert not found.failed
    assert (
        json.loads((tmp_path / "c" / "comparison.json").read_text("utf-8"))["reference"]
        == "heatmap"
    )


def test_masks_that_are_none_are_refused_in_words(study, run):
    found = gradtrack_model.predict(run.folder, study / "images")
    seen = [one.mask for one in found]
    likely = [one.probability for one in found]
    with pytest.raises(DataError, match=r"mask '0' holds \d+ values of type float32 - apply"):
        gradtrack_model.evaluate(likely, seen)
    twice = [gradtrack_model.Segmentation("a", seen[0], likely[0])] * 2
    with pytest.raises(DataError, match="two predictions are called 'a'"):
        gradtrack_model.evaluate(twice, seen)
    for wrong in (np.zeros((2, 3, 4, 5)), [np.zeros(4)], ["masks/a.png"]):
        with pytest.raises(DataError, match="give folders"):
            gradtrack_model.evaluate(wrong, wrong)
    with pytest.raises(ConfigError, match="of type NoneType"):
        gradtrack_model.evaluate(None, seen)


def test_masks_may_be_of_any_type_whose_foreground_is_one_value():
    mask = np.array([[True, False], [False, True]])
    for other in (mask, mask.astype(np.uint8) * 255, mask.astype(np.float32)):
        measured = gradtrack_model.evaluate(other, [mask]).summary()["dice"]
        assert measured["mean"] == 1
    empty = gradtrack_model.evaluate(np.zeros_like(mask, np.uint8), mask)
    assert empty.summary()["dice"]["mean"] == 0


def test_a_tensor_is_one_image_and_what_is_no_image_is_refused(run):
    torch = pytest.importorskip("torch")
    pixels = torch.zeros((20, 30, 3), dtype=torch.uint8)
    (found,) = gradtrack_model.predict(run.folder, pixels)
    assert found.mask.shape == (20, 30)
    for wrong in (None, 5, {"a": pixels}):
        with pytest.raises(ConfigError, match="images of type"):
            gradtrack_model.predict(run.folder, wrong)


@pytest.mark.parametrize(
    "choice",
    [{"batch_size": 0}, {"image_size": 0}, {"threshold": 0}, {"threshold": 5}, {"device": "tpu"}],
)
def test_choices_of_prediction_that_cannot_work_are_refused(run, choice):
    pixels = np.zeros((8, 8), np.uint8)
    with pytest.raises(ConfigError, match=r"use (1 or more|a probability|auto, cpu or cuda)"):
        gradtrack_model.predict(run.folder, pixels, **choice)


def test_one_table_one_method_and_one_seed_need_no_list(study, tmp_path):
    table = study / "reader-1.fixations.parquet"
    seen = []
    gradtrack_model.train(
        study,
        "tiny",
        settings=SETTINGS,
        out=tmp_path / "run",
        fixations=str(table),
        loaded=seen.append,
    )
    assert seen[0].gaze.fixations == (table,)
    found = gradtrack_model.compare(
        study, "gradtrack", seeds=3, preset="tiny", settings=SETTINGS, out=tmp_path / "compared"
    )
    assert [line["method"] for line in found.lines] == ["gradtrack"]
    with pytest.raises(ConfigError, match="nothing to compare"):
        gradtrack_model.compare(study, [], preset="tiny", out=tmp_path / "none")


def test_a_run_whose_maps_were_rendered_anew_says_that_these_are_others(study, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study, folder, ignore=shutil.ignore_patterns("runs", "again"))
    for kind in ("hull", "disc"):
        params = gazetrack.MapParams(kind=kind)
        gazetrack.render(folder, out=folder / "maps", params=params)
        if kind == "hull":
            gradtrack_model.train(folder, "tiny", settings=SETTINGS)
    expected = "other maps .*maps.kind was 'hull', is 'disc' - render maps.parquet as it was, or"
    with pytest.raises(CheckpointError, match=expected):
        gradtrack_model.train(folder, "tiny", settings=SETTINGS, resume=True)


def test_a_network_shows_itself_in_one_line(run):
    shown = repr(gradtrack_model.load_model(run.folder))
    assert shown == "<Checkpoint 'best.safetensors': method gradtrack, encoder basic, step 4>"
