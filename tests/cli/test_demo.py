"""The README shows what `gazetrack demo` prints, and the demo's network learns."""

import io
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.places import ROOT

# Figures of a trained network: the last digits are the processor's.
MEASURED = re.compile(r"\d\.\d{4}")
TOLERANCE = 0.05


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """What the demo printed, and the folder that it filled."""
    folder = tmp_path_factory.mktemp("demo")
    program = Path(sys.executable).with_name("gazetrack")
    # One thread: several programs on one machine would wait for each other's cores.
    done = subprocess.run(
        [program, "demo"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # as in a terminal
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout, folder / "demo-out"


def shown(page="README.md"):
    """The session of a page that trains: the commands with their output."""
    text = (ROOT / page).read_text("utf-8")
    sessions = re.findall(r"```console\n(\$ .*?)```", text, re.DOTALL)
    (session,) = (one for one in sessions if "gradtrack-evaluate" in one)
    return session


def pattern_of(session):
    """Match the session: anything where it has an ellipsis, any figure for a measured one."""

    def meant(piece):
        if piece == "...":
            return ".*?"
        if piece.isdigit():  # which step was best: two steps apart by a last digit change places
            return r"\d+"
        return f"({MEASURED.pattern})" if MEASURED.fullmatch(piece) else re.escape(piece)

    pieces = re.split(r"(\.\.\.|\d\.\d{4}|(?<=best at step )\d+)", session)
    return "".join(map(meant, pieces))


@pytest.mark.slow
@pytest.mark.parametrize(("page", "n_commands"), [("README.md", 5), ("docs/getting-started.md", 3)])
def test_a_page_shows_what_the_demo_prints(demo, page, n_commands):
    printed, _ = demo
    session = shown(page)
    assert session.count("$ ") == n_commands
    found = re.search(pattern_of(session), printed, re.DOTALL)
    assert found, f"{page} shows\n{session}\nand the demo prints\n{printed}"
    figures = [float(figure) for figure in MEASURED.findall(session)]
    assert figures
    assert [float(figure) for figure in found.groups()] == pytest.approx(figures, abs=TOLERANCE)


@pytest.mark.slow
def test_the_demos_network_finds_the_lesions(demo):
    _, folder = demo
    scores = pd.read_csv(folder / "evaluation" / "evaluation.csv")
    assert len(scores) == 12
    assert scores["dice"].mean() > 0.8
    for made in (
        "maps/maps.parquet",
        "plots",
        "predictions/overlays",
        "runs/gradtrack/report.html",
    ):
        assert (folder / made).exists()


@pytest.mark.slow
def test_the_readmes_figure_can_be_drawn_again(demo):
    _, folder = demo
    script = runpy.run_path(str(ROOT / "benchmarks" / "readme_figure.py"))
    drawn = Image.open(io.BytesIO(script["draw"](folder, *script["median_case"](folder))))
    shown = ROOT / "docs" / "figure.jpg"
    with Image.open(shown) as picture:
        assert drawn.size == picture.size
    assert np.asarray(drawn.convert("L")).std() > 30  # pictures, not four empty panels
    assert shown.stat().st_size < 200_000


@pytest.mark.slow
def test_the_pictures_of_the_concepts_can_be_drawn_again(demo):
    _, folder = demo
    script = runpy.run_path(str(ROOT / "benchmarks" / "concept_figures.py"))
    case = script["median_case"](folder)
    page = (ROOT / "docs" / "concepts.md").read_text("utf-8")
    for name, draw in script["FIGURES"].items():
        drawn = Image.open(io.BytesIO(script["picture_of"](draw(case))))
        shown = ROOT / "docs" / "figures" / f"concept-{name}.png"
        assert f"(figures/{shown.name})" in page
        with Image.open(shown) as picture:
            assert drawn.size == pytest.approx(
                picture.size, abs=8
            )  # fonts differ by a pixel or two
        assert np.asarray(drawn.convert("L")).std() > 30  # pictures, not empty panels


def test_a_session_with_another_word_or_figure_is_noticed():
    session = "$ convert a\n3 images\n...\n  dice 0.9000 [0.8000, 0.9500]\n"
    printed = session.replace("...", "and more\nlines").replace("0.9000", "0.9012")
    assert re.fullmatch(pattern_of(session), printed, re.DOTALL).groups()[0] == "0.9012"
    assert not re.search(pattern_of(session), printed.replace("3 images", "4 images"), re.DOTALL)


@pytest.mark.slow
def test_the_demo_of_classes_tells_them_apart(tmp_path):
    program = Path(sys.executable).with_name("gazetrack")
    done = subprocess.run(
        [program, "demo", "--classes", "-o", "two"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    summary = json.loads((tmp_path / "two" / "evaluation" / "summary.json").read_text("utf-8"))
    assert set(summary["classes"]) == {"polyp", "ulcer"}
    for name, measured in summary["classes"].items():
        # All of an image called one class has a Dice of about .2 with it.
        assert measured["dice"]["mean"] > 0.5, name
    assert (tmp_path / "two" / "maps" / "maps.parquet").exists()
