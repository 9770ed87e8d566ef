"""Presets, and methods and controls on the same data and network."""

from __future__ import annotations

import shutil

import pytest
import torch

from gazetrack.errors import ConfigError, DataError
from gazetrack.maps.parameters import map_params
from gradtrack_model.data.batches import plain_batch
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.presets import METHODS, PRESETS
from gradtrack_model.settings import load_config
from gradtrack_model.training.loop import train
from gradtrack_model.weights.checkpoint import load_model
from tests.synthetic import TINY

SMALL = TINY | {"image_size": 32, "steps": 2, "val_every": 2, "model.widths": [8] * 6}

# By section: what a method is, whatever data it is trained on. A preset may change the Dice term,
# which is part of the recipe, and where the border of a density map lies, which is of the data.
OF_A_METHOD = {
    "": ("predict_threshold", "crf_weight"),
    "model": ("attention", "gates", "heads", "networks"),
    "loss": ("track_weight", "thresholds", "consistency_weight", "full_first"),
    "maps": ("kind", "levels", "ratios", "truncation", "by", "drop_first"),
}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_and_loads(data_folder, method):
    config = load_config("tiny", overrides=SMALL | {"method": method})
    result = train(config, load_data(discover(data_folder), config), data_folder / "run")
    loaded = load_model(result.folder)
    assert loaded.config == config
    assert loaded.model(torch.zeros(1, 3, 40, 33)).logits.shape == (1, 1, 40, 33)


def test_settings_go_over_the_method():
    config = load_config("tiny", settings=["method=gazemedseg", "loss.thresholds=[0.2, 0.4]"])
    assert (config.loss.thresholds, config.model.networks, config.maps.kind) == (
        (0.2, 0.4),
        2,
        "gazemedseg",
    )
    with pytest.raises(ConfigError, match="method is 'gradtruck'"):
        load_config(settings=["method=gradtruck"])
    with pytest.raises(ConfigError, match=r"thresholds has 1 values, model\.heads is 3"):
        load_config(settings=["model.heads=3"])
    with pytest.raises(ConfigError, match="with one head"):
        load_config(settings=["loss.consistency_weight=1"])


def test_no_preset_changes_what_a_method_is():
    """Attention, losses of a method's own, labels, and the threshold a method was tuned for."""
    for preset in PRESETS:
        for method in METHODS:
            ours, bare = (load_config(p, overrides={"method": method}) for p in (preset, "default"))
            for section, names in OF_A_METHOD.items():
                mine, theirs = ((getattr(c, section) if section else c) for c in (ours, bare))
                for name in names:
                    assert getattr(mine, name) == getattr(theirs, name), (preset, method, name)


def test_methods_differ_on_every_preset():
    for preset in PRESETS:
        configs = [load_config(preset, overrides={"method": m}).as_dict() for m in METHODS]
        bare = [{key: c[key] for key in c if key != "method"} for c in configs]
        same = {
            (m, n)
            for i, m in enumerate(METHODS)
            for j, n in enumerate(METHODS)
            if i < j and bare[i] == bare[j]
        }
        # The labels of `full` are masks, which no setting but the method says.
        assert same == {("plain", "full")}


def test_the_rival_is_what_its_authors_released():
    config = load_config("gazemedseg", overrides={"method": "gazemedseg"})
    assert (config.model.networks, config.model.heads, config.model.attention) == (2, 1, False)
    assert (config.loss.thresholds, config.loss.consistency_weight) == ((0.5, 0.3), 3.0)
    assert (config.loss.dice_weight, config.loss.track_weight) == (0.0, 0.0)
    assert (config.crf_weight, config.maps) == (1.0, map_params("gazemedseg"))


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
