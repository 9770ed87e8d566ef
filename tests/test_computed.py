"""What a run is called is what it computed; two that compute the same are found out."""

from __future__ import annotations

import dataclasses

import pytest

from gradtrack_model.computed import Computed
from gradtrack_model.presets import METHODS, PRESETS
from gradtrack_model.settings import config_from, load_config
from gradtrack_model.weights.checkpoint import load_model

PLAIN = ["model.attention=false", "loss.track_weight=0"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_called_what_it_is_on_every_preset(method, preset):
    config = load_config(preset, overrides={"method": method})
    assert Computed(config).name == method
    # Settings that are of the data or the recipe make no other method.
    more = ["maps.blur=0.0651", "optimizer.lr=0.01", "steps=7", "seed=3", "precision=bf16"]
    assert Computed(load_config(preset, settings=[f"method={method}", *more])).name == method


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (PLAIN, "plain"),
        (["method=gradtrack-head", *PLAIN], "plain"),
        (["model.attention=false"], "gradtrack-no-attention"),
        (["loss.track_weight=0"], "gradtrack-no-supervision"),
        (["maps.truncation=none"], "gradtrack-none"),
        (["model.gates=true", *PLAIN], "gradtrack-gates"),
        (["maps.kind=tube"], "gradtrack"),
        (["method=heatmap", "maps.kind=density"], "plain"),
        (
            ["method=gradtrack-head", "model.attention=false"],
            "gradtrack-head, changed: model.attention off",
        ),
        (
            ["method=gazemedseg", "loss.dice_weight=1", "crf_weight=0"],
            "gazemedseg, changed: crf_weight 0, loss.dice_weight 1",
        ),
        (
            ["method=gazemedseg", "loss.consistency_weight=0.5", "loss.soft_labels=true"],
            "gazemedseg, changed: loss.consistency_weight 0.5, loss.soft_labels on",
        ),
        (["method=full", "model.attention=true"], "full, changed: model.attention on"),
    ],
)
def test_a_run_is_named_by_what_it_computes(settings, name):
    assert Computed(load_config(settings=settings)).name == name


def test_the_released_network_is_a_plain_decoder():
    config = load_model("kvasir-lite").config
    assert config.method == "plain"
    assert Computed(config).name == "plain"
    assert Computed(config).parts["decoder"] == "plain decoder"


def test_the_variant_of_before_is_no_gazemedseg():
    """Two heads on one network, without a CRF: so the configurations of older runs say."""
    old = load_config(overrides={"method": "gazemedseg"}).as_dict()
    del old["crf_weight"], old["model"]["networks"]
    old["model"]["heads"] = 2
    old["maps"]["kind"] = "heatmap"
    changed = "model.heads 2, model.networks 1, maps.kind heatmap, crf_weight 0"
    assert Computed(config_from(old)).name == f"gazemedseg, changed: {changed}"


def test_the_parts_say_all_that_tells_methods_apart():
    config = load_config(settings=["method=gazemedseg", "predict_threshold=.35", "precision=fp32"])
    assert Computed(config).parts == {
        "decoder": "plain decoder, 2 networks",
        "levels": "the last level alone",
        "loss": "cross-entropy + 3 x consistency",
        "label": "gazemedseg maps refined by a CRF of weight 1, at 0.5 and 0.3",
        "precision": "fp32",
        "threshold": "foreground above 0.35",
    }
    assert Computed(load_config()).summary == (
        "Track Attention; 4 levels (tail by count); cross-entropy + Dice + levels; "
        "density maps, at 0.5; auto precision; foreground above 0.5"
    )
    soft = load_config(
        settings=["loss.soft_labels=true", "loss.bootstrap=.2", "loss.dice_weight=.5"]
    )
    assert Computed(soft).parts["label"] == "density maps, soft, 0.2 of it the network's own"
    assert Computed(soft).parts["loss"] == "cross-entropy + 0.5 x Dice + levels"
    assert Computed(load_config(settings=["method=full"])).parts["label"] == "masks"


def test_every_two_methods_compute_something_else():
    essences = [Computed(load_config(overrides={"method": method})).essence for method in METHODS]
    for i, one in enumerate(essences):
        assert one not in essences[:i]


def test_what_has_no_effect_tells_nothing_apart():
    plain = Computed(load_config(settings=["method=plain"])).essence
    for settings in (
        ["method=gradtrack-head", *PLAIN],
        ["method=plain", "maps.levels=1", "seed=5", "device=cpu"],
        ["method=plain", "maps.truncation=random", "loss.full_first=true"],
    ):
        assert Computed(load_config(settings=settings)).essence == plain, settings
    for settings in (
        ["method=gradtrack-shuffled", *PLAIN],
        ["method=plain", "maps.ratios=[0.25, 0.5]", "maps.levels=2"],
        ["method=plain", "predict_threshold=.4"],
        ["method=plain", "precision=bf16"],
    ):
        assert Computed(load_config(settings=settings)).essence != plain, settings
    masks = load_config(settings=["method=full"])
    other = dataclasses.replace(masks, maps=load_config("polyp").maps)
    assert Computed(masks).essence == Computed(other).essence != plain


def test_classes_are_said_and_make_another_run():
    names = "classes.names=['polyp','ulcer']"
    softmax = Computed(load_config(settings=[names]))
    independent = Computed(load_config(settings=[names, "classes.heads=independent"]))
    assert softmax.name == "gradtrack"
    assert softmax.parts["decoder"] == "Track Attention, 2 classes (softmax): polyp and ulcer"
    one_class = Computed(load_config())
    assert "classes" not in one_class.line
    assert one_class.essence != softmax.essence != independent.essence
