"""The tracks of a fixation table, and what is not in them."""

from __future__ import annotations

import numpy as np
import pytest

from gazetrack.errors import SchemaError
from gazetrack.tables.store import read_fixations, write_table
from gazetrack.workflows.table_tracks import read_tracks
from tests.fixation_tables import write_fixations


def test_gaze_between_the_images_is_left_out_and_counted(tmp_path):
    sizes = {"a": (40, 60), "b": (40, 60)}
    width = [40, np.nan, np.nan, 40, 40]
    eyes = ["left", "left", "left", "right", "left"]
    path = tmp_path / "g.fixations.parquet"
    write_fixations(
        path, ["a.png", "", "instructions", "a.png", "a.png"], image_width_px=width, eye=eyes
    )
    found = read_tracks(path, sizes)
    assert [t.stimulus for t in found.tracks] == ["a.png"]
    assert found.dropped == {"no stimulus": 1, "no image": 1, "other eye": 1}
    assert found.missing_images == ("instructions",)
    assert found.n_rows == sum(map(len, found.tracks)) + sum(found.dropped.values())


@pytest.mark.parametrize("size", [0.0, -5.0, 1e9])
def test_absurd_image_sizes_are_refused(tmp_path, size):
    path = write_fixations(tmp_path / "g.fixations.parquet", ["a.jpg"], image_width_px=size)
    with pytest.raises(SchemaError, match="an image of"):
        read_tracks(path, None)


def test_gaze_that_has_no_place_on_an_image_is_refused(tmp_path):
    nowhere = {name: np.full(1, np.nan) for name in ("x_px", "y_px")}
    table = write_fixations(tmp_path / "g.fixations.parquet", ["a.jpg"], **nowhere)
    with pytest.raises(SchemaError, match="fixations without positions"):
        read_tracks(table, None)
    directions = tmp_path / "d.fixations.parquet"
    placed = write_fixations(tmp_path / "p.fixations.parquet", ["a.jpg"])
    write_table(directions, read_fixations(placed)[0], {"directions": True})
    with pytest.raises(SchemaError, match="directions of the eye, not places on a screen"):
        read_tracks(directions, {"a": (80, 60)}, "fit")


def test_impossible_rows_are_counted_by_reason(tmp_path):
    onset, duration = np.array([0.0, np.nan, 400.0]), np.array([300.0, 300.0, np.inf])
    table = write_fixations(
        tmp_path / "g.fixations.parquet", ["a.jpg"] * 3, onset_ms=onset, duration_ms=duration
    )
    found = read_tracks(table, None)
    assert (found.n_rows, found.dropped) == (3, {"no onset": 1, "no duration": 1})


def test_images_are_found_by_ignoring_case_where_nothing_else_can_be_meant(tmp_path):
    sizes = {"dog": (40, 30), "Cat": (40, 30), "cat": (40, 30), "bird": (40, 30)}
    stimuli = ["Dog.JPG", "CAT.jpg", "bird.jpg", "BIRD.jpg"]
    found = read_tracks(write_fixations(tmp_path / "g.fixations.parquet", stimuli), sizes)
    assert [track.stimulus for track in found.tracks] == ["dog", "bird.jpg"]
    assert found.by_case == {"Dog.JPG": "dog"}
    # Two images or two stimuli that differ by case alone: nobody knows which is meant.
    assert found.missing_images == ("BIRD.jpg", "CAT.jpg")
    assert found.dropped == {"no image": 2}


def test_the_image_most_like_a_missing_one_is_named(tmp_path):
    found = read_tracks(
        write_fixations(tmp_path / "g.fixations.parquet", ["zebra.jpg"]), {"dog": (40, 30)}
    )
    assert found.alike == {}
    found = read_tracks(
        write_fixations(tmp_path / "h.fixations.parquet", ["polpy_12.jpg"]), {"polyp_12": (40, 30)}
    )
    assert found.alike == {"polpy_12.jpg": "polyp_12"}
