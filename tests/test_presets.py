"""Presets, and methods and controls on the same data and network."""

from __future__ import annotations

import shutil

import pytest
import torch

from gazetrack.errors import ConfigError, DataError
from gradtrack_model.data.batches import plain_batch
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.presets import METHODS
from gradtrack_model.settings import load_config
from gradtrack_model.training.loop import train
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
