"""The report of an evaluation, with calibration before and after, in a real browser."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import gradtrack_model
from gazetrack.errors import ConfigError
from gazetrack_cli.evaluate import command
from gradtrack_model.evaluation.evaluate import evaluate_folder
from gradtrack_model.evaluation.metrics import score
from gradtrack_model.evaluation.uncertainty import write_uncertainty
from gradtrack_model.study.report import html
from gradtrack_model.study.report.evaluation import measure_rows, write_evaluation_report
from tests import browser
from tests.pages_of_html import read_page
from tests.synthetic import picture

HOSTILE = "<b onload=x>"


def predicted(folder, sharpness):
    """Masks, and predictions that are a little beside them, of a network of some certainty."""
    for name in ("masks", "p/probabilities"):
        (folder / name).mkdir(parents=True)
    for i in range(6):
        name = HOSTILE if i == 0 else f"im{i}"
        _, mask = picture(30 + i, 30, 12)
        y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
        distance = 12 + i - np.hypot(x - 30, y - 30)
        grey = np.rint(255 / (1 + np.exp(-sharpness * distance))).astype(np.uint8)
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")
        Image.fromarray(grey).save(folder / "p" / "probabilities" / f"{name}.png")
        Image.fromarray((grey > 127).astype(np.uint8) * 255).save(folder / "p" / f"{name}.png")
    write_uncertainty(folder / "p", {f"im{i}": i / 10 for i in range(1, 6)} | {HOSTILE: 0.0})
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = predicted(tmp_path_factory.mktemp("sure"), 3.0)
    other = predicted(tmp_path_factory.mktemp("less"), 0.5)
    evaluate_folder(other / "p", other / "masks", other / "e")
    gradtrack_model.evaluate(
        folder / "p",
        folder / "masks",
        out=folder / "e",
        against=other / "e" / "evaluation.csv",
        html=True,
    )
    return folder / "e" / "report.html"


def test_it_shows_both_calibrations_and_who_is_referred(page):
    found = read_page(page)
    assert found.tags.count("svg") == 2
    assert found.references == []
    for text in ("Worst images", "compared with", "Dice of the rest", "by chance", HOSTILE):
        assert text in found.text
    assert HOSTILE not in page.read_text("utf-8")
    with (page.parent / "evaluation.csv").open() as file:
        dice = {row["image_id"]: float(row["dice"]) for row in csv.DictReader(file)}
    assert f"{np.mean(list(dice.values())):.4f}" in found.text
    assert f"{min(dice.values()):.4f}" in found.text


def test_without_certainty_it_is_a_page_of_measures(tmp_path):
    folder = predicted(tmp_path, 1.0)
    for path in (*(folder / "p" / "probabilities").iterdir(), folder / "p" / "uncertainty.csv"):
        path.unlink()
    found = evaluate_folder(folder / "p", folder / "masks", None)
    (tmp_path / "summary.json").write_text("[]")
    path = write_evaluation_report(tmp_path / "e", found, folder / "p", tmp_path / "evaluation.csv")
    assert "How sure" not in read_page(path).text
    assert "hd95, px" in read_page(path).text


def test_a_row_of_each_measure():
    mask = np.eye(6, dtype=bool)
    rows = measure_rows([score(mask, mask), score(mask, mask[::-1])])
    assert [row[0] for row in rows] == ["dice", "iou", "precision", "recall", "hd95, px", "asd, px"]
    assert rows[0][1] == f"{(1 + score(mask, mask[::-1]).dice) / 2:.4f}"


def test_the_command_says_where_it_is(tmp_path, monkeypatch):
    folder = predicted(tmp_path, 1.0)
    words = [str(folder / "p"), str(folder / "masks"), "-o", str(tmp_path / "e"), "--html"]
    done = CliRunner().invoke(command, words, standalone_mode=False)
    assert f"{tmp_path}/e/report.html" in done.stdout
    monkeypatch.setattr(html, "find_spec", lambda _: None)
    words[3] = str(tmp_path / "none")
    refused = CliRunner().invoke(command, words, standalone_mode=False)
    assert isinstance(refused.exception, ConfigError)
    assert not (tmp_path / "none").exists()
    with pytest.raises(ConfigError, match="html without out"):
        gradtrack_model.evaluate(folder / "p", folder / "masks", html=True)


GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}
LINES = {"light": "rgb(52, 101, 164)", "dark": "rgb(130, 177, 245)"}


def test_in_a_browser_it_can_be_read_in_light_and_in_dark(page):
    driver = browser.start()
    colour = "return getComputedStyle(document.querySelector('{}')).{}"
    try:
        for scheme, ground in GROUNDS.items():
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            driver.get(page.as_uri())
            assert driver.execute_script(colour.format("body", "backgroundColor")) == ground
            assert driver.execute_script(colour.format("polyline", "stroke")) == LINES[scheme]
            driver.execute_script("document.querySelector('details').open = true")
            assert browser.violations(driver) == []
        assert browser.complaints(driver) == []
    finally:
        driver.quit()
