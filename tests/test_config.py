"""Each section of the configuration validates itself, and the whole is all of them."""

from __future__ import annotations

import dataclasses
import math

import pytest

from gazetrack.errors import ConfigError
from gradtrack_model.config import (
    AugmentConfig,
    BatchConfig,
    DataConfig,
    InputConfig,
    OptimizerConfig,
    TrainConfig,
    ValidationConfig,
)
from gradtrack_model.network.losses import LossConfig
from gradtrack_model.network.model import ModelConfig
from gradtrack_model.settings import config_from, load_config


@pytest.mark.parametrize(
    ("section", "name", "last", "beyond"),
    [
        (OptimizerConfig, "lr", 100.0, 100.1),
        (OptimizerConfig, "lr", 0.0, -0.1),
        (OptimizerConfig, "frozen_blocks", 0, -1),
        (OptimizerConfig, "name", "sgd", "lion"),
        (OptimizerConfig, "schedule", "poly", "linear"),
        (AugmentConfig, "hue", 180.0, 181.0),
        (AugmentConfig, "cutmix", 1.0, 1.1),
        (AugmentConfig, "scale", 0.9, 0.95),
        (InputConfig, "image_size", 32, 31),
        (InputConfig, "image_size", 4096, 4097),
        (InputConfig, "predict_scale", 4.0, 4.1),
        (InputConfig, "batch_size", 1, 0),
        (DataConfig, "method", "full", "half"),
        (DataConfig, "val_share", 0.9, 0.95),
        (DataConfig, "window", (40.0, 400.0), (40.0, 0.0)),
        (DataConfig, "window", (), (40.0,)),
        (DataConfig, "window", (40.0, 1.0), (40.0, math.inf)),
        (BatchConfig, "seed", 2**63 - 1, 2**63),
        (BatchConfig, "workers", 64, 65),
        (BatchConfig, "cache", "device", "disk"),
        (ValidationConfig, "predict_threshold", 0.999, 1.0),
        (ValidationConfig, "precision", "fp16", "fp8"),
        (LossConfig, "thresholds", (1.0,), (1.1,)),
        (LossConfig, "ignore_band", 0.5, 0.6),
        (ModelConfig, "heads", 8, 9),
        (ModelConfig, "encoder", "lite2", "vgg"),
        (TrainConfig, "steps", 1, 0),
        (TrainConfig, "ema", 0.99999, 1.0),
        (TrainConfig, "device", "cpu", "tpu"),
        (TrainConfig, "patience", 0, -1),
        (TrainConfig, "image_size", 32, 31),
        (TrainConfig, "cache", "host", "disk"),
        (TrainConfig, "precision", "bf16", "fp8"),
        (TrainConfig, "method", "heatmap", "half"),
    ],
)
def test_a_section_validates_itself(section, name, last, beyond):
    assert getattr(section(**{name: last}), name) == last
    with pytest.raises(ConfigError, match=name):
        section(**{name: beyond})


def test_the_size_of_prediction_is_within_the_limits_of_images():
    assert InputConfig(image_size=2048, predict_scale=2.0).predicting_size == 4096
    with pytest.raises(ConfigError, match="image_size \\* predict_scale is 4098"):
        InputConfig(image_size=2049, predict_scale=2.0)


def test_predicting_is_the_same_section_at_the_other_size():
    config = DataConfig(image_size=64, predict_scale=1.5, val_share=0.3)
    assert config.predicting() == dataclasses.replace(config, image_size=96, predict_scale=1.0)
    assert config.predicting().predicting() == config.predicting()


def test_the_whole_is_all_sections_with_the_same_defaults():
    whole = TrainConfig()
    for section in (DataConfig, BatchConfig, ValidationConfig):
        assert isinstance(whole, section)
        for name, value in vars(section()).items():
            assert getattr(whole, name) == value


def test_settings_that_need_each_other():
    with pytest.raises(ConfigError, match=r"thresholds has 1 values, model\.heads is 3"):
        TrainConfig(model=ModelConfig(heads=3))
    with pytest.raises(ConfigError, match="consistency_weight with one head"):
        TrainConfig(loss=LossConfig(consistency_weight=1.0))
    with pytest.raises(ConfigError, match="cuda_graphs without compile"):
        TrainConfig(cuda_graphs=True)
    with pytest.raises(ConfigError, match="or with accumulate"):
        TrainConfig(cuda_graphs=True, compile=True, accumulate=2)
    assert TrainConfig(cuda_graphs=True, compile=True).cuda_graphs


def test_plain_values_begin_with_the_run_and_end_with_the_sections():
    values = list(TrainConfig().as_dict().values())
    are_sections = [isinstance(value, dict) for value in values]
    assert are_sections == sorted(are_sections)
    assert sum(are_sections) == 6


def test_the_network_gets_its_classes_from_their_names():
    config = load_config("tiny", settings=["classes.names=['polyp','ulcer']"])
    assert config.model.classes == 2
    assert config_from(config.as_dict()) == config
    assert load_config("tiny").model.classes == 1
    with pytest.raises(ConfigError, match=r"model\.classes is 3, classes\.names has 2"):
        load_config("tiny", settings=["classes.names=['a','b']", "model.classes=3"])


@pytest.mark.parametrize(
    "setting",
    [
        "crf_weight=1",
        "model.heads=2",
        "method=gazemedseg",
        "loss.soft_labels=true",
        "loss.bootstrap=.2",
        "classes.target=task",
    ],
)
def test_what_several_classes_cannot_have_is_refused(setting):
    names = "classes.names=['a','b']"
    with pytest.raises(ConfigError):
        load_config("tiny", settings=[names, setting])
    if setting.startswith("loss."):
        load_config("tiny", settings=[names, setting, "classes.heads=independent"])
