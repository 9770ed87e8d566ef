"""`gradtrack-evaluate --images`, as a user types it."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import gradtrack_model
from gazetrack.errors import ConfigError, OutputError
from gazetrack_cli import evaluate
from tests.dicom_files import corners, write_series

pytest.importorskip("pydicom")
NAMES = ["c", "a", "d", "b"]


def run(*arguments):
    return CliRunner().invoke(evaluate.command, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    voxels = np.zeros((4, 12, 10), np.int16)
    write_series(tmp_path / "images", voxels, names=NAMES)
    places = corners(5)
    write_series(tmp_path / "gap", voxels, names=NAMES, places=[*places[:2], *places[3:]])
    for kind, rows in (("predictions", 5), ("masks", 6)):
        (tmp_path / kind).mkdir()
        for name in NAMES:
            mask = np.zeros((12, 10), np.uint8)
            mask[2:rows, 3:7] = 255
            Image.fromarray(mask).save(tmp_path / kind / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_pictures_are_compared_as_a_volume(folder):
    done = run("predictions", "masks", "--images", "images")
    assert done.exit_code == 0
    assert "1 volumes" in done.stdout
    with (folder / "evaluation" / "volumes.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    # One row of pixels of .7 mm is what differs, everywhere.
    assert (row["volume"], float(row["hd95_mm"])) == ("a.dcm", pytest.approx(0.7))
    of_library = gradtrack_model.evaluate("predictions", "masks", images="images")
    assert of_library.volumes[0].surfaces.hd95 == pytest.approx(0.7)


def test_a_series_with_a_gap_is_told_of(folder):
    done = run("predictions", "masks", "--images", "gap")
    assert done.exit_code == 0
    assert "  no volume: " in done.stdout
    assert "slices are missing or unevenly spaced" in done.stdout
    assert not (folder / "evaluation" / "volumes.csv").exists()


def test_images_are_inputs_and_of_folders(folder):
    with pytest.raises(OutputError, match="over the input"):
        run("predictions", "masks", "--images", "images", "--report", "images/a.dcm")
    done = run("predictions", "masks", "--images", "images", "--classes", "liver,spleen")
    assert (done.exit_code, "masks of one class so far" in done.output) == (2, True)
    mask = np.ones((2, 2), bool)
    with pytest.raises(ConfigError, match="images without two folders"):
        gradtrack_model.evaluate({"a": mask}, {"a": mask}, images="images")


def test_a_tolerance_is_refused_where_classes_have_no_surface_dice(folder):
    for option in ("--tolerance-mm", "--tolerance-px"):
        done = run("predictions", "masks", "--classes", "liver,spleen", option, "1")
        assert (done.exit_code, f"{option} is for masks of one class" in done.output) == (2, True)
    assert not (folder / "evaluation").exists()


def test_a_page_of_another_evaluation_does_not_stay_and_that_of_a_run_does(folder):
    out = folder / "evaluation"
    assert run("predictions", "masks", "--html").exit_code == 0
    assert (out / "report.html").exists()
    assert run("predictions", "masks").exit_code == 0
    assert not (out / "report.html").exists()
    (out / "report.html").write_text("<title>gradtrack, seed 1</title>", "utf-8")
    assert run("predictions", "masks").exit_code == 0
    assert (out / "report.html").exists()
