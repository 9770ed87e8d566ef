"""Every figure of the gallery looks as it did: compared with pictures, and told from changed ones.

Texts are left out, and a root mean square of 3 of 255 is allowed: edges are smoothed in other ways
by other versions of the libraries below. What a figure shows moves far more.
"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images
from PIL import Image

from gazetrack.figures.durations import plot_durations
from gazetrack.figures.heatmap import plot_heatmap
from gazetrack.figures.kinds import FIGURES
from gazetrack.figures.main_sequence import plot_main_sequence
from gazetrack.figures.scanpath import plot_scanpath
from gazetrack.figures.time_series import plot_time_series
from tests import figure_cases as cases

TOLERANCE = 3.0  # root mean square of the differences, of 255
MOST_BASELINE_BYTES = 80_000
MOST_GALLERY_BYTES = 130_000


@pytest.fixture(autouse=True)
def _default_style():
    with mpl.rc_context(mpl.rcParamsDefault | {"backend": mpl.rcParams["backend"]}):
        yield


def difference(name, figure, folder):
    """None where the figure is that of the baseline, else what differs, in words."""
    drawn = folder / "drawn.png"
    drawn.write_bytes(cases.baseline_bytes(figure))
    wanted = folder / f"{name}.png"
    wanted.write_bytes((cases.BASELINES / f"{name}.png").read_bytes())
    return compare_images(str(wanted), str(drawn), TOLERANCE)


@pytest.mark.parametrize("name", cases.CASES)
def test_the_figure_looks_as_it_did(name, tmp_path):
    assert difference(name, cases.CASES[name](), tmp_path) is None, (
        "look at it; where it is meant: python -m tests.figure_cases"
    )


def slower(table, **factors):
    return table.assign(**{name: table[name] * factor for name, factor in factors.items()})


CHANGED = {
    "scanpath": lambda: plot_scanpath(cases.track(seed=0.03), cases.picture()[0], aois=cases.AOIS),
    "heatmap": lambda: plot_heatmap([cases.track(seed=0.3)], cases.picture()[0]),
    "time-series": lambda: plot_time_series(
        cases.gaze()[0], cases.gaze()[1].query("kind != 'blink'"), title="reader-1"
    ),
    "main-sequence": lambda: plot_main_sequence(
        slower(cases.saccades(), peak_velocity_deg_s=np.r_[np.full(120, 1.0), np.full(120, 0.5)])
    ),
    "durations": lambda: plot_durations(
        pd.concat([cases.durations(), slower(cases.durations().head(200), duration_ms=0.7)]),
        by="group",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_figure_is_noticed(name, tmp_path):
    assert "RMS" in (difference(name, CHANGED[name](), tmp_path) or "")


def test_there_is_a_baseline_and_a_picture_of_every_figure_that_can_be_asked_for():
    assert set(FIGURES) <= set(cases.CASES)
    for folder, most in (
        (cases.BASELINES, MOST_BASELINE_BYTES),
        (cases.GALLERY, MOST_GALLERY_BYTES),
    ):
        # Those of concepts are drawn by a script of their own, and held by its test.
        drawn = [path for path in folder.glob("*.png") if not path.stem.startswith("concept-")]
        assert {path.stem for path in drawn} == set(cases.CASES)
        for path in drawn:
            assert path.stat().st_size <= most, path
            with Image.open(path) as picture:
                assert picture.width < 1300
