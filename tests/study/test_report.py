"""Reports: one page that holds all it shows, and in which names from data are text."""

from __future__ import annotations

import importlib.util
import itertools
import re
from html.parser import HTMLParser
from importlib import import_module

import pytest
from click.testing import CliRunner
from PIL import Image

from gazetrack.errors import ConfigError
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.settings import load_config
from gradtrack_model.study.comparison import compare_methods
from gradtrack_model.study.jobs import Job
from gradtrack_model.study.report import html
from gradtrack_model.study.report.charts import chart, ticks
from gradtrack_model.study.report.run import write_run_report
from gradtrack_model.training.loop import train
from tests.synthetic import TINY, picture, write_data, write_gaze

HOSTILE = "<script>alert('1')&\"x\" onerror=y"
VOID = {"meta", "img", "line", "polyline"}


class Page(HTMLParser):
    """Tags, references and text of a page; closing tags must fit."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.references, self.names, self.text, self._open = [], [], set(), "", []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.references += [
            value for name, value in attrs if name in ("src", "href", "action", "data")
        ]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read_page(path):
    text = path.read_text("utf-8")
    assert len(text) < 5_000_000
    assert not re.search(r"https?:|//[a-z]", re.sub(r"data:image/\w+;base64,[\w+/=]+", "", text))
    page = Page(text)
    assert not {"script", "iframe", "object", "link", "base"} & set(page.tags)
    assert not [name for name in page.names if name.startswith("on")]
    return page


def trained(folder, method="gradtrack", **more):
    config = load_config("tiny", overrides=TINY | {"method": method} | more)
    data = load_data(discover(folder, need_gaze=method != "full"), config)
    train(config, data, folder / "run")
    return folder / "run", data


@pytest.fixture
def folder(tmp_path):
    write_data(tmp_path / "data")
    (tmp_path / "data" / "val.txt").write_text("im4\nim5\n")
    return tmp_path / "data"


def test_a_run_report_holds_it_all(folder):
    run, data = trained(folder)
    page = read_page(write_run_report(run, data))
    assert page.tags.count("svg") == 2
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


def test_a_comparison_links_to_the_reports_of_its_runs(folder):
    configs = [load_config("tiny", overrides=TINY | {"method": m}) for m in ("full", "gradtrack")]
    jobs = [Job(config.method, 0, config, discover(folder)) for config in configs]
    compare_methods(jobs, folder / "out")
    page = read_page(folder / "out" / "comparison.html")
    assert page.references[0].startswith("data:image/png;base64,")
    assert page.references[1:] == ["full/0/run/report.html", "gradtrack/0/run/report.html"]
    assert "from full" in page.text
    for link in page.references[1:]:
        read_page(folder / "out" / link)


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


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.745, 0.7688), (3, 3), (0, 0), (-2, 5), (1e-6, 1e6)]
)
def test_ticks_are_round_and_hold_the_values(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert found[0] <= low
    assert found[-1] >= high
    steps = {f"{b - a:.6g}" for a, b in itertools.pairwise(found)}
    assert len(steps) == 1
    assert steps.pop().strip("0.")[0] in "125"


def test_a_chart_of_nothing_is_none():
    assert chart("x", {"a": [], "b": [(1.0, float("nan"))]}) is None
    one = chart("x", {"a": [(1.0, 2.0)]}, mark=1.0)
    assert one.lines[0].points == "52.0,232.0"
