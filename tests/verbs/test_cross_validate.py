"""Cross-validation, from a folder to networks that predict together."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

import gradtrack_model
from gazetrack.errors import ConfigError, OutputError
from gradtrack_model.weights.ensemble import load_ensemble


@pytest.fixture(scope="module")
def folds(study, settings, tmp_path_factory):
    out = tmp_path_factory.mktemp("folds")
    return gradtrack_model.cross_validate(study, "tiny", folds=2, settings=settings, out=out)


def weights(run):
    return (run / "best.safetensors").read_bytes()


def test_every_fold_is_a_run_and_the_summary_is_of_all(study, folds):
    runs = [folds.folder / f"fold-{number}" for number in (1, 2)]
    assert [result.folder for result in folds.results] == runs
    held_out = []
    for run in runs:
        images = json.loads((run / "splits.json").read_text())["images"]
        held_out.append({name for name, facts in images.items() if facts["split"] == "val"})
    assert held_out[0] ^ held_out[1] == {path.stem for path in (study / "images").iterdir()}
    summary = json.loads((folds.folder / "folds.json").read_text())
    assert summary == folds.summary
    for kind in ("best", "last"):
        values = [fold[kind]["val_dice"] for fold in summary["folds"]]
        assert summary[kind]["val_dice"]["mean"] == pytest.approx(np.mean(values))
        assert summary[kind]["val_dice"]["sd"] == pytest.approx(np.std(values, ddof=1))
    for fold, run in zip(summary["folds"], runs, strict=True):
        last = json.loads((run / "last.json").read_text())
        assert fold["last"]["val_loss"] == last["metrics"]["val_loss"]
        best = gradtrack_model.load_model(run)
        assert (fold["best_step"], fold["best"]["val_dice"]) == (
            best.step,
            best.metrics["val_dice"],
        )
        assert best.config.seed == summary["seed"]


def test_networks_of_all_folds_predict_together(study, folds):
    # At the network's own size, so that nothing is resized.
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    (together,) = gradtrack_model.predict(folds.folder, image)
    each = [gradtrack_model.predict(result.folder, image)[0] for result in folds.results]
    mean = np.mean([one.probability for one in each], axis=0)
    np.testing.assert_allclose(together.probability, mean, atol=1e-6)
    assert not np.allclose(each[0].probability, each[1].probability, atol=1e-3)
    (again,) = gradtrack_model.predict([result.folder for result in folds.results], image)
    assert np.array_equal(again.probability, together.probability)
    assert len(load_ensemble([folds.folder]).members) == 2


def test_a_stopped_cross_validation_goes_on_to_the_same_networks(study, settings, folds, tmp_path):
    def stop(fold, progress):
        if (fold, progress.step) == (2, 3):
            os.kill(os.getpid(), signal.SIGTERM)

    given = {"folds": 2, "settings": settings, "out": tmp_path / "cv"}
    stopped = gradtrack_model.cross_validate(study, "tiny", **given, report=stop)
    assert stopped.stopped_by == signal.SIGTERM
    assert not (tmp_path / "cv" / "folds.json").exists()
    done = gradtrack_model.cross_validate(study, "tiny", **given, resume=True)
    assert done.summary == folds.summary
    for number in (1, 2):
        name = f"fold-{number}"
        assert weights(tmp_path / "cv" / name) == weights(folds.folder / name)


def test_a_cross_validation_is_not_replaced_by_accident(study, settings, folds, run, monkeypatch):
    given = {"folds": 2, "settings": settings}
    with pytest.raises(OutputError, match=r"fold-1.*already holds a run"):
        gradtrack_model.cross_validate(study, "tiny", **given, out=folds.folder)
    with pytest.raises(OutputError, match="already holds a run"):
        gradtrack_model.cross_validate(study, "tiny", **given, out=run.folder, force=True)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="in 2 processes - leave out torchrun"):
        gradtrack_model.cross_validate(study, "tiny", **given)
