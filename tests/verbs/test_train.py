"""Training from a notebook: of a folder, with settings or a whole configuration."""

from __future__ import annotations

import shutil

import pytest

import gazetrack
import gradtrack_model
from gazetrack.errors import CheckpointError, ConfigError


def test_train_takes_a_folder_and_gives_a_run_that_load_model_takes(study, run):
    assert run.folder == study / "runs" / "gradtrack"
    assert run.step == 4
    network = gradtrack_model.load_model(run.folder)
    assert network.config.image_size == 32
    again = gradtrack_model.train(study, network.config, out=study / "again")
    assert again.best == run.best
    with pytest.raises(ConfigError, match="settings"):
        gradtrack_model.train(study, network.config, settings={"steps": 5})
    with pytest.raises(ConfigError, match="steeps"):
        gradtrack_model.train(study, "tiny", settings={"steeps": 5})


def test_train_tells_of_its_data_and_its_steps(study, tmp_path, settings):
    seen, steps = [], []
    gradtrack_model.train(
        study,
        "tiny",
        settings=settings,
        out=tmp_path / "run",
        loaded=seen.append,
        report=lambda progress: steps.append(progress.step),
        images=str(study / "images"),
    )
    assert len(seen[0].train) + len(seen[0].val) == 8
    assert steps[-1] == 4


def test_a_run_whose_maps_were_rendered_anew_says_that_these_are_others(study, tmp_path, settings):
    folder = tmp_path / "study"
    shutil.copytree(study, folder, ignore=shutil.ignore_patterns("runs", "again"))
    for kind in ("hull", "disc"):
        params = gazetrack.MapParams(kind=kind)
        gazetrack.render(folder, out=folder / "maps", params=params)
        if kind == "hull":
            gradtrack_model.train(folder, "tiny", settings=settings)
    expected = "other maps .*maps.kind was 'hull', is 'disc' - render maps.parquet as it was, or"
    with pytest.raises(CheckpointError, match=expected):
        gradtrack_model.train(folder, "tiny", settings=settings, resume=True)
