"""Where gaze is in a `Gaze`: pixels from any origin, degrees, one eye or two."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pymovements
import pytest

from gazetrack.errors import SchemaError
from gazetrack.interop.from_pymovements import from_pymovements
from gazetrack.interop.pymovements_gaze import only_eye, positions_of, screen_of
from gazetrack.tables.screen import Screen
from tests.interop.gazes import EXPERIMENT, gaze_of
from tests.interop.recordings import SCREEN


def test_the_screen_is_in_millimetres_as_far_as_it_is_known():
    assert screen_of(gaze_of()) == SCREEN
    assert screen_of(gaze_of(pymovements.Experiment(800, 600))) == Screen(800, 600)
    assert screen_of(gaze_of(None)) is None
    assert screen_of(gaze_of(pymovements.Experiment(sampling_rate=10))) is None


@pytest.mark.parametrize(
    ("left", "right", "eye"),
    [(True, False, "left"), (None, True, "right"), (True, True, ""), (None, None, "")],
)
def test_an_eye_is_known_where_it_alone_was_tracked(left, right, eye):
    tracker = pymovements.EyeTracker(left=left, right=right)
    screen = EXPERIMENT.screen
    gaze = gaze_of(pymovements.Experiment(screen=screen, eyetracker=tracker))
    assert only_eye(gaze) == eye
    columns = positions_of(gaze, SCREEN, [])
    own = {name for name in columns if name.startswith(("left", "right"))}
    assert own == ({f"{eye}_x_px", f"{eye}_y_px"} if eye else set())


def test_two_eyes_without_a_combined_gaze_have_their_mean():
    gaze = gaze_of()
    pairs = [[0.0, 2.0, 4.0, 6.0], [None, None, 4.0, 6.0], [1.0, 1.0, None, None]]
    gaze.samples = gaze.samples.with_columns(pl.Series("pixel", pairs))
    columns = positions_of(gaze, SCREEN, [])
    np.testing.assert_array_equal(columns["left_x_px"], [0.0, np.nan, 1.0])
    np.testing.assert_array_equal(columns["x_px"], [2.0, 4.0, 1.0])
    np.testing.assert_array_equal(columns["y_px"], [4.0, 6.0, 1.0])


def test_degrees_and_other_origins_become_pixels_from_the_corner():
    expected = from_pymovements(gaze_of()).samples[["x_px", "y_px"]]
    degrees = gaze_of()
    degrees.pix2deg()
    degrees.samples = degrees.samples.drop("pixel")
    found = from_pymovements(degrees)
    assert any("degrees" in note for note in found.notes)
    pd.testing.assert_frame_equal(found.samples[["x_px", "y_px"]], expected, atol=1e-3)
    centred = pymovements.Experiment(1280, 1024, 38.0, 30.0, 60.0, "center", 1000.0)
    moved = gaze_of(centred)
    moved.samples = moved.samples.with_columns(
        pl.Series("pixel", [[-639.5, -511.5], [0.0, 0.0], [None, 188.5]])
    )
    pd.testing.assert_frame_equal(from_pymovements(moved).samples[["x_px", "y_px"]], expected)
    unstated = pymovements.Experiment(1280, 1024, sampling_rate=1000.0)
    assert any("no origin stated" in note for note in from_pymovements(gaze_of(unstated)).notes)


def test_a_pupil_of_nobody_s_eye_is_said():
    gaze = gaze_of()
    gaze.samples = gaze.samples.with_columns(pupil=pl.lit(5.0))
    found = from_pymovements(gaze)
    assert found.samples["left_pupil"].tolist() == [5.0] * 3
    assert any("nobody says whose pupil" in note for note in found.notes)


def test_degrees_without_a_distance_are_refused():
    gaze = gaze_of()
    gaze.pix2deg()
    gaze.samples = gaze.samples.drop("pixel")
    gaze.experiment = pymovements.Experiment(1280, 1024, sampling_rate=1000.0)
    with pytest.raises(SchemaError, match="size in cm or distance"):
        from_pymovements(gaze)
    gaze.experiment = None
    with pytest.raises(SchemaError, match="size of its screen"):
        from_pymovements(gaze)


def test_an_origin_that_nobody_knows_is_refused():
    gaze = gaze_of()
    gaze.experiment.screen.origin = "lower left"
    with pytest.raises(SchemaError, match="lower left"):
        from_pymovements(gaze)
    gaze.experiment.screen.origin = "upper left"
