import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.pupil import core as pupil_core
from gazetrack.tables.placement import Placement
from gazetrack.tables.screen import Screen
from gazetrack.tables.store import read_table
from gazetrack.workflows.convert import ConvertOptions, convert_files
from tests.contracts import check_reader

COMPANIONS = [
    ("id,start_timestamp,duration,end_timestamp,filter_response\n1,2.0,0.1,2.1,0.5", "blinks"),
    (
        "pupil_timestamp,eye_id,confidence,norm_pos_x,norm_pos_y,diameter\n1.0,0,1,0.5,0.5,30",
        "pupil positions",
    ),
    ("# timestamps [seconds],pts\n1.0,0", "timestamps of camera frames"),
    ("index,timestamp,label,duration\n", "annotations"),
    ("key,value\nPlayer Software Version,3.5", "settings"),
    ("world_index,world_timestamp,img_to_surf_trans\n1,1,[]", "positions of a surface"),
]


def head_of(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text + "\n", encoding="utf-8")
    return read_head(path)


@pytest.mark.parametrize(("text", "what"), COMPANIONS, ids=[what for _, what in COMPANIONS])
def test_companions_are_refused_by_name(text, what, tmp_path):
    head = head_of(tmp_path, text)
    with pytest.raises(UnknownFormat, match=f"{what} .*give gaze_positions.csv"):
        registry.detect(head)
    with pytest.raises(ParseError, match=rf"holds no gaze: it is {what} .*\[NO_GAZE\]"):
        pupil_core.read(head, ReadOptions())


def test_a_damaged_cell_has_its_place(tmp_path):
    head = head_of(
        tmp_path,
        "gaze_timestamp,confidence,norm_pos_x,norm_pos_y,base_data\n1,1,0.5,0.5,\n2,1,0.5,low,",
    )
    with pytest.raises(ParseError, match="norm_pos_y") as caught:
        pupil_core.read(head, ReadOptions())
    assert (caught.value.line, caught.value.column) == (3, 4)


SURFACE = (
    "world_timestamp,world_index,gaze_timestamp,x_norm,y_norm,x_scaled,y_scaled,on_surf,confidence"
)


def surface_file(tmp_path, size=(1.0, 1.0)):
    rows = []
    for i, (x, y) in enumerate([(0.25, 0.5), (0.5, 0.75), (1.25, 0.5), (0.5, 0.5)]):
        scaled = f"{x * size[0]},{y * size[1]}"
        confidence = 0.3 if i == 3 else 0.9
        rows.append(f"50,0,{50 + 0.01 * i},{x},{y},{scaled},{0 <= x <= 1},{confidence}")
    path = tmp_path / "gaze_positions_on_surface_Left page.csv"
    path.write_text("\n".join([SURFACE, *rows]) + "\n")
    return path


def test_gaze_on_a_surface_is_gaze_on_its_stimulus(tmp_path):
    recording = gazetrack.read(surface_file(tmp_path))
    np.testing.assert_allclose(recording.sample_table["x_px"], [320, 640, 1600, np.nan])
    np.testing.assert_allclose(recording.sample_table["y_px"], [360, 180, 360, np.nan])
    np.testing.assert_allclose(recording.sample_table["t_ms"], [0, 10, 20, 30], atol=1e-6)
    assert set(recording.sample_table["stimulus"].to_pylist()) == {"Left page"}
    assert (recording.fractions_of, recording.world_camera, recording.placements) == (
        "surface",
        "",
        {},
    )


def test_the_size_of_a_surface_is_the_users_or_the_exports(tmp_path):
    given = gazetrack.read(surface_file(tmp_path), screen=Screen(800, 600))
    np.testing.assert_allclose(given.sample_table["x_px"], [200, 400, 1000, np.nan])
    assert given.placements == {"Left page": Placement(0, 0, 800, 600, 800, 600)}
    stated = gazetrack.read(surface_file(tmp_path, (1000.0, 500.0)))
    np.testing.assert_allclose(stated.sample_table["y_px"], [250, 125, 250, np.nan])
    assert (stated.screen.width_px, stated.screen.height_px) == (1000, 500)
    assert stated.placements == {"Left page": Placement(0, 0, 1000, 500, 1000, 500)}
    assert any("1000x500" in note for note in stated.notes)


