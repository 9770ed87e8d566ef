"""What was seen is kept for the last images, and computed once though many ask at once."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from gazetrack.errors import ConfigError
from gradtrack_model.evaluation.predict import PredictOptions
from gradtrack_model.network.classes import ClassConfig
from gradtrack_model.viewer import seeing
from gradtrack_model.viewer.seeing import Looker
from gradtrack_model.weights.ensemble import Ensemble, load_ensemble


@pytest.fixture
def looker(run_folder):
    networks = load_ensemble([run_folder / "runs" / "gradtrack"])
    return Looker(networks, PredictOptions(tta=True))


def test_an_image_is_computed_once(looker, monkeypatch):
    asked = []
    real = seeing.ensemble_passes
    monkeypatch.setattr(
        seeing, "ensemble_passes", lambda *args: asked.append(args[1]) or real(*args)
    )
    image = Image.new("RGB", (80, 64), (120, 40, 30))
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda _: looker.look(7, image), range(4)))
    assert len(asked) == 1
    assert all(one is seen[0] for one in seen)
    assert seen[0].mask.shape == (64, 80)
    assert 0 <= seen[0].uncertainty <= 1
    for number in range(100, 100 + seeing._KEPT):
        looker.look(number, image)
    looker.look(7, image)  # forgotten meanwhile
    assert len(asked) == seeing._KEPT + 2
    assert len(looker._kept) == seeing._KEPT


def test_one_network_that_looks_once_has_no_uncertainty(run_folder):
    networks = load_ensemble([run_folder / "runs" / "gradtrack"])
    seen = Looker(networks, PredictOptions()).look(0, Image.new("RGB", (80, 64)))
    assert seen.uncertainty == 0
    assert not seen.deviation.any()


def test_several_classes_are_refused(looker):
    first = looker.ensemble.first
    config = dataclasses.replace(first.config, classes=ClassConfig(names=("a", "b")))
    several = Ensemble((dataclasses.replace(first, config=config),))
    with pytest.raises(ConfigError, match="the page of 2 classes"):
        Looker(several, PredictOptions())
