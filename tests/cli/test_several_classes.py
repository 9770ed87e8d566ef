"""Several classes, as a user types them: maps of each target, and measures of each class."""

from __future__ import annotations

import json
import shlex
from importlib import import_module

import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner
from PIL import Image

import gazetrack
from gazetrack.errors import DataError
from tests.synthetic import write_data


def run(line):
    name, *arguments = shlex.split(line)
    command = import_module(f"gazetrack_cli.{name}").command
    return CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def masks(tmp_path, monkeypatch):
    """Predictions and masks of two images, of which one class is missed on the second."""
    monkeypatch.chdir(tmp_path)
    for name, predicted, mask in (("a", [[1, 2, 0]], [[1, 2, 0]]), ("b", [[1, 0, 0]], [[1, 2, 0]])):
        for folder, values in (("predictions", predicted), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(np.array(values, np.uint8)).save(tmp_path / folder / f"{name}.png")


def test_measures_of_each_class_are_told(masks, tmp_path):
    done = run("evaluate predictions masks --classes polyp,ulcer -o out")
    assert done.exit_code == 0, done.output
    assert "2 of 2 images, 2 classes" in done.output
    assert "mean over classes: dice 0.7500" in done.output
    assert (tmp_path / "out" / "evaluation.csv").exists()
    told = json.loads(run("evaluate predictions masks --classes polyp,ulcer -o out --json").stdout)
    assert told["classes"]["ulcer"]["dice"]["mean"] == 0.5
    with pytest.raises(UsageError, match="one class so far"):
        run("evaluate predictions masks --classes a,b --html -o out")
    one = run("evaluate predictions masks --classes polyp -o out -q")
    assert one.return_value == 1  # its masks have values that are no class


def test_a_folder_that_records_its_classes_needs_no_names(masks, tmp_path):
    record = {"classes": ["polyp", "ulcer"], "images": ["a", "b"]}
    (tmp_path / "predictions" / "network.json").write_text(json.dumps(record), "utf-8")
    assert "2 classes" in run("evaluate predictions masks -o out").output
    with pytest.raises(DataError, match="several classes"):
        gazetrack_model_evaluate("predictions", "masks")


def gazetrack_model_evaluate(predictions, masks):
    from gradtrack_model import evaluate

    return evaluate(predictions, masks)


def test_maps_say_what_was_looked_for(tmp_path, monkeypatch):
    folder = write_data(tmp_path / "data")
    monkeypatch.chdir(folder)
    images = sorted(path.name for path in (folder / "images").iterdir())
    rows = [f"{name},{('polyp', 'ulcer')[i % 2]}" for i, name in enumerate(images[1:])]
    (tmp_path / "tasks.csv").write_text("\n".join(["stimulus,target", *rows]), "utf-8")
    done = run(f"render --target {tmp_path / 'tasks.csv'} --levels 2 --size 16")
    assert done.exit_code == 0, done.output
    assert "no target" in done.output
    store = gazetrack.read_maps("maps")
    assert set(store.targets) <= {"polyp", "ulcer"}
    assert store.targets
    failed = run("render --target trial=nobody --levels 2 --size 16 -o other")
    assert failed.return_value == 4
    assert "says nothing of trial" in failed.output
