"""What is wrong with a data set is named, image by image."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack_cli import train as cli
from gradtrack_model.data import checks
from gradtrack_model.data.checks import check
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from tests.synthetic import TINY, H, W, write_gaze


@pytest.fixture
def broken(data_folder):
    """A data set with one of each."""
    ring = [(30.0, 30.0), (40.0, 30.0), (40.0, 40.0), (30.0, 40.0)]
    outside = [(-9.0, 5.0)] * 4
    points = {f"im{i}.png": ring for i in range(1, 6)} | {"im2.png": outside, "gone.png": ring}
    write_gaze(data_folder / "g.fixations.parquet", points)
    Image.new("L", (W, H + 1)).save(data_folder / "masks" / "im5.png")
    Image.fromarray(np.eye(H, W, dtype=np.uint8)).save(data_folder / "masks" / "im4.png")
    Image.new("L", (W, H)).save(data_folder / "masks" / "im3.png")
    whole = (data_folder / "images" / "im1.png").read_bytes()
    (data_folder / "images" / "im1.png").write_bytes(whole[: len(whole) // 2])
    (data_folder / "train.txt").write_text("im0\nim1\nim2\nim3\nim4\n")
    return data_folder


def test_it_names_everything(broken, config):
    found = {(f.image_id, f.fatal): f.what for f in check(discover(broken), config)}
    assert found == {
        ("gone", False): "gaze without image",
        ("im0", False): "image without gaze",
        ("im1", True): "cannot be read as an image",
        ("im2", False): "empty label: no fixation is long enough and on the image",
        ("im3", False): "mask is empty",
        ("im4", False): "mask has values up to 1; foreground is what is above 127",
        ("im5", True): f"mask is {W} x {H + 1} pixels, its image {W} x {H}",
    }
    full = load_config("tiny", overrides=TINY | {"method": "full"})
    assert {f.image_id for f in check(discover(broken), full) if f.fatal} == {"im1", "im4", "im5"}


def test_a_good_data_set_has_no_findings(data_folder, config):
    assert check(discover(data_folder), config) == []


def test_the_command(broken):
    ran = CliRunner().invoke(cli.command, ["check", "--data", str(broken)], standalone_mode=False)
    assert ran.return_value == 4
    assert "error: im1: cannot be read as an image" in ran.stdout
    assert "7 findings, 2 of them would stop training" in ran.stderr
    ran = CliRunner().invoke(
        cli.command, ["check", "--data", str(broken), "--json"], standalone_mode=False
    )
    assert len(json.loads(ran.stdout)) == 7


def test_it_looks_at_labels_after_the_crf_that_they_go_through(broken, config, monkeypatch):
    sources = discover(broken)
    plain = check(sources, config)
    refining = dataclasses.replace(config, crf_weight=1.0)
    assert check(sources, refining) == plain
    monkeypatch.setattr(checks, "refined_maps", lambda maps, *_: 0 * maps)
    what = "empty label: the CRF leaves no pixel that reaches one half"
    emptied = [finding.image_id for finding in check(sources, refining) if finding.what == what]
    # But those without gaze, with a damaged image, and without a label before the CRF.
    assert emptied == ["im3", "im4", "im5"]


def test_masks_and_gaze_of_classes_are_looked_at(data_folder):
    targets = [f"im{i}.png,{('a', 'b', 'rest')[min(i, 2)]}" for i in range(6)]
    (data_folder / "t.csv").write_text("\n".join(["stimulus,target", *targets]), "utf-8")
    for i in range(6):
        labels = np.zeros((H, W), np.uint8)
        labels[20:40, 20:40] = 1 + i % 2
        labels[0, 0] = 9 if i == 5 else 0
        Image.fromarray(labels).save(data_folder / "masks" / f"im{i}.png")
    settings = {
        "classes.names": ("a", "b"),
        "classes.target": str(data_folder / "t.csv"),
        "method": "full",
    }
    of_masks = load_config("tiny", overrides=TINY | settings)
    assert [(f.image_id, f.fatal) for f in check(discover(data_folder), of_masks) if f.fatal] == [
        ("im5", True)
    ]
    of_gaze = load_config("tiny", overrides=TINY | settings | {"method": "gradtrack"})
    found = {f.image_id: f.what for f in check(discover(data_folder), of_gaze)}
    assert found["im2"] == "empty label: its gaze is of no class: 'rest'"
    assert "im0" not in found
