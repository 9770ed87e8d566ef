"""Images with the gaze on them: stored maps where there are some, else rendered of the tracks."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import InputError
from gradtrack_model.data.looked_at import find_looked_at
from tests.synthetic import write_data


def test_stored_maps_are_taken_as_they_are(data_folder):
    gazetrack.render(
        [data_folder / "g.fixations.parquet"],
        out=data_folder / "maps",
        params=gazetrack.MapParams(levels=2),
    )
    found = find_looked_at(data_folder / "images", maps=data_folder / "maps")
    levels = found.levels(found.items[0])
    expected = gazetrack.read_maps(data_folder / "maps").load("im0")
    np.testing.assert_array_equal(levels.values, expected)
    assert levels.titles == ("last 50 %", "all")
    assert levels.source == "stored in maps.parquet"


def test_without_them_tracks_are_rendered(data_folder):
    found = find_looked_at(
        data_folder / "images", masks=data_folder / "masks", fixations=[data_folder]
    )
    item = found.items[3]
    levels = found.levels(item)
    assert levels.values.shape == (4, 64, 80)
    (track,) = item.tracks
    expected = gazetrack.render_maps(track).as_uint8()
    assert np.abs(levels.values.astype(int) - expected).max() <= 1
    assert item.mask is not None
    assert levels.source == "rendered of one track, kind density"


def test_without_gaze_there_are_images_alone(data_folder):
    found = find_looked_at(data_folder / "images")
    assert found.levels(found.items[0]) is None
    assert not found.has_levels(found.items[0])
    (data_folder / "empty").mkdir()
    with pytest.raises(InputError, match="holds no image"):
        find_looked_at(data_folder / "empty")


def test_gaze_on_what_is_not_there_is_told(tmp_path):
    folder = write_data(tmp_path / "data")
    (folder / "images" / "im2.png").unlink()
    found = find_looked_at(folder / "images", fixations=[folder])
    assert found.notes == ("1 stimuli with gaze have no image",)


def test_an_image_that_cannot_be_read_is_told_and_the_others_are_shown(tmp_path):
    folder = write_data(tmp_path / "data", n=2)
    (folder / "images" / "empty.png").write_bytes(b"")
    found = find_looked_at(folder / "images", fixations=[folder])
    assert [item.image_id for item in found.items] == ["im0", "im1"]
    (note,) = found.notes
    assert note.startswith("left out: ")
    assert "empty.png: cannot be read as an image" in note
    with pytest.raises(InputError, match=r"empty\.png: cannot be read as an image"):
        find_looked_at(folder / "images" / "empty.png")
