"""Cases: image, gaze, label and prediction as pictures of the proportions of the image."""

from __future__ import annotations

import base64
import dataclasses
import io

import numpy as np
import pytest
from PIL import Image

from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.report.cases import PANEL_PX, draw_case
from tests.synthetic import TINY, H, W


@pytest.fixture
def config():
    return load_config("tiny", overrides=TINY)


@pytest.fixture
def sample(folder, config):
    return load_data(discover(folder), config).val[0]


def drawn(uri):
    kind, _, data = uri.partition(";base64,")
    assert kind == "data:image/jpeg"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).astype(int)


def test_panels_have_the_proportions_of_the_image(sample, config):
    case = draw_case(sample, sample.mask, 1.0, config)
    assert [name for name, _ in case.panels] == ["image", "gaze", "label", "prediction"]
    assert (case.image_id, case.dice) == (sample.image_id, 1.0)
    for _, uri in case.panels:
        assert drawn(uri).shape == (round(H * PANEL_PX / W), PANEL_PX, 3)


def test_the_prediction_is_what_is_outlined(sample, config):
    nothing = np.zeros_like(sample.mask)
    panels = dict(draw_case(sample, nothing, 0.0, config).panels)
    plain, label, prediction = (drawn(panels[n]) for n in ("image", "label", "prediction"))
    assert np.abs(prediction - plain).mean() < 1
    assert np.abs(label - plain).mean() > 3


def test_what_an_image_does_not_have_is_not_drawn(sample, config):
    bare = dataclasses.replace(sample, mask=None, tracks=(), maps=None)
    panels = dict(draw_case(bare, np.zeros((H, W), bool), None, config).panels)
    assert panels["label"] == ""
    assert panels["gaze"] == ""
    assert panels["prediction"]
