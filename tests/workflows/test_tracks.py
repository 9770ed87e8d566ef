"""Tracks of fixations at hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ConfigError, InputError, SchemaError
from gazetrack.events.auto import Auto
from gazetrack.workflows.table_tracks import read_tracks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracks")
    example = gazetrack.write_example(folder, n_images=4, size=(48, 64))
    example.exports[1].rename(folder / "raw.tsv")
    return folder


@pytest.fixture(scope="module")
def fixations(folder):
    return gazetrack.detect_fixations(gazetrack.read(folder / "raw.tsv"))


def test_on_the_images_they_are_those_of_the_command(folder, fixations, tmp_path):
    tracks = gazetrack.tracks(fixations, images=folder / "images", placement="fit")
    (outcome,) = gazetrack.convert(folder / "raw.tsv", out=tmp_path, detector=Auto())
    sizes = dict.fromkeys((track.stimulus.split(".")[0] for track in tracks), (64, 48))
    expected = read_tracks(outcome.outputs[0]["path"], sizes, "fit").tracks
    assert len(tracks) == len(expected) == 2
    for ours, theirs in zip(tracks, expected, strict=True):
        assert (ours.width, ours.height) == (64, 48)
        np.testing.assert_array_equal(ours.x, theirs.x)
        assert ours.stimulus == theirs.stimulus


def test_without_images_they_lie_where_the_fixations_know(fixations):
    screen = fixations.attrs["gazetrack"]["screen"]
    sizes = {(track.width, track.height) for track in gazetrack.tracks(fixations)}
    known = fixations[["image_width_px", "image_height_px"]].dropna().drop_duplicates()
    expected = {tuple(row) for row in known.to_numpy()}
    assert sizes == (expected or {(screen["width_px"], screen["height_px"])})


def test_where_nothing_is_known_an_error_says_so(fixations):
    forgotten = fixations.assign(image_width_px=np.nan, image_height_px=np.nan)
    forgotten.attrs.clear()
    with pytest.raises(SchemaError, match="size of the screen is not known"):
        gazetrack.tracks(forgotten)
    with pytest.raises(SchemaError, match="images"):
        gazetrack.tracks(fixations, placement="fit")


def test_a_folder_of_other_images_is_an_error(fixations, tmp_path):
    from PIL import Image

    Image.new("L", (8, 8)).save(tmp_path / "stranger.png")
    with pytest.raises(InputError, match="no image of these fixations"):
        gazetrack.tracks(fixations, images=tmp_path)


def test_what_is_of_another_type_is_refused_in_words(folder, fixations):
    recording = gazetrack.read(folder / "raw.tsv")
    track = gazetrack.tracks(fixations)[0]
    calls = {
        "recording is of type str - give what gazetrack.read": (
            lambda: gazetrack.detect_fixations("raw.tsv"),
            lambda: gazetrack.exported_fixations("raw.tsv"),
        ),
        r"the class Auto - give one of it: Auto\(\)": (
            lambda: gazetrack.detect_fixations(recording, Auto),
        ),
        "table of fixations is of type .* - give a data frame": (
            lambda: gazetrack.tracks(recording),
            lambda: gazetrack.tracks(["a.fixations.parquet"]),
            lambda: gazetrack.compare([fixations], fixations),
        ),
        "track is of type list": (lambda: gazetrack.render_maps([track]),),
        "params is of type str": (lambda: gazetrack.render_maps(track, "hull"),),
        "recording is of type .* - give one recording": (
            lambda: gazetrack.quality(fixations),
            lambda: gazetrack.quality([recording, recording]),
            lambda: gazetrack.quality(None),
        ),
    }
    for words, wrong in calls.items():
        for call in wrong:
            with pytest.raises(ConfigError, match=words):
                call()


def test_files_of_the_quality_may_be_anything_that_can_be_iterated(folder):
    listed = gazetrack.quality([folder / "raw.tsv"])
    assert gazetrack.quality(folder.glob("raw.tsv")).equals(listed)


def test_tracks_and_maps_can_be_looked_up_in_lists_and_sets(fixations):
    first, second = gazetrack.tracks(fixations)[:2]
    assert first in [second, first]
    assert len({first, second, first}) == 2
    assert first != second
    maps = gazetrack.render_maps(first)
    assert [maps].index(maps) == 0
    assert maps != gazetrack.render_maps(second)


def test_a_table_joined_to_itself_is_refused(fixations):
    both = pd.concat([fixations, fixations])
    both.attrs = fixations.attrs
    with pytest.raises(SchemaError, match="more than once"):
        gazetrack.tracks(both)
    one_row_more = pd.concat([fixations, fixations.head(1)])
    one_row_more.attrs = fixations.attrs
    assert gazetrack.tracks(one_row_more)  # an export may hold a row twice, which reading notes
