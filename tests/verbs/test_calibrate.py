"""A temperature beside the weights: written, found again, and not put where nothing belongs."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

import gradtrack_model
from gazetrack.errors import ConfigError, OutputError
from gazetrack_cli.calibrate import command as calibrate_command
from gazetrack_cli.predict import command as predict_command


@pytest.fixture
def own_run(run, tmp_path):
    return shutil.copytree(run.folder, tmp_path / "run")


def validation(study, run):
    manifest = json.loads((run / "splits.json").read_text())["images"]
    return [name for name, facts in manifest.items() if facts["split"] == "val"]


def test_it_lies_beside_the_weights_and_the_network_stays(study, own_run):
    before = {path.name: path.read_bytes() for path in own_run.iterdir() if path.is_file()}
    found, path = gradtrack_model.calibrate(own_run, study / "images", study / "masks")
    assert path == own_run / "best.temperature.json"
    assert sorted(found.images) == sorted(validation(study, own_run))
    assert {
        p.name: p.read_bytes() for p in own_run.iterdir() if p.is_file() and p != path
    } == before
    others = [p for p in (study / "images").iterdir() if p.stem not in found.images]
    plain = gradtrack_model.predict(own_run, others)
    scaled = gradtrack_model.predict(own_run, others, temperature=path)
    for one, other in zip(plain, scaled, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
        logit = np.log(one.probability / (1 - one.probability.astype(float)))
        expected = 1 / (1 + np.exp(-logit / found.value))
        np.testing.assert_allclose(other.probability, expected, atol=1e-4)


def test_the_commands(study, own_run, monkeypatch):
    monkeypatch.chdir(own_run)
    weights = ["--weights", str(own_run)]
    folders = [str(study / "images"), str(study / "masks")]
    first = CliRunner().invoke(predict_command, [folders[0], *weights, "--calibrated"])
    assert "best.temperature.json: no such file - fit one" in str(first.exception)
    done = CliRunner().invoke(calibrate_command, [*folders, *weights])
    assert done.exception is None or done.exit_code == 0, done.output
    assert done.stdout.startswith("temperature ")
    assert "best.temperature.json" in done.stdout
    said = CliRunner().invoke(calibrate_command, [*folders, *weights, "--json"])
    assert json.loads(said.stdout)["images"] == len(validation(study, own_run))
    (own_run / "train.txt").write_text(
        "\n".join(
            path.stem
            for path in (study / "images").iterdir()
            if path.stem not in validation(study, own_run)
        )
    )
    ids = ["--ids", str(own_run / "train.txt")]
    predict = [folders[0], *weights, *ids, "--calibrated", "-o", "p"]
    assert CliRunner().invoke(predict_command, predict).exit_code == 0
    assert json.loads((own_run / "p" / "network.json").read_text())["temperature"] > 0
    with_flips = CliRunner().invoke(predict_command, [*predict, "--tta"])
    assert "without flips" in str(with_flips.exception)


def test_what_is_no_temperature_is_not_replaced(study, own_run, tmp_path):
    path = tmp_path / "notes.json"
    path.write_text("mine")
    with pytest.raises(OutputError, match="is no temperature"):
        gradtrack_model.calibrate(own_run, study / "images", study / "masks", out=path)
    assert path.read_text() == "mine"
    with pytest.raises(ConfigError, match="give --out"):
        gradtrack_model.calibrate("kvasir-lite", study / "images", study / "masks")
