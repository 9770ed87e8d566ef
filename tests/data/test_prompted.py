"""A network's prediction drawn anew by a made-up prompt model whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from gazetrack.errors import ConfigError
from gradtrack_model.data.prompted import PromptParams, PromptRefiner
from tests.sam.tiny import write_pair

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

IMAGE = Image.new("RGB", (80, 40), (120, 120, 120))


@pytest.fixture
def refiner(tmp_path):
    return PromptRefiner(write_pair(tmp_path / "toy"), PromptParams(size=64), share=1.0)


def logits_with(rows, columns, inside=2.0, outside=-2.0):
    """Two channels of 32 x 32 pixels; of the first, a block is higher."""
    logits = torch.full((2, 32, 32), outside)
    logits[0, rows, columns] = inside
    return logits


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_the_box_of_the_prediction_is_drawn_by_the_model(refiner, threshold):
    border = np.log(threshold / (1 - threshold))
    logits = logits_with(slice(8, 24), slice(4, 20), inside=border + 1, outside=border - 1)
    # Part of the block is missing, and the model, which knows boxes alone, closes the gap.
    logits[0, 12:16, 8:12] = border - 1
    found = refiner.refine(IMAGE, logits, threshold)
    mask = torch.sigmoid(found[0]) > threshold
    assert mask[10:22, 6:18].all()
    assert not mask[:6].any()
    assert not mask[:, 22:].any()
    assert torch.equal(found[1], logits[1])
    assert found.dtype == logits.dtype


def test_where_nothing_is_foreground_nothing_changes(refiner):
    logits = logits_with(slice(8, 24), slice(4, 20), inside=-1.0)
    assert refiner.refine(IMAGE, logits, 0.5) is logits


def test_the_model_has_a_name_and_lessons(refiner):
    assert refiner.said == "toy (learned from masks of its makers' choice)"


def test_an_image_larger_than_the_canvas_is_refused_at_once(tmp_path):
    with pytest.raises(ConfigError, match="on a canvas of 64 pixels"):
        PromptRefiner(write_pair(tmp_path / "toy"), PromptParams())


def test_share_mixes_the_model_with_the_network_in_logits(tmp_path):
    pair = write_pair(tmp_path / "toy")
    logits = logits_with(slice(8, 24), slice(4, 20), inside=1.0, outside=-1.0)
    found = {}
    for share in (1e-9, 0.25, 0.5, 1.0):
        found[share] = PromptRefiner(pair, PromptParams(size=64), share).refine(IMAGE, logits, 0.5)
    assert torch.allclose(found[1e-9], logits, atol=1e-4)
    for share in (0.25, 0.5):
        expected = torch.lerp(logits[0], found[1.0][0], share)
        assert torch.allclose(found[share][0], expected, atol=1e-4)
    # None is surer than .97: a model that is sure of nothing in particular shall not win alone.
    assert found[1.0][0].abs().max() <= np.log(0.97 / 0.03) + 1e-4


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5])
def test_a_share_that_is_none_is_refused(tmp_path, share):
    with pytest.raises(ConfigError, match=r"share .* of a prompt model"):
        PromptRefiner(write_pair(tmp_path / "toy"), PromptParams(size=64), share)


def test_where_both_are_certain_and_disagree_the_network_has_the_last_word(tmp_path):
    refiner = PromptRefiner(write_pair(tmp_path / "toy"), PromptParams(size=64), share=0.5)
    # A hole in the block, of which the network is certain: the model, which knows boxes, fills it.
    logits = logits_with(slice(8, 24), slice(4, 20), inside=20.0, outside=-20.0)
    logits[0, 12:20, 8:16] = -20.0
    its = PromptRefiner(write_pair(tmp_path / "two"), PromptParams(size=64), share=1.0)
    certain = its.refine(IMAGE, logits, 0.5)[0, 13:19, 9:15]
    assert certain.min() > 3.47  # as certain as it is let to be
    assert (refiner.refine(IMAGE, logits, 0.5)[0, 13:19, 9:15] < -1e-3).all()


def test_a_thin_image_is_refined_too(tmp_path):
    refiner = PromptRefiner(write_pair(tmp_path / "toy"), PromptParams(size=64))
    thin = Image.new("RGB", (600, 2), (120, 120, 120))
    logits = logits_with(slice(8, 24), slice(4, 20))
    assert torch.isfinite(refiner.refine(thin, logits, 0.5)).all()
