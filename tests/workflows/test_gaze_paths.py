"""Fixations in any form become tracks, on images or on the screen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from gazetrack.errors import InputError, SchemaError
from gazetrack.workflows.gaze_paths import as_tracks, place_on, read_each
from tests.fixation_tables import write_fixations
from tests.measures.paths import random_track

SCREEN = {"image_width_px": np.nan, "image_height_px": np.nan}


@pytest.fixture
def table(tmp_path):
    return write_fixations(tmp_path / "a.fixations.parquet", ["cat.png", "cat.png", "dog.png"])


def names(tracks):
    return [(track.stimulus, len(track)) for track in tracks]


def test_every_form(table):
    place = place_on(None, None)
    expected = [("cat.png", 2), ("dog.png", 1)]
    frame, arrow = pd.read_parquet(table), pq.read_table(table)
    for given in (table, str(table), table.parent, frame, arrow, [frame], [table]):
        assert names(as_tracks(given, place)) == expected
    track = random_track(4, 0)
    assert as_tracks([track], place) == [track]
    assert names(as_tracks([track, frame], place)) == [("cat.png", 4), *expected]
    assert as_tracks([], place) == []


def test_a_folder_of_images_tells_their_sizes(table):
    Image.new("L", (160, 120)).save(table.parent / "cat.png")
    place = place_on(table.parent, None)
    (track,) = as_tracks(table, place)
    assert (track.width, track.height, track.x[0]) == (160, 120, 20)
    (table.parent / "cat.png").rename(table.parent / "bird.png")
    with pytest.raises(InputError, match="holds no image of these fixations"):
        as_tracks(table, place_on(table.parent, None))


def test_gaze_on_the_screen_stays_there_only_where_it_may(tmp_path):
    table = write_fixations(tmp_path / "a.fixations.parquet", ["cat.png"] * 2, **SCREEN)
    (track,) = as_tracks(table, place_on(None, None, or_screen=True))
    assert (track.width, track.height) == (100, 60)
    with pytest.raises(SchemaError, match="image size is not known"):
        as_tracks(table, place_on(None, None))
    (track,) = as_tracks(table, place_on(None, "centre", {"cat": (80, 60)}))
    assert (track.width, track.x.tolist()) == (80, [0, 0])
    with pytest.raises(SchemaError, match="a placement needs the images"):
        place_on(None, "fit")


def test_a_bad_table_leaves_the_others_alone(table):
    bad = table.with_name("b.fixations.parquet")
    bad.write_bytes(b"PAR1 nonsense")
    screen = write_fixations(table.with_name("c.fixations.parquet"), ["cat.png"], **SCREEN)
    tracks, outcomes = read_each([bad, table, screen], place_on(None, None))
    assert names(tracks) == [("cat.png", 2), ("dog.png", 1)]
    assert [outcome.status for outcome in outcomes] == ["failed", "ok", "failed"]
    assert outcomes[2].error.path == screen
    assert (outcomes[1].rows_in, outcomes[1].rows_out, len(outcomes[1].sha256)) == (3, 3, 64)


def test_what_is_left_out_is_counted(tmp_path):
    x = np.array([1.0, np.nan, 3.0])
    table = write_fixations(tmp_path / "a.fixations.parquet", ["cat.png"] * 3, x_px=x)
    for or_screen in (False, True):
        _, (outcome,) = read_each([table], place_on(None, None, or_screen=or_screen))
        assert outcome.rows_in == outcome.rows_out + sum(outcome.dropped.values()) == 3
