"""Methods and controls on the same data and network."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import torch

from gazetrack.errors import ConfigError, DataError
from gradtrack_model.config import load_config
from gradtrack_model.data.batches import plain_batch
from gradtrack_model.data.sources import discover, load_data
from gradtrack_model.methods import METHODS
from gradtrack_model.network.consistency import consistency_loss, propagate
from gradtrack_model.network.losses import gaze_loss
from gradtrack_model.training.loop import build_model, train
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import TINY

SMALL = TINY | {"image_size": 32, "steps": 2, "val_every": 2, "model.widths": [8] * 6}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_loads(data_folder, method):
    config = load_config("tiny", overrides=SMALL | {"method": method})
    result = train(config, load_data(discover(data_folder), config), data_folder / "run")
    loaded = load_model(result.folder)
    assert loaded.config == config
    assert loaded.model(torch.zeros(1, 3, 40, 33)).logits.shape == (1, 1, 40, 33)


def test_settings_go_over_the_method():
    config = load_config("tiny", settings=["method=gazemedseg", "loss.thresholds=[0.2, 0.4]"])
    assert (config.loss.thresholds, config.model.heads, config.maps.kind) == (
        (0.2, 0.4),
        2,
        "heatmap",
    )
    with pytest.raises(ConfigError, match="method is 'gradtruck'"):
        load_config(settings=["method=gradtruck"])
    with pytest.raises(ConfigError, match=r"thresholds has 1 values, model\.heads is 3"):
        load_config(settings=["model.heads=3"])
    with pytest.raises(ConfigError, match="with one head"):
        load_config(settings=["loss.consistency_weight=1"])


def test_full_supervision_learns_from_masks_alone(data_folder, tmp_path):
    config = load_config("tiny", overrides=SMALL | {"method": "full"})
    for name in ("images", "masks"):
        shutil.copytree(data_folder / name, tmp_path / name)
    (tmp_path / "val.txt").write_text("im5")
    with pytest.raises(ConfigError, match="no gaze"):
        discover(tmp_path)
    data = load_data(discover(tmp_path, need_gaze=False), config)
    assert len(data.train) == 5
    label = plain_batch(data.train[:1], config).maps
    assert label.shape == (1, 1, 32, 32)
    with_gaze = load_data(discover(data_folder), config)
    assert data.sha256() == with_gaze.sha256()
    shutil.rmtree(tmp_path / "masks")
    with pytest.raises(DataError, match="no training image has a mask"):
        load_data(discover(tmp_path, need_gaze=False), config)


def test_gaze_never_enters_the_network(data_folder, config):
    """Its prediction depends on the image alone; gaze reaches the weights through the loss only."""
    data = load_data(discover(data_folder), config)
    model, batch = build_model(config), plain_batch(data.train[:2], config)
    seen = []
    model.register_forward_pre_hook(
        lambda _, given, kwargs: seen.append((given, kwargs)), with_kwargs=True
    )
    first = model(batch.images)
    gaze_loss(first, batch.maps, config.loss).total.backward()
    bare = [
        dataclasses.replace(sample, maps=torch.zeros(4, 64, 64, dtype=torch.uint8))
        for sample in data.train[:2]
    ]
    assert torch.equal(model(plain_batch(bare, config).images).logits, first.logits)
    assert [(len(given), kwargs) for given, kwargs in seen] == [(1, {}), (1, {})]
    assert torch.equal(seen[0][0][0], batch.images)


def slow_propagate(p, features):
    """Pixel by pixel."""
    h, w = p.shape[-2:]
    out = torch.zeros_like(p)
    for y, x in np.ndindex(h, w):
        there = [(y + 2 * i, x + 2 * j) for i in range(-2, 3) for j in range(-2, 3)]
        there = [(a, b) for a, b in there if 0 <= a < h and 0 <= b < w]
        score = torch.stack([features[0, :, y, x] @ features[0, :, a, b] for a, b in there])
        weight = torch.softmax(score, 0)
        out[0, :, y, x] = sum(weight[k] * p[0, :, a, b] for k, (a, b) in enumerate(there))
    return out


def test_propagation_is_the_formula():
    torch.manual_seed(0)
    p, features = (
        torch.rand(1, 2, 7, 9, dtype=torch.float64),
        torch.randn(1, 3, 7, 9, dtype=torch.float64),
    )
    assert torch.allclose(propagate(p, features), slow_propagate(p, features))


def test_heads_that_agree_cost_less():
    features = torch.zeros(1, 4, 12, 12)
    same = torch.full((1, 2, 12, 12), 9.0)
    assert consistency_loss(same, features) < 0.01
    opposite = torch.cat([same[:, :1], -same[:, :1]], dim=1)
    assert consistency_loss(opposite, features) == pytest.approx(2, abs=0.01)
    heads = torch.zeros(1, 2, 12, 12, requires_grad=True)
    consistency_loss(heads + same, features).backward()
    assert heads.grad.abs().sum() > 0
