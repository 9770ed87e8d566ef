"""Training from a notebook: of a folder, with settings or a whole configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

import gazetrack
import gradtrack_model
from gazetrack.errors import CheckpointError, ConfigError, OutputError
from gradtrack_model.verbs import train as verb


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


def test_what_would_stop_the_run_is_said_before_any_image_is_read(
    study, run, tmp_path, monkeypatch
):
    def read(*_):
        raise AssertionError("an image was read")

    monkeypatch.setattr(verb, "load_data", read)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(OutputError, match="already holds a run"):
        gradtrack_model.train(study, "tiny", out=run.folder)
    with pytest.raises(ConfigError, match="device 'cuda' is not there"):
        gradtrack_model.train(study, "tiny", settings={"device": "cuda"}, out=tmp_path / "a")
    with pytest.raises(ConfigError, match="frozen_blocks"):
        gradtrack_model.train(
            study, "tiny", settings={"optimizer.frozen_blocks": 99}, out=tmp_path / "a"
        )
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("spelling", ["itself", "link", "relative"])
def test_a_run_is_not_written_among_its_images(study, tmp_path, settings, spelling, monkeypatch):
    places = {
        "itself": study / "images",
        "link": tmp_path / "link",
        "relative": Path("masks/../images"),
    }
    (tmp_path / "link").symlink_to(study / "images")
    monkeypatch.chdir(study)
    before = sorted((study / "images").iterdir())
    with pytest.raises(OutputError, match=r"is a folder of inputs.*--out"):
        gradtrack_model.train(study, "tiny", settings=settings, out=places[spelling])
    assert sorted((study / "images").iterdir()) == before


def test_a_run_is_replaced_or_gone_on_with_and_not_both(study, run, tmp_path, settings):
    given = {"settings": settings, "force": True, "resume": True}
    for verb_of in (gradtrack_model.train, gradtrack_model.cross_validate):
        with pytest.raises(ConfigError, match=r"--force replaces .* - give one of them") as error:
            verb_of(study, "tiny", out=tmp_path, **given)
        assert error.value.exit_code == 2


def test_what_is_in_the_way_of_force_is_said_before_any_image_is_read(
    study, run, tmp_path, settings, monkeypatch
):
    shutil.copytree(run.folder, tmp_path / "run")
    (tmp_path / "run" / "replaced").mkdir()
    (tmp_path / "run" / "replaced" / "notes.txt").write_text("mine")
    monkeypatch.setattr(verb, "load_data", None)
    with pytest.raises(OutputError, match="replaced: is in the way"):
        gradtrack_model.train(study, "tiny", settings=settings, out=tmp_path / "run", force=True)
