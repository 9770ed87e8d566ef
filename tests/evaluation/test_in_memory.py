"""Masks and probabilities of images at hand, from a network whose answer is known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gazetrack.errors import ConfigError, InputError
from gradtrack_model.evaluation.in_memory import Segmentation, segment
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.weights.checkpoint import Checkpoint

SIZE = 64
LOGIT = 2.0  # of what is bright; the probability is 1 / (1 + exp(-2)), about 0.88


class BrightIsForeground(nn.Module):
    """Says what is bright, and remembers the shapes of what it was asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def forward(self, images):
        self.asked.append(tuple(images.shape))
        bright = images.mean(1, keepdim=True) > 0
        return SimpleNamespace(logits=torch.where(bright, LOGIT, -LOGIT))


@pytest.fixture
def checkpoint(config):
    known = dataclasses.replace(config, image_size=SIZE, predict_scale=1.0, predict_threshold=0.5)
    return Checkpoint(BrightIsForeground(), known, 0, {}, Path("bright.safetensors"))


def half_bright(height=SIZE, width=SIZE):
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = 255
    return image


def test_the_mask_is_where_the_network_sees_foreground(checkpoint):
    (found,) = segment(checkpoint, half_bright(), PredictOptions())
    np.testing.assert_array_equal(found.mask, half_bright()[..., 0] > 0)
    expected = np.where(found.mask, 1 / (1 + np.exp(-LOGIT)), 1 / (1 + np.exp(LOGIT)))
    np.testing.assert_allclose(found.probability, expected, rtol=1e-5)
    assert (found.mask.dtype, found.probability.dtype) == (np.bool_, np.float32)
    assert found.share == 0.5


def test_masks_have_the_size_of_their_images(checkpoint):
    images = [half_bright(40, 90), half_bright(100, 50)]
    found = segment(checkpoint, images, PredictOptions())
    assert [one.mask.shape for one in found] == [(40, 90), (100, 50)]
    assert [one.probability.shape for one in found] == [(40, 90), (100, 50)]
    for one in found:
        assert one.share == pytest.approx(0.5, abs=0.03)
        assert one.mask[:, 0].all()
        assert not one.mask[:, -1].any()


def test_a_border_between_pixels_of_the_network_is_a_smooth_line(checkpoint):
    (found,) = segment(checkpoint, half_bright(128, 128), PredictOptions())
    row = found.probability[64, 60:68]
    assert (np.diff(row) <= 0).all()
    assert len(np.unique(row.round(3))) > 2


@pytest.mark.parametrize(("threshold", "share"), [(0.05, 1), (0.5, 0.5), (0.95, 0)])
def test_the_threshold_is_a_probability(checkpoint, threshold, share):
    (found,) = segment(checkpoint, half_bright(), PredictOptions(threshold=threshold))
    assert found.share == share
    own = dataclasses.replace(checkpoint.config, predict_threshold=threshold)
    (found,) = segment(dataclasses.replace(checkpoint, config=own), half_bright(), PredictOptions())
    assert found.share == share


def test_the_network_sees_batches_of_the_size_that_is_asked_for(checkpoint):
    images = [half_bright(20 + n, 30) for n in range(5)]
    found = segment(checkpoint, images, PredictOptions(batch_size=2, image_size=32))
    assert checkpoint.model.asked == [(2, 3, 32, 32), (2, 3, 32, 32), (1, 3, 32, 32)]
    assert [one.name for one in found] == ["0", "1", "2", "3", "4"]
    assert [one.mask.shape[0] for one in found] == [20, 21, 22, 23, 24]
    segment(checkpoint, images[0], PredictOptions())
    assert checkpoint.model.asked[-1] == (1, 3, SIZE, SIZE)


def test_flips_are_averaged_where_that_is_asked_for(checkpoint):
    (plain,) = segment(checkpoint, half_bright(), PredictOptions())
    (over_flips,) = segment(checkpoint, half_bright(), PredictOptions(tta=True))
    assert len(checkpoint.model.asked) == 1 + 4
    np.testing.assert_allclose(over_flips.probability, plain.probability)


def test_arrays_pictures_files_and_folders_are_taken(checkpoint, tmp_path):
    picture = Image.fromarray(half_bright())
    for name in ("b", "a"):
        picture.save(tmp_path / f"{name}.png")
    grey = half_bright()[..., 0]
    images = [half_bright(), grey, picture, picture.convert("L"), tmp_path / "b.png", tmp_path]
    found = segment(checkpoint, images, PredictOptions())
    assert [one.name for one in found] == ["0", "1", "2", "3", "b", "a", "b"]
    for one in found:
        np.testing.assert_array_equal(one.mask, found[0].mask)
    assert [one.name for one in segment(checkpoint, str(tmp_path), PredictOptions())] == ["a", "b"]
    assert segment(checkpoint, [], PredictOptions()) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4)),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_what_is_no_picture_is_refused(checkpoint, image):
    with pytest.raises(ConfigError, match="uint8"):
        segment(checkpoint, [half_bright(), image], PredictOptions())


def test_files_that_cannot_be_read_and_empty_folders_are_named(checkpoint, tmp_path):
    with pytest.raises(InputError, match="holds no image") as caught:
        segment(checkpoint, tmp_path, PredictOptions())
    assert caught.value.path == tmp_path
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"bad\.png"):
        segment(checkpoint, tmp_path / "bad.png", PredictOptions())
    with pytest.raises(InputError):
        segment(checkpoint, tmp_path / "gone.png", PredictOptions())


def test_a_segmentation_shows_its_size_and_share():
    mask = np.zeros((2, 4), np.bool_)
    mask[0, 0] = True
    one = Segmentation("im1", mask, np.full((2, 4), 0.5, np.float32))
    assert repr(one) == "<Segmentation of 'im1', 2 x 4: 12.5% foreground>"
    html = one._repr_html_()
    assert "12.5%" in html
    assert "2 x 4 px" in html
    assert "data:image/png;base64," in html
    named = Segmentation("<i>", mask, one.probability)._repr_html_()
    assert "&lt;i&gt;" in named
    assert "<i>" not in named
