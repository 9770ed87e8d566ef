import numpy as np
import pytest

from gazetrack.readers import gazemedseg
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.contracts import check_reader

HEADER = (
    "IMAGE,CURRENT_FIX_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y,CURRENT_FIX_DURATION,CURRENT_FIX_PUPIL,"
    "CURRENT_FIX_START,IMAGE_HEIGHT,IMAGE_WIDTH"
)


def head_of(folder, *rows, header=HEADER):
    path = folder / "a.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_head(path)


def read(folder, *rows):
    return gazemedseg.read(head_of(folder, *rows), ReadOptions())


def test_fractions_are_those_of_each_image(tmp_path):
    recording = read(tmp_path, "a.jpg,1,0.5,0.25,400,9,0,400,600", "b.jpg,1,0.1,1.0,90,9,3,200,100")
    fixations = recording.fixation_table
    assert fixations["x_px"].to_pylist() == [300, 10]
    assert fixations["y_px"].to_pylist() == [100, 200]
    assert fixations["image_width_px"].to_pylist() == [600, 100]


@pytest.mark.parametrize("size", ["0,600", "400,0", ",600", "-400,600"])
def test_an_image_without_a_size_has_no_positions_and_its_fixations_are_counted(size, tmp_path):
    recording = read(tmp_path, f"a.jpg,1,0.5,0.25,400,9,0,{size}", "b.jpg,1,0.5,0.5,90,9,3,200,100")
    assert recording.fixation_table["stimulus"].to_pylist() == ["b.jpg"]
    assert sum(recording.dropped.values()) == 1


def test_a_number_that_is_missing_is_0(tmp_path):
    recording = read(tmp_path, "a.jpg,,0.5,0.25,400,9,0,400,600")
    assert recording.fixation_table["index"].to_pylist() == [0]
    assert np.isfinite(recording.fixation_table["x_px"].to_numpy()).all()


def test_a_table_without_the_sizes_of_images_is_not_claimed(tmp_path):
    header = HEADER.removesuffix(",IMAGE_WIDTH")
    assert gazemedseg.sniff(head_of(tmp_path, header=header)).level == Level.NO


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "n_fixations", "n_images"),
    [
        ("kvasir-gaze/kvasir_fixation.csv", 24290, 900),
        ("nci-isbi-gaze/nci-isbi_fixation.csv", 17397, 789),
    ],
)
def test_published_tables_are_as_counted(file, n_fixations, n_images, data_dir):
    recording = check_reader(gazemedseg, data_dir / file)
    assert recording.fixation_table.num_rows == n_fixations
    assert len(set(recording.fixation_table["stimulus"].to_pylist())) == n_images
    assert not recording.dropped