@pytest.mark.parametrize("size", [(29.7, 21.0), (0.5, 0.3)])
def test_a_surface_in_centimetres_has_no_pixels(size, tmp_path):
    assert gazetrack.read(surface_file(tmp_path, size)).fractions_of == "surface"


def test_fixations_on_a_surface_are_in_image_pixels_where_its_size_is_known(tmp_path):
    rows = [
        "50,0,0,50.01,200,0.7,0.25,0.5,250,250,True",
        "50.3,6,1,50.3,180,0.7,0.5,0.75,500,375,True",
    ]
    names = "world_timestamp,world_index,fixation_id,start_timestamp,duration,dispersion,"
    names += "norm_pos_x,norm_pos_y"
    path = tmp_path / "fixations_on_surface_Screen.csv"
    path.write_text("\n".join([f"{names},x_scaled,y_scaled,on_surf", *rows]) + "\n")
    (outcome,) = convert_files([path], ConvertOptions())
    assert outcome.error is None
    table, _ = read_table(outcome.outputs[0]["path"])
    assert table["stimulus"].to_pylist() == ["Screen"] * 2
    assert (table["x_px"].to_pylist(), table["y_px"].to_pylist()) == (
        [250, 500],
        pytest.approx([250, 125]),
    )
    assert set(table["image_width_px"].to_pylist()) == {1000}


@pytest.mark.real_data
@pytest.mark.parametrize(
    "folder", ["pupil_tutorials_10", "gaze2svg_tip", "wcosta_1280x720_withoutBlinks"]
)
def test_real_samples_are_as_counted(folder, exports, truth):
    file = f"pupil_core/{folder}/gaze_positions.csv"
    recording, want = check_reader(pupil_core, exports / file), truth[file]
    t = recording.origin_ms + recording.sample_table["t_ms"].to_numpy()
    assert recording.sample_table.num_rows == want["n_samples"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    assert recording.loss == pytest.approx(want["conf_lt_0_6"] / want["n_samples"])


@pytest.mark.real_data
@pytest.mark.parametrize(
    "file", ["pupil_tutorials_10/fixations.csv", "chblab_surface/005_fixations_on_surface.csv"]
)
def test_real_fixations_are_as_counted(file, exports, truth):
    file = f"pupil_core/{file}"
    recording, want = check_reader(pupil_core, exports / file), truth[file]
    t = recording.origin_ms + recording.fixation_table["onset_ms"].to_numpy()
    assert recording.rows_in == want["n_rows"]
    assert recording.fixation_table.num_rows == want["n_fixations"]
    assert (t[0], t[-1]) == pytest.approx((want["first_t_ms"], want["last_t_ms"]), abs=1e-3)
    assert recording.fixation_table["duration_ms"].to_numpy().mean() == pytest.approx(
        want["mean_fix_dur_ms"], abs=1e-3
    )


@pytest.mark.real_data
def test_real_companions_are_refused_by_name(exports, truth):
    companions = {"pupil_core_blinks", "pupil_core_pupil", "pupil_core_other"}
    files = [file for file, facts in truth.items() if facts["format"] in companions]
    assert files
    for file in files:
        with pytest.raises(
            UnknownFormat, match=r"holds no gaze: it is .* of a Pupil Core recording"
        ):
            registry.detect(read_head(exports / file))


def test_gaze_that_is_trusted_throughout_needs_no_word(tmp_path):
    text = "gaze_timestamp,confidence,norm_pos_x,norm_pos_y,base_data\n1,1,0.5,0.5,\n2,1,0.5,0.25,"
    recording = pupil_core.read(head_of(tmp_path, text), ReadOptions())
    assert recording.sample_table["t_ms"].to_pylist() == [0, 1000]
    assert not any("confidence" in note for note in recording.notes)
