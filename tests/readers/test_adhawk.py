import json

import pytest

from gazetrack.errors import UnknownFormat
from gazetrack.readers import adhawk, registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.parts import grown, same_in_parts

HEADER = "Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Vergence,Image_X,Image_Y"


def write(folder, *rows, header=HEADER):
    path = folder / "gaze_data.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def row(time, x="0.5", y="0.25"):
    return f"{time},0.1,0.05,-1.0,0.06,{x},{y}"


def read(folder, *rows):
    return adhawk.read(read_head(write(folder, *rows)), ReadOptions())


def with_camera(folder, deg_to_px):
    settings = {"camera_config": {"deg_to_px": deg_to_px}}
    (folder / "meta_data.json").write_text(json.dumps(settings), encoding="utf-8")


def test_fractions_are_those_of_the_camera_image_and_may_lie_beside_it(tmp_path):
    samples = read(tmp_path, row(4115.0), row(4115.008, "1.05", "-0.01")).sample_table
    assert samples["x_px"].to_pylist() == pytest.approx([960, 2016])
    assert samples["y_px"].to_pylist() == pytest.approx([270, -10.8])
    assert samples["t_ms"].to_pylist() == pytest.approx([0, 8])


def test_the_camera_is_as_wide_as_a_flat_picture_with_so_many_pixels_per_degree(tmp_path):
    # 1920 px seen from 960 px away are 90 degrees; there, a degree in the middle has 16.755 px.
    with_camera(tmp_path, [0.001, 0.02, 960 * 3.141592653589793 / 180])
    recording = read(tmp_path, row(1.0))
    assert recording.screen.fov_deg == pytest.approx(90)
    assert any("90.0 degrees wide by meta_data.json" in note for note in recording.notes)


@pytest.mark.parametrize("px_per_deg", [0, -16.7, float("nan"), 1, 1000])
def test_a_camera_that_cannot_be_is_not_used_and_said(px_per_deg, tmp_path):
    with_camera(tmp_path, [px_per_deg])
    recording = read(tmp_path, row(1.0))
    assert recording.screen.fov_deg is None
    assert any("a camera that cannot be" in note for note in recording.notes)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"camera_config": {"deg_to_px": []}}', "[" * 5000]
)
def test_settings_of_another_shape_are_not_used_and_said(text, tmp_path):
    (tmp_path / "meta_data.json").write_text(text, encoding="utf-8")
    recording = read(tmp_path, row(1.0))
    assert recording.screen.fov_deg is None
    assert any("does not tell how wide the camera sees" in note for note in recording.notes)


def test_without_settings_nothing_is_said_of_them(tmp_path):
    assert not any("meta_data" in note for note in read(tmp_path, row(1.0)).notes)


def test_a_table_without_positions_in_the_image_is_not_claimed(tmp_path):
    path = write(tmp_path, "1,0,0,-1,0", header="Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Vergence")
    assert adhawk.sniff(read_head(path)).level == Level.NO


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["blink_data.csv", "ipd_data.csv", "meta_data.json"])
def test_a_real_companion_says_which_file_to_give(name, exports):
    with pytest.raises(UnknownFormat, match="AdHawk MindLink") as caught:
        registry.detect(read_head(exports / "adhawk_mindlink/mindlink_raw_01" / name))
    assert "gaze_data.csv" in caught.value.hint


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("adhawk", tmp_path / "gaze_data.csv"), monkeypatch)
    assert len(found.samples) > 200
