"""Which fixations lie in which areas: placements, screens and degrees."""

from __future__ import annotations

import pandas as pd
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, DataError, SchemaError
from gazetrack.tables.store import write_table
from tests.aoi_tables import NAN, area, areas, box, halves, table

SCREEN = {"screen": {"width_px": 200, "height_px": 100, "width_mm": 200, "distance_mm": 1000 / 3}}


def write(path, fixations, **meta):
    write_table(path, fixations, meta)
    return path


def test_a_placement_brings_gaze_on_the_screen_to_the_image(tmp_path):
    on_screen = table([60, 160], [5] * 2, image_width_px=NAN, image_height_px=NAN)
    path = write(tmp_path / "a.fixations.parquet", on_screen, **SCREEN)
    with pytest.raises(SchemaError, match="in screen pixels, its areas in image pixels"):
        gazetrack.measure_aois(path, halves())
    # The image of 100 x 100 px lies in the middle of the screen of 200 x 100.
    drawn = halves(size=(100, 100))
    found = gazetrack.measure_aois(path, drawn, placement="centre")
    assert found["fixations"].tolist() == [1, 0]
    with pytest.raises(SchemaError, match="--images DIR"):
        gazetrack.measure_aois(path, halves(), placement="centre")
    (tmp_path / "images").mkdir()
    Image.new("L", (100, 100)).save(tmp_path / "images" / "cat.png")
    with_images = gazetrack.measure_aois(
        path, halves(), placement="centre", images=tmp_path / "images"
    )
    pd.testing.assert_frame_equal(with_images, found)


def test_areas_on_the_screen_meet_gaze_that_was_placed_on_images(tmp_path):
    placed = {"cat.png": {"x_px": 50, "y_px": 0, "width_px": 200, "height_px": 200}}
    placed["cat.png"] |= {"image_width_px": 100, "image_height_px": 100}
    path = write(tmp_path / "a.fixations.parquet", table([10, 60], [5] * 2), placement=placed)
    right = areas(area("right", box(100, 0, 200, 100)), space="screen")  # 70 and 170 px
    assert gazetrack.measure_aois(path, right)["first_fixation_number"].tolist() == [2]
    path = write(tmp_path / "b.fixations.parquet", table([10, 60], [5] * 2))
    with pytest.raises(SchemaError, match="in image pixels, its areas in screen pixels"):
        gazetrack.measure_aois(path, right)


def test_a_margin_in_degrees_needs_to_know_what_a_degree_is(tmp_path):
    # 1 px is 1 mm at 1/3 m: a degree is 5.82 px.
    on_screen = table([100 - 5, 100 - 7], [5] * 2, image_width_px=NAN, image_height_px=NAN)
    right = areas(area("right", box(100, 0, 200, 100)), space="screen")
    path = write(tmp_path / "a.fixations.parquet", on_screen, **SCREEN)
    assert gazetrack.measure_aois(path, right, margin_deg=1)["fixations"].tolist() == [1]
    with pytest.raises(ConfigError, match="how large a degree is"):
        gazetrack.measure_aois(on_screen, right, margin_deg=1)
    # Twice as large on the screen as in the file: a degree is half as many pixels of the image.
    placed = {"cat.png": {"x_px": 0, "y_px": 0, "width_px": 200, "height_px": 200}}
    placed["cat.png"] |= {"image_width_px": 100, "image_height_px": 100}
    on_image = table([50 - 2.5, 50 - 3.5], [5] * 2)
    path = write(tmp_path / "b.fixations.parquet", on_image, placement=placed, **SCREEN)
    found = gazetrack.measure_aois(path, halves(), margin_deg=1)
    assert found.set_index("aoi")["fixations"]["right"] == 1


def test_lists_of_tables_at_hand_and_doubled_columns_are_refused():
    frame = table([10], [5]).to_pandas()
    for measure in (gazetrack.measure_aois, gazetrack.aoi_looks):
        with pytest.raises(ConfigError, match="a list with a DataFrame in it"):
            measure([frame, frame], halves())
        with pytest.raises(SchemaError, match="several columns called x_px"):
            measure(pd.concat([frame, frame[["x_px"]]], axis=1), halves())
    arrow = table([10], [5])
    with pytest.raises(SchemaError, match="several columns called x_px"):
        gazetrack.measure_aois(arrow.append_column("x_px", arrow["x_px"]), halves())


def test_trials_of_other_recordings_are_refused_with_the_nearest(tmp_path):
    trials = tmp_path / "trials.csv"
    trials.write_text("recording,stimulus,onset_ms,duration_ms\nsubj-1,cat,0,900\n")
    fixations = table([10], [5], recording="subj_1")
    with pytest.raises(DataError, match="none of the stated trials is of its recording") as found:
        gazetrack.measure_aois(fixations, halves(), trials=trials)
    assert "did you mean 'subj-1'?" in found.value.hint
    # A table without names has those that are stated.
    found = gazetrack.measure_aois(table([10], [5], recording=""), halves(), trials=trials)
    assert found["recording"].tolist() == ["subj-1"] * 2
    assert found["fixations"].tolist() == [1, 0]
