"""The report of a run: one page that holds all it shows, and in which names from data are text."""

from __future__ import annotations

import importlib.util
from importlib import import_module

import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import ConfigError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.report import html
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training.loop import train
from tests.pages_of_html import read_page
from tests.synthetic import TINY, picture, write_data, write_gaze

HOSTILE = "<script>alert('1')&\"x\" onerror=y"


def trained(folder, method="gradtrack", **more):
    config = load_config("tiny", overrides=TINY | {"method": method} | more)
    data = load_data(discover(folder, need_gaze=method != "full"), config)
    train(config, data, folder / "run")
    return folder / "run", data


def test_a_run_report_holds_it_all(folder):
    run, data = trained(folder)
    page = read_page(write_run_report(run, data))
    # Loss and overlap by step; then the reliability diagram and the referral curve.
    assert page.tags.count("svg") == 4
    assert page.tags.count("img") == 2 * 4
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in page.references)
    for text in (
        "gradtrack, seed 0",
        "4 training images, 2 validation images",
        "hd95, px",
        "Worst cases",
        "model.widths",
    ):
        assert text in page.text
    assert data.sha256().partition(":")[2] in page.text
    assert "best.* is chosen by validation Dice" in page.text


def test_its_dice_is_the_one_training_measured(folder):
    run, data = trained(folder)
    best = max(
        float(line.split(",")[6])
        for line in (run / "metrics.csv").read_text().splitlines()[1:]
        if ",,," not in line
    )
    assert f"{best:.4f}" in read_page(write_run_report(run, data)).text


def test_the_gaze_of_full_is_nobodys(folder):
    run, data = trained(folder, "full")
    page = read_page(write_run_report(run, data))
    assert page.tags.count("img") == 2 * 3
    assert "gaze: none" in page.text
    assert "Trained on masks." in page.text


def test_without_masks_there_are_pictures_and_no_figures(folder):
    for mask in (folder / "masks").iterdir():
        mask.unlink()
    (folder / "masks").rmdir()
    run, data = trained(folder)
    page = read_page(write_run_report(run, data))
    assert "label: none" in page.text
    assert "Worst cases" not in page.text
    assert "hd95" not in page.text


def test_without_validation_images_there_are_curves(folder):
    (folder / "val.txt").unlink()
    run, data = trained(folder, val_share=0.0)
    page = read_page(write_run_report(run, data))
    assert page.tags.count("svg") == 1
    assert page.tags.count("img") == 0


def test_names_from_data_are_text(tmp_path):
    folder = write_data(tmp_path / "data")
    image, mask = picture(30, 30, 12)
    Image.fromarray(image).save(folder / "images" / f"{HOSTILE}.png")
    Image.fromarray(255 - image).save(folder / "images" / f"silent {HOSTILE}.png")
    Image.fromarray(mask).save(folder / "masks" / f"{HOSTILE}.png")
    write_gaze(folder / "h.fixations.parquet", {f"{HOSTILE}.png": [(30.0, 30.0)] * 4})
    (folder / "val.txt").write_text(f"{HOSTILE}\n")
    run, data = trained(folder)
    path = write_run_report(run, data)
    page = read_page(path)
    assert f"{HOSTILE}: Dice" in page.text
    assert f"silent {HOSTILE}" in page.text
    assert "<script>" not in path.read_text()


def test_train_writes_it_at_its_end_and_says_what_is_missing(folder, monkeypatch):
    monkeypatch.chdir(folder)
    line = "--preset tiny --steps 2 --image-size 64 --set tensorboard=false"
    command = import_module("gazetrack_cli.train").command
    done = CliRunner().invoke(command, line.split(), catch_exceptions=False)
    assert "report.html" in done.stdout
    read_page(folder / "runs" / "gradtrack" / "report.html")
    real = importlib.util.find_spec
    monkeypatch.setattr(html, "find_spec", lambda name: None if name == "jinja2" else real(name))
    done = CliRunner().invoke(command, [*line.split(), "-o", "other"], catch_exceptions=False)
    assert done.exit_code == 0
    assert 'pip install "gazetrack[report]"' in done.stdout
    assert not (folder / "other" / "report.html").exists()
    with pytest.raises(ConfigError, match="Jinja2 is not installed"):
        write_run_report(
            folder / "other", load_data(discover(folder), load_config("tiny", overrides=TINY))
        )


def test_it_says_that_a_run_was_extended(folder):
    run, data = trained(folder)
    assert "extended" not in read_page(write_run_report(run, data)).text
    config = load_config("tiny", overrides=TINY | {"method": "gradtrack", "steps": 8})
    train(config, data, run, resume=True)
    text = read_page(write_run_report(run, data)).text
    assert "from 6 to 8 steps, after step 6" in text
    assert "of 8, by validation Dice" in text
    assert "extended after step 6" in text  # among the notes
