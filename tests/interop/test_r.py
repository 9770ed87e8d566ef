"""The script for R: run where R and its packages are, and shown in the documentation as it is."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess

import pytest

import gazetrack
from gazetrack.tables.schema import FIXATIONS
from gazetrack.tables.store import KEY
from tests.places import ROOT

SCRIPT = ROOT / "examples" / "fixations_in_r.R"
PACKAGES = ("arrow", "jsonlite")


@pytest.fixture
def rscript():
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("Rscript is not installed: the script for R is not run here")
    for package in PACKAGES:
        asked = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
        if subprocess.run([program, "-e", asked], capture_output=True, check=False).returncode:
            pytest.skip(f"R has no package {package}: the script for R is not run here")
    return program


def test_r_adds_up_the_same_dwell(rscript, tmp_path):
    example = gazetrack.write_example(tmp_path, n_images=3, size=(48, 64))
    recording = gazetrack.read(
        example.exports[0], screen=gazetrack.Screen(1280, 1024, 380, 300, 600)
    )
    fixations = gazetrack.exported_fixations(recording)
    screen = gazetrack.Screen(1280, 1024, 380, 300, 600)
    (outcome,) = gazetrack.convert(example.exports[0], out=tmp_path, screen=screen)
    command = [rscript, str(SCRIPT), outcome.outputs[0]["path"]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    expected = fixations.groupby("stimulus", observed=True)["duration_ms"].sum()
    found = {row["stimulus"]: float(row["duration_ms"]) for row in rows}
    assert found == pytest.approx(expected.to_dict())
    assert "screen: 1280 x 1024 px" in done.stderr
    assert f"mean amplitude: {fixations['amplitude_deg'].mean():.3f} deg" in done.stderr


def test_the_page_shows_the_script_as_it_is():
    page = (ROOT / "docs" / "interoperability.md").read_text("utf-8")
    (shown,) = re.findall(r"```r\n(.*?)```", page, re.DOTALL)
    assert shown == SCRIPT.read_text("utf-8")


def test_the_script_names_columns_and_metadata_that_there_are():
    text = SCRIPT.read_text("utf-8")
    columns = set(re.findall(r"fixations\$(\w+)", text)) | set(
        re.findall(r"\b(\w+) ~ (\w+)", text)[0]
    )
    assert columns == {"amplitude_deg", "duration_ms", "stimulus"}
    assert columns <= set(FIXATIONS.names)
    assert f"metadata${KEY.decode()})" in text
