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
from gazetrack.errors import ConfigError, DataError
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
    done = run("evaluate predictions masks -o out")
    assert "2 classes" in done.output
    assert "not looked at" not in done.output
    # How sure predictions are is measured of one class alone, and that is said.
    (tmp_path / "predictions" / "uncertainty.csv").write_text("image,uncertainty\n", "utf-8")
    (tmp_path / "predictions" / "probabilities").mkdir()
    noted = run("evaluate predictions masks -o out --json")
    assert "note: uncertainty.csv and probabilities not looked at" in noted.stderr
    assert json.loads(noted.stdout)["n"] == 2
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


def test_what_gaze_fell_on_is_a_target(tmp_path, monkeypatch):
    folder = write_data(tmp_path / "data")
    monkeypatch.chdir(folder)
    # Half and half of every image, as one table of areas and as images of labels.
    rows = ["stimulus,aoi,x_px,y_px,width_px,height_px,image_width_px,image_height_px"]
    (folder / "labels").mkdir()
    for path in sorted((folder / "images").iterdir()):
        with Image.open(path) as image:
            width, height = image.size
        half = width // 2
        size = f"{width},{height}"
        rows.append(f"{path.name},polyp,0,0,{half},{height},{size}")
        rows.append(f"{path.name},ulcer,{half},0,{width - half},{height},{size}")
        labels = np.full((height, width), 2, np.uint8)
        labels[:, :half] = 1
        Image.fromarray(labels).save(folder / "labels" / f"{path.stem}.png")
    (folder / "areas.csv").write_text("\n".join(rows), "utf-8")
    line = "render --levels 2 --size 16 --target aoi"
    done = run(f"{line} --aois areas.csv")
    assert done.exit_code == 0, done.output
    by_label = run(f"{line} --aois labels --labels 1=polyp,2=ulcer -o others")
    assert by_label.exit_code == 0, by_label.output
    stores = [gazetrack.read_maps(name) for name in ("maps", "others")]
    found = [
        {(row.stimulus, row.trial, row.target): row.values for row in store.rows()}
        for store in stores
    ]
    assert {target for _, _, target in found[0]} == {"polyp", "ulcer"}
    assert list(found[0]) == list(found[1])
    for key, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][key])
    planned = run(f"{line} --aois areas.csv --dry-run -o nowhere")
    assert f"would render {len(found[0])} tracks" in planned.output
    with pytest.raises(ConfigError, match="say which value is what: --labels 1=polyp,2=ulcer"):
        run(f"{line} --aois labels -o more")
    with pytest.raises(ConfigError, match="which names its areas itself"):
        run(f"{line} --aois areas.csv --labels 1=polyp -o more")
    with pytest.raises(UsageError, match="--labels needs --aois"):
        run(f"{line} --labels 1=polyp")
    with pytest.raises(ConfigError, match="needs the areas of interest"):
        run(line)
