"""Networks that predict together: how they are named, and what does not fit."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from gazetrack.errors import CheckpointError, ConfigError
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.weights.checkpoint import load_model
from gradtrack_model.weights.ensemble import Ensemble, as_ensemble, load_ensemble


@pytest.fixture
def runs(run_folder, tmp_path):
    """Two runs, as a cross-validation leaves them."""
    for number in (1, 2):
        shutil.copytree(
            run_folder / "runs" / "gradtrack",
            tmp_path / f"fold-{number}",
            ignore=shutil.ignore_patterns("states"),
        )
    facts = {"format": "gradtrack folds 1"}
    facts["folds"] = [{"folder": "fold-1"}, {"folder": "fold-2"}]
    (tmp_path / "folds.json").write_text(json.dumps(facts))
    return tmp_path


def names(ensemble):
    return [one.path.parent.name for one in ensemble.members]


def test_many_ways_to_name_the_same_networks(runs, monkeypatch):
    monkeypatch.chdir(runs)
    both = ["fold-1", "fold-2"]
    assert names(load_ensemble([runs])) == both
    assert names(load_ensemble([runs / "folds.json"])) == both
    assert names(load_ensemble([runs / "*"])) == both
    # As a shell writes it out, the cross-validation's own file included.
    assert names(load_ensemble(sorted(runs.iterdir()))) == both
    assert names(load_ensemble(["fold-2", runs / "fold-1", "./fold-2"])) == both[::-1]
    assert names(load_ensemble(["fold-1"])) == ["fold-1"]
    assert len(load_ensemble(["kvasir-lite"]).members) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nothing/*", "fits no run"),
        ("nothing", "no such run"),
    ],
)
def test_what_names_no_network(runs, given, says):
    with pytest.raises(CheckpointError, match=says):
        load_ensemble([runs / given])


@pytest.mark.parametrize(
    "facts",
    [
        "[]",
        "{",
        "{}",
        '{"format": "gradtrack folds 1", "folds": []}',
        '{"format": "gradtrack folds 1", "folds": [{"folder": "../elsewhere"}]}',
        '{"format": "gradtrack folds 2", "folds": [{"folder": "fold-1"}]}',
    ],
)
def test_a_file_that_is_no_cross_validation(runs, facts):
    (runs / "folds.json").write_text(facts)
    with pytest.raises(CheckpointError, match="is no cross-validation"):
        load_ensemble([runs])


def test_networks_that_do_not_see_images_alike(run_folder):
    one = load_model(run_folder / "runs" / "gradtrack")

    def other(**changes):
        return dataclasses.replace(one, config=dataclasses.replace(one.config, **changes))

    with pytest.raises(ConfigError, match="predicting_size of gradtrack is 96, of the first 64"):
        Ensemble((one, other(image_size=96)))
    with pytest.raises(ConfigError, match="window"):
        as_ensemble([one, other(window=(40.0, 400.0))])
    with pytest.raises(ConfigError, match="no networks"):
        as_ensemble([])
    unequal = as_ensemble([one, other(predict_threshold=0.4)])
    with pytest.raises(ConfigError, match=r"thresholds 0.4, 0.5 - give one with --threshold"):
        unequal.threshold(None)
    assert unequal.threshold(0.3) == 0.3
    assert as_ensemble(one).threshold(None) == one.config.predict_threshold


def test_networks_of_other_classes_are_not_averaged(run_folder):
    first = load_model(run_folder / "runs" / "gradtrack")

    def of(**classes):
        config = dataclasses.replace(first.config, classes=ClassConfig(**classes))
        return dataclasses.replace(first, config=config)

    two = of(names=("a", "b"))
    assert Ensemble((two, two)).exclusive
    assert not Ensemble((first, first)).exclusive
    assert not Ensemble((of(names=("a", "b"), heads="independent"),)).exclusive
    for other, said in (
        (first, "tells apart one class, the first a, b"),
        (of(names=("b", "a")), "tells apart b, a"),
        (of(names=("a", "b"), heads="independent"), r"a, b \(independent\)"),
    ):
        with pytest.raises(ConfigError, match=said):
            Ensemble((two, other))
