"""Tracks of fixations at hand."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import InputError, SchemaError
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
