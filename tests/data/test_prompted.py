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
    return PromptRefiner(write_pair(tmp_path / "toy"), PromptParams(size=64))


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
