"""Predictions at hand, without files where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import gradtrack_model
from gazetrack.errors import ConfigError, InputError
from gazetrack.images.folder import find_images, read_image


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


def test_a_network_shows_itself_in_one_line(run):
    shown = repr(gradtrack_model.load_model(run.folder))
    assert shown == "<Checkpoint 'best.safetensors': method gradtrack, encoder basic, step 4>"
