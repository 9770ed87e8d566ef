"""Scanpaths of many recordings: pairs, a reference, a matrix, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, DataError, SchemaError
from gazetrack.measures.distances import dtw
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.workflows import scanpaths
from tests.fixation_tables import write_fixations
from tests.measures.paths import random_track


@pytest.fixture
def paths():
    """Three observers of one image, and two of another."""
    return [
        random_track(8 + seed, seed, recording=f"r{seed}", participant=f"p{seed % 2}")
        for seed in range(3)
    ] + [
        random_track(9, 10 + seed, recording=f"r{seed}", participant=f"p{seed}", stimulus="dog.png")
        for seed in range(2)
    ]


def places(track):
    return np.column_stack([track.x, track.y])


def test_every_pair_on_a_stimulus_once(paths):
    found = gazetrack.compare_scanpaths(paths, ["dtw", "multimatch"])
    assert len(found) == (3 + 1) * (2 + 5)
    pairs = found.drop_duplicates(["stimulus", "recording_a", "recording_b"])
    names = pairs[["stimulus", "recording_a", "recording_b"]].astype(str).to_numpy().tolist()
    cats = [["cat.png", a, b] for a, b in (("r0", "r1"), ("r0", "r2"), ("r1", "r2"))]
    assert names == [*cats, ["dog.png", "r0", "r1"]]
    first = found[(found["method"] == "dtw") & (found["measure"] == "mean")].iloc[0]
    assert first["value"] == dtw(places(paths[0]), places(paths[1]))[1]
    assert first["unit"] == "px"
    assert (first["n_fixations_a"], first["n_fixations_b"]) == (8, 9)
    assert (first["participant_a"], first["trial_b"], first["reason"]) == ("p0", "1", "")


@pytest.mark.parametrize("reference", ["r1", "p1"])
def test_each_beside_a_reference(paths, reference):
    found = gazetrack.compare_scanpaths(paths, ["frechet"], reference=reference)
    assert found["recording_a"].tolist() == ["r1"] * 3
    assert found["recording_b"].tolist() == ["r0", "r2", "r0"]


def test_an_unknown_reference(paths):
    with pytest.raises(ConfigError, match="no scanpath of the reference 'expert'"):
        gazetrack.compare_scanpaths(paths, reference="expert")


def test_the_matrix_is_the_mean_over_stimuli(paths):
    found = gazetrack.compare_scanpaths(paths, ["dtw", "mannan", "cross_recurrence"])
    square = gazetrack.scanpath_matrix(found, "dtw", "mean")
    both = [dtw(places(paths[k]), places(paths[k + 1]))[1] for k in (0, 3)]
    assert square.loc["r0", "r1"] == square.loc["r1", "r0"] == pytest.approx(np.mean(both))
    assert square.index.tolist() == square.columns.tolist() == ["r0", "r1", "r2"]
    assert np.diag(square).tolist() == [0, 0, 0]
    alike = gazetrack.scanpath_matrix(found, "mannan", "similarity")
    assert np.diag(alike).tolist() == [100, 100, 100]
    ahead = gazetrack.scanpath_matrix(found, "cross_recurrence", "corm")
    assert np.allclose(ahead, -ahead.T, equal_nan=True)
    # Two recordings of one participant: what is on the diagonal was compared.
    people = gazetrack.scanpath_matrix(found, "dtw", by="participant")
    assert people.loc["p0", "p0"] == dtw(places(paths[0]), places(paths[2]))[0]
    assert people.loc["p1", "p1"] == 0


def test_the_matrix_refuses(paths):
    found = gazetrack.compare_scanpaths(paths, ["dtw"])
    with pytest.raises(ConfigError, match=r"'means' of dtw - did you mean 'mean'\?"):
        gazetrack.scanpath_matrix(found, "dtw", "means")
    with pytest.raises(ConfigError, match="no tde"):
        gazetrack.scanpath_matrix(found, "tde")
    with pytest.raises(ConfigError, match="by 'trial'"):
        gazetrack.scanpath_matrix(found, "dtw", by="trial")


def test_nothing_to_compare_is_an_empty_table(paths):
    found = gazetrack.compare_scanpaths(paths[:1])
    assert len(found) == 0
    assert {"recording_a", "method", "value", "reason"} <= set(found.columns)
    assert gazetrack.scanpath_matrix(found, "dtw").shape == (0, 0)


def test_the_order_of_tables_does_not_matter(paths):
    one, other = (gazetrack.compare_scanpaths(given, ["dtw"]) for given in (paths, paths[::-1]))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.slow
def test_several_processes_give_the_same(paths, monkeypatch):
    monkeypatch.setattr(scanpaths, "PAIRS_AT_ONCE", 2)
    told = []
    methods = ["multimatch", "scanmatch", "mannan"]
    here = gazetrack.compare_scanpaths(paths, methods, progress=lambda *n: told.append(n))
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)
    there = gazetrack.compare_scanpaths(paths, methods, jobs=2)
    pd.testing.assert_frame_equal(here, there)


def test_tables_are_files_folders_and_frames(tmp_path):
    random = np.random.default_rng(0)
    for name in ("one", "two"):
        x, y = random.uniform(0, 60, (2, 5))
        write_fixations(
            tmp_path / f"{name}.fixations.parquet",
            ["cat.png"] * 5,
            recording=name,
            x_px=x,
            y_px=y,
            index=np.arange(5),
        )
    of_folder = gazetrack.compare_scanpaths(tmp_path, ["dtw"])
    files = sorted(tmp_path.glob("*.parquet"))
    pd.testing.assert_frame_equal(of_folder, gazetrack.compare_scanpaths(files, ["dtw"]))
    frames = [pd.read_parquet(file) for file in files]
    pd.testing.assert_frame_equal(of_folder, gazetrack.compare_scanpaths(frames, ["dtw"]))
    assert len(of_folder) == 2


def frame(**columns):
    n = len(columns["x_px"])
    full = {
        "recording": "r",
        "stimulus": "cat.png",
        "y_px": np.linspace(0, 50, n),
        "duration_ms": np.full(n, 200.0),
        "onset_ms": np.arange(n) * 300.0,
        "index": np.arange(n),
        "image_width_px": 80,
        "image_height_px": 60,
    }
    return conform(full | columns, FIXATIONS).to_pandas()


def test_missing_positions_are_left_out_and_times_put_in_order():
    x = np.array([0.0, 10, 20, 30, 40, 50])
    whole = frame(x_px=x)
    mixed = frame(x_px=x, recording="s").iloc[[3, 0, 5, 1, 4, 2]]
    found = gazetrack.compare_scanpaths([whole, mixed], ["dtw", "multimatch"])
    assert found["value"].tolist() == [0, 0, 1, 1, 1, 1, 1]
    holes = frame(x_px=np.where(np.arange(6) == 2, np.nan, x), recording="s")
    found = gazetrack.compare_scanpaths([whole, holes], ["dtw"])
    assert found["n_fixations_b"].tolist() == [5, 5]
    assert found["value"].gt(0).all()


def test_a_table_without_fixations_takes_no_part():
    found = gazetrack.compare_scanpaths([frame(x_px=np.zeros(0)), frame(x_px=np.arange(4.0))])
    assert len(found) == 0


def test_one_fixation_each_is_compared_where_that_makes_sense():
    one, other = frame(x_px=np.array([0.0])), frame(x_px=np.array([30.0]), recording="s")
    found = gazetrack.compare_scanpaths([one, other], ["hausdorff", "multimatch"])
    assert found["value"].iloc[0] == 30
    assert found["value"].iloc[1:].isna().all()
    assert set(found["reason"].iloc[1:]) == {"fewer than 3 fixations"}


def test_gaze_on_the_screen_without_a_placement():
    lost = {"image_width_px": math.nan, "image_height_px": math.nan}
    # A screen that nobody knows …
    with pytest.raises(SchemaError, match="size of the screen is not known"):
        gazetrack.compare_scanpaths(frame(x_px=np.arange(4.0), **lost))
    # … and gaze on the screen beside gaze on the image.
    on_screen = frame(x_px=np.arange(4.0), recording="s", **lost)
    on_screen.attrs["gazetrack"] = {"screen": {"width_px": 1920, "height_px": 1080}}
    with pytest.raises(SchemaError, match=r"two sizes.*give images, and a placement"):
        gazetrack.compare_scanpaths([frame(x_px=np.arange(4.0)), on_screen])


def test_two_scanpaths_of_one_name(paths):
    with pytest.raises(DataError, match=r"two scanpaths on 'cat.png' are both 'r0 p0 1'"):
        gazetrack.compare_scanpaths([paths[0], paths[0]])


def test_recurrence_is_a_row_a_scanpath(paths):
    found = gazetrack.scanpath_recurrence(paths, radius_px=150.0)
    assert found["recording"].tolist() == ["r0", "r1", "r2", "r0", "r1"]
    assert found["n_fixations"].tolist() == [8, 9, 10, 9, 9]
    assert found["recurrence"].between(0, 100).all()
    assert len(gazetrack.scanpath_recurrence([])) == 0


def test_the_squares_are_by_participant_where_one_recording_holds_several():
    tracks = [random_track(8, seed, recording="all", participant=f"p{seed}") for seed in range(3)]
    found = gazetrack.compare_scanpaths(tracks, ["dtw"])
    table = scanpaths.matrix_table(found).to_pandas()
    square = table[table["measure"] == "distance"].pivot_table(
        index="recording", columns="other", values="value"
    )
    assert list(square.index) == ["p0", "p1", "p2"]
    wanted = scanpaths.scanpath_matrix(found, "dtw", by="participant")
    np.testing.assert_array_equal(square.to_numpy(), wanted.to_numpy())
