from __future__ import annotations

import json
from pathlib import Path

import pytest

from gazetrack.errors import ConfigError, InputError
from gazetrack.maps.parameters import MapParams, map_params
from gradtrack_model.presets import PRESETS
from gradtrack_model.settings import as_toml, config_from, load_config


def test_training_and_toolkit_have_one_set_of_map_parameters():
    assert load_config().maps == MapParams()
    assert load_config().maps.kind == "density"
    settings = ["maps.kind=heatmap", "maps.ratios=[.5,1]"]
    assert load_config(settings=settings).maps == map_params(kind="heatmap", ratios=(0.5, 1.0))


def test_a_map_parameter_out_of_range_is_refused_with_the_settings():
    with pytest.raises(ConfigError, match="radius -1"):
        load_config(settings=["maps.radius=-1.0"])


def test_configurations_from_before_the_ratios_were_recorded_still_load():
    released = Path(__file__).parent / "golden" / "kvasir-lite-0.1.json"
    recorded = json.loads(released.read_text("utf-8"))["config"]
    assert recorded["maps"]["ratios"] == []
    assert config_from(recorded).maps == MapParams(kind="tube")


def test_later_sources_win(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('steps = 7\n[model]\nencoder = "basic"\n[optimizer]\nlr = 1\n')
    config = load_config(
        "default", file, ["optimizer.lr=0.5", "device=cpu"], {"steps": 9, "seed": None}
    )
    assert (config.steps, config.optimizer.lr, config.model.encoder, config.device) == (
        9,
        0.5,
        "basic",
        "cpu",
    )
    assert config.seed == 0


@pytest.mark.parametrize("preset", PRESETS)
def test_configurations_survive_json(preset):
    config = load_config(preset)
    assert config_from(json.loads(json.dumps(config.as_dict(), allow_nan=False))) == config


def test_another_encoder_brings_its_own_widths():
    assert load_config("tiny", overrides={"model.encoder": "lite"}).model.widths == (
        128,
        64,
        48,
        32,
    )
    assert load_config("tiny", overrides={"model.encoder": "basic"}).model.widths == (
        8,
        16,
        32,
        64,
        64,
        16,
    )


def test_numbers_may_begin_with_their_point():
    config = load_config(
        settings=["optimizer.lr=.5", "maps.ratios=[.2, 0.75,1]", "maps.levels=3", "augment.hue=1.5"]
    )
    assert (config.optimizer.lr, config.maps.ratios, config.augment.hue) == (
        0.5,
        (0.2, 0.75, 1.0),
        1.5,
    )


@pytest.mark.parametrize(
    ("setting", "match"),
    [
        ("stepz=3", r"'stepz' - did you mean steps\?.*\[CONFIG\]"),
        ("lr=0.1", r"unknown setting 'lr' - did you mean optimizer\.lr\?"),
        ("encodr=lite", r"did you mean model\.encoder\?"),
        ("optimizer.batch_size=4", r"did you mean batch_size\?"),
        ("maps.sed=4", r"did you mean maps\.seed\?"),
        ("sed=4", r"did you mean seed\?"),
        ("optimiser.lr=1", r"'optimiser' - did you mean optimizer\?"),
        ("optimizer.rate=3", "'optimizer.rate' - known: name, lr"),
        ("steps=many", "steps is 'many' - it takes a value of type int"),
        ("steps=0", "steps is 0"),
        ("steps=true", "steps is 'True'"),
        ("optimizer.lr=nan", "optimizer.lr is 'nan'"),
        ("optimizer=adamw", "optimizer is adamw"),
        ("optimizer.name=lion", "optimizer.name is 'lion'"),
        ("model.encoder=vgg", "model.encoder is 'vgg'"),
        ("model.widths=[9]", r"model.widths are \(9,\) - encoder lite takes 4"),
        ("model.heads=0", "model.heads is 0"),
        ("loss.bootstrap=2", "loss.bootstrap is 2"),
        ("image_size=16", "image_size is 16"),
        ("steps", "write it as"),
        ("a.b.c=1", "unknown setting 'a'"),
    ],
)
def test_bad_settings_are_named(setting, match):
    with pytest.raises(ConfigError, match=match):
        load_config(settings=[setting])


def test_bad_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_config(file=tmp_path / "missing.toml")
    (tmp_path / "c.toml").write_text("steps = = 3")
    with pytest.raises(ConfigError, match="is no TOML"):
        load_config(file=tmp_path / "c.toml")
    with pytest.raises(ConfigError, match="preset"):
        load_config("huge")


@pytest.mark.parametrize(
    "typed",
    [
        ["model.encoder=basic", "model.widths=[8,16,24,32,40,16]"],
        ["model.widths=[8,16,24,32,40,16]", "model.encoder=basic"],
    ],
)
def test_the_order_of_settings_does_not_matter(typed, tmp_path):
    wanted = (8, 16, 24, 32, 40, 16)
    assert load_config("default", settings=typed).model.widths == wanted
    assert load_config("tiny", settings=typed).model.widths == wanted
    given = dict(setting.split("=") for setting in typed)
    widths = {"model.widths": list(wanted)}
    assert load_config("default", overrides=given | widths).model.widths == wanted
    # An option and a setting are both typed.
    one = load_config("default", settings=typed[:1], overrides=given | widths)
    assert one.model.widths == wanted


def test_widths_of_a_file_are_those_of_its_encoder(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text("[model]\nwidths = [64, 32, 24, 16]\n")
    assert load_config("default", file).model.widths == (64, 32, 24, 16)
    same = load_config("default", file, ["model.encoder=lite"])
    assert same.model.widths == (64, 32, 24, 16)
    other = load_config("default", file, ["model.encoder=lite2"])
    assert other.model.widths == load_config("default", None, ["model.encoder=lite2"]).model.widths


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", ["gradtrack", "gazemedseg", "full"])
def test_settings_survive_toml(preset, method, tmp_path):
    typed = ['model.encoder="timm:a \\"b\\""', "window=[40,400.5]", "maps.ratios=[0.25,1e-5,1]"]
    config = load_config(preset, settings=typed[:1] if preset == "default" else typed[1:2])
    for one in (config, load_config(preset, overrides={"method": method})):
        file = tmp_path / "settings.toml"
        file.write_text(as_toml(one.as_dict()))
        assert load_config(file=file) == one
        assert load_config("tiny", file) == one  # whatever lies under it
