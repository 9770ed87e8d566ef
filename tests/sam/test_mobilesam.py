"""The real MobileSAM, where `gazetrack models` has it, on a picture of our own."""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy import ndimage

from gazetrack.sam.models import known_models
from gazetrack.sam.network import open_network
from gazetrack.sam.parameters import PromptParams
from gazetrack.sam.prompts import Looks, prompted

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def mobilesam():
    from gazetrack.sam.models import find_model

    (state,) = (one for one in known_models() if one.model.name == "mobilesam")
    if not state.installed:
        absent = f"mobilesam is not in {state.folder}: {state.model.how}"
        if os.environ.get("GAZETRACK_REQUIRE_MODELS") == "1":
            pytest.fail(absent)
        pytest.skip(absent)
    return open_network(find_model("mobilesam"))


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def test_it_draws_the_border_of_what_a_rough_map_marks(mobilesam):
    height, width = 240, 320
    y, x = np.mgrid[:height, :width]
    blob = ((x - 190) / 60) ** 2 + ((y - 110) / 42) ** 2 < 1
    rng = np.random.default_rng(0)
    light = ndimage.gaussian_filter(rng.normal(0, 60, (height, width)), 6)[..., None]
    picture = np.where(blob[..., None], [190, 90, 80], [120, 60, 50]) + light
    pixels = picture.clip(0, 255).astype(np.uint8)
    # A map that knows about where the object is, and nothing of its form.
    around = (abs(x - 192) < 64) & (abs(y - 108) < 45)
    rough = np.where(around, 0.8, 0.2)[::2, ::2].astype(np.float32)
    shares = np.array([[0.55, 0.5], [0.6, 0.42], [0.64, 0.5]])
    looks = Looks(shares, np.array([300.0, 200.0, 500.0]))
    embedding = mobilesam.encode(pixels, 512)
    drawn = prompted(mobilesam, embedding, rough, PromptParams(), looks)
    object_ = blob[::2, ::2]
    assert iou(rough >= 0.5, object_) < 0.75
    assert iou(drawn >= 0.5, object_) > 0.9
