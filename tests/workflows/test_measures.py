"""Areas of interest measured in tables at hand and in many files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gazetrack
from gazetrack.errors import ConfigError, DataError, SchemaError
from gazetrack.tables.store import write_table
from gazetrack.workflows.measures import aoi_options, measure_files
from tests.aoi_tables import NAN, area, areas, box, halves, own_json, rectangle, table

SCREEN = {"screen": {"width_px": 200, "height_px": 100, "width_mm": 200, "distance_mm": 1000 / 3}}


def write(path, fixations, **meta):
    write_table(path, fixations, meta)
    return path


def test_a_data_frame_is_measured_as_its_file_is(tmp_path):
    fixations = table([10, 60, 20], [5] * 3)
    path = write(tmp_path / "a.fixations.parquet", fixations)
    at_hand = gazetrack.measure_aois(fixations.to_pandas(), halves())
    pd.testing.assert_frame_equal(gazetrack.measure_aois(path, halves()), at_hand)
    pd.testing.assert_frame_equal(gazetrack.measure_aois(tmp_path, halves()), at_hand)
    pd.testing.assert_frame_equal(gazetrack.measure_aois(fixations, halves()), at_hand)
    assert at_hand["visits"].tolist() == [2, 1]


def test_areas_may_be_a_file(tmp_path):
    own_json(tmp_path / "aois.json", rectangle(x=0, y=0, width=50, height=100))
    found = gazetrack.measure_aois(table([10, 60], [5] * 2), tmp_path / "aois.json")
    assert found["dwell_ms"].tolist() == [100]


def test_transitions_and_entropy():
    fixations = table([10, 60, 20], [5] * 3)
    steps = gazetrack.aoi_transitions(fixations, halves())
    assert len(steps) == 4
    entropy = gazetrack.aoi_transitions(fixations, halves(), entropy=True)
    assert entropy["transition_entropy_bits"].tolist() == [0, 0]


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


def test_a_bad_table_leaves_the_others_alone(tmp_path):
    good = write(tmp_path / "good.fixations.parquet", table([10], [5]))
    other = table([10], [5], image_width_px=NAN, image_height_px=NAN)
    bad = write(tmp_path / "bad.fixations.parquet", other)
    missing = tmp_path / "none.fixations.parquet"
    report = measure_files([good, bad, missing], halves(), aoi_options())
    assert [outcome.status for outcome in report.outcomes] == ["ok", "failed", "failed"]
    assert report.outcomes[1].error.path == bad
    assert report.tables.measures.num_rows == 2
    with pytest.raises(SchemaError):
        gazetrack.measure_aois([good, bad], halves())


def test_the_tables_do_not_depend_on_the_number_of_processes(tmp_path):
    paths = [
        write(tmp_path / f"{name}.fixations.parquet", table([k, 60], [5] * 2, recording=name))
        for k, name in enumerate("abc")
    ]
    one = measure_files(paths, halves(), aoi_options())
    two = measure_files(paths, halves(), aoi_options(), jobs=2)
    for name in ("measures", "transitions", "entropy"):
        here, there = (getattr(each.tables, name).to_pandas() for each in (one, two))
        pd.testing.assert_frame_equal(here, there)
    assert one.tables.measures["recording"].to_pylist() == ["a", "a", "b", "b", "c", "c"]


def test_rows_in_are_rows_used_and_those_dropped_by_reason(tmp_path):
    stimuli = np.array(["cat", "dog", "cat"], object)
    path = write(tmp_path / "a.fixations.parquet", table([1, 2, NAN], [5] * 3, stimulus=stimuli))
    (outcome,) = measure_files([path], halves(), aoi_options()).outcomes
    assert outcome.rows_in == 3
    assert outcome.dropped == {"no position": 1, "no areas of interest": 1}
    from_gaze = "3 trials begin with their first fixation: when their image appeared"
    assert outcome.notes == [
        f"{from_gaze} is not in the table (--trials says it)",
        "1 stimuli have no areas of interest: dog",
    ]


def test_areas_of_an_unknown_stimulus_are_told_with_the_closest_name(tmp_path):
    stimuli = np.array(["cat", "mouse1"], object)
    path = write(tmp_path / "a.fixations.parquet", table([1, 2], [5] * 2, stimulus=stimuli))
    cat = halves().stimuli[0]
    mouse = areas(area("a", box(0, 0, 9, 9)), stimulus="mouze1").stimuli[0]
    report = measure_files([path], gazetrack.AoiSet(stimuli=(cat, mouse)), aoi_options())
    assert report.notes == ("1 stimuli with areas are in no table: mouze1; did you mean 'mouse1'?",)
    with pytest.raises(DataError, match="none of its stimuli has areas of interest: 'cat'"):
        gazetrack.measure_aois(path, gazetrack.AoiSet(stimuli=(mouse,)))


def test_stated_trials_without_gaze_are_rows(tmp_path):
    path = write(tmp_path / "a.fixations.parquet", table([10, 60], [5] * 2))
    (tmp_path / "trials.csv").write_text(
        "recording,trial,stimulus,onset_ms,duration_ms\n"
        "r,1,cat.png,0,1000\nr,2,cat.png,1000,500\ns,1,cat.png,0,700\ns,1,dog.png,0,700\n"
    )
    for tables in (path, table([10, 60], [5] * 2)):
        found = gazetrack.measure_aois(tables, halves(), trials=tmp_path / "trials.csv")
        left = found[found["aoi"] == "left"]
        names = ["recording", "trial", "fixations", "trial_ms", "observed_ms"]
        assert left[names].to_numpy().tolist() == [
            ["r", "1", 1, 1000, 0],
            ["r", "2", 0, 500, 500],
            ["s", "1", 0, 700, 700],
        ]


def test_options_that_cannot_be_are_refused():
    with pytest.raises(ConfigError, match="max_gap_ms"):
        aoi_options(max_gap_ms=-1)


@pytest.mark.real_data
def test_the_polyps_of_kvasir_as_a_loop_over_fixations_finds_them(data_dir, tmp_path):
    folder = data_dir / "kvasir-gaze"
    gazetrack.convert(folder / "kvasir_fixation.csv", out=tmp_path)
    frame = pd.read_parquet(tmp_path / "kvasir_fixation.fixations.parquet")
    chosen = list(frame["stimulus"].unique()[::60])  # 15 of 900
    frame = frame[frame["stimulus"].isin(chosen)]
    frame.attrs["gazetrack"] = {"time_origin": "trial"}
    found = gazetrack.measure_aois(frame, gazetrack.read_aois(folder / "masks", name="polyp"))
    assert len(found) == len(chosen) == 15
    for row in found.to_dict("records"):
        with Image.open(folder / "masks" / row["stimulus"]) as picture:
            mask = np.array(picture.convert("L")) > 127
        height, width = mask.shape
        dwell, first = 0.0, NAN
        own = frame[frame["stimulus"] == row["stimulus"]].sort_values("onset_ms")
        for one in own.to_dict("records"):
            x = int(np.floor(one["x_px"] * (width / one["image_width_px"])))
            y = int(np.floor(one["y_px"] * (height / one["image_height_px"])))
            if 0 <= x < width and 0 <= y < height and mask[y, x]:
                dwell += one["duration_ms"]
                first = one["onset_ms"] if np.isnan(first) else first
        assert row["dwell_ms"] == dwell
        assert row["time_to_first_fixation_ms"] == pytest.approx(first, nan_ok=True)
        share = dwell / own["duration_ms"].sum()
        assert row["dwell_share_of_fixation_time"] == pytest.approx(share)
