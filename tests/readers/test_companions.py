import json

import pytest

from gazetrack.errors import UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.tables.screen import Screen

ADHAWK = {
    "Timestamp,IPD,UTC_Time": "pupil distances",
    "Timestamp_End,Duration,UTC_Time": "blinks",
    "Timestamp,Pupil_Size_Right,Pupil_Size_Left,UTC_Time": "pupil sizes",
    ",".join(
        ["Timestamp", *(f"Pupil_Pos_{a}_{e}" for e in ("Right", "Left") for a in "XYZ")]
    ): "pupil positions",
    "Timestamp,Gyro_X,Gyro_Y,Gyro_Z,Accel_X,Accel_Y,Accel_Z,UTC_Time": "movements of the head",
}


@pytest.mark.parametrize("delimiter", [",", '","'])
@pytest.mark.parametrize("header", ADHAWK)
def test_tables_of_a_mindlink_without_gaze_are_named(header, delimiter, tmp_path):
    path = tmp_path / "any name.dat"
    names = header.split(",")
    lines = (delimiter.join(cells) for cells in (names, ["1.5"] * len(names)))
    quote = '"' if '"' in delimiter else ""
    path.write_bytes("".join(f"{quote}{line}{quote}\r\n" for line in lines).encode())
    with pytest.raises(
        UnknownFormat, match=f"{ADHAWK[header]} of an AdHawk MindLink recording"
    ) as caught:
        registry.detect(read_head(path))
    assert "gaze_data.csv" in caught.value.hint


def test_the_file_to_give_is_read_as_fractions_of_the_camera_image(tmp_path):
    path = tmp_path / "any name.dat"
    path.write_text(
        "Timestamp,Gaze_X,Gaze_Y,Gaze_Z,Vergence,Image_X,Image_Y\n1.5,9,9,9,0.1,0.5,0.25\n1.508,9,9,9,0.1,,\n"
    )
    assert registry.detect(read_head(path)).name == "adhawk"
    recording = (
        registry.get("adhawk").read(read_head(path), ReadOptions()).with_screen(Screen(1000, 800))
    )
    first = (
        recording.sample_table["x_px"].to_pylist()[0],
        recording.sample_table["y_px"].to_pylist()[0],
    )
    assert first == pytest.approx((500, 200), rel=1e-6)  # float32, scaled twice
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 8])
    assert recording.loss == 0.5


def test_the_settings_of_a_mindlink_are_named(tmp_path):
    path = tmp_path / "any name.dat"
    path.write_text(
        json.dumps(
            {"user_profile": {}, "camera_config": {}, "manifest": {"entries": []}}, indent="\t"
        )
    )
    with pytest.raises(UnknownFormat, match="the settings of an AdHawk MindLink recording"):
        registry.detect(read_head(path))


TRIALS = {
    "trials.thisN,image,key_resp.rt,participant,expName,psychopyVersion,frameRate": "PsychoPy",
    '"acc","block","opensesame_version","response_time","subject_nr"': "OpenSesame",
}


@pytest.mark.parametrize("header", TRIALS)
def test_tables_of_trials_are_named_and_the_gaze_is_asked_for(header, tmp_path):
    path = tmp_path / "p1.csv"
    path.write_text(f"{header}\n" + ",".join("1" for _ in header.split(",")) + "\n")
    with pytest.raises(UnknownFormat, match=f"{TRIALS[header]}'s table of trials") as caught:
        registry.detect(read_head(path))
    assert "tracker" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "Excel's own format"),
        ("et.tslv", b"\1\2\3\4" * 50, "the binary stream log of Tobii Glasses 2"),
        ("a.bin", b"gaze\0\1\2\3" * 50, "is binary, not a text export"),
    ],
)
def test_binary_files_are_called_what_they_are(name, data, what, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UnknownFormat, match=what) as caught:
        registry.detect(read_head(path))
    assert caught.value.hint
    assert caught.value.byte == (4 if name == "a.bin" else None)


def test_a_companion_longer_than_the_head_is_known_by_its_first_keys(tmp_path):
    whole = {"uuid": "1", "gaze": {}, "scenecamera": {}, "more": ["x"] * 30_000}
    short = {**whole, "more": []}
    errors = []
    for name, facts in (("a", short), ("b", whole)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(facts, indent=4))
        with pytest.raises(UnknownFormat) as caught:
            registry.detect(read_head(path))
        errors.append((caught.value.what, caught.value.hint))
    assert errors[0] == errors[1]
    assert "a recording file of Tobii Glasses 3" in errors[0][0]
