import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import NO, ReadOptions, read_head
from gazetrack.readers.tobii import sdk as tobii_sdk
from tests.contracts import check_reader
from tests.parts import grown, same_in_parts

POINTS = "left_gaze_point_on_display_area;right_gaze_point_on_display_area"


def read(tmp_path, rows, times="system_time_stamp;device_time_stamp"):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([f"{times};{POINTS};left_pupil_diameter", *rows]), encoding="utf-8")
    return tobii_sdk.read(read_head(path), ReadOptions())


def row(system, device, point="(0.5, 0.5)"):
    return f"{system};{device};{point};{point};3.5"


def test_rounded_times_go_by_the_steps_of_the_device(tmp_path):
    rows = [row(f"1.5646661703{3 + i}e+15", 11_103 * i + 7) for i in range(4)]
    recording = read(tmp_path, [*rows, "1.56466617037e+15;4"])
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx(
        [0, 11.103, 22.206, 33.309, 40], abs=1e-3
    )
    assert any("rounded to whole ms" in note for note in recording.notes)


@pytest.mark.parametrize("device", [lambda i: 5 + 10 * i, lambda i: "nan", lambda i: 20_000 * i])
def test_other_clocks_are_left_alone(device, tmp_path):
    recording = read(tmp_path, [row(1_000_000 + 10_000 * i, device(i)) for i in range(3)])
    assert recording.sample_table["t_ms"].to_pylist() == [0, 10, 20]
    assert not any("rounded" in note for note in recording.notes)


def test_half_a_number_is_none(tmp_path):
    recording = read(tmp_path, [row(1000, 1), row(2000, 2), "3000;3;(0.5, 0.5);(0.5, 0."])
    assert recording.sample_table["left_x_px"].to_pylist() == [960, 960, 960]
    assert recording.sample_table["right_x_px"].to_pylist() == pytest.approx(
        [960, 960, float("nan")], nan_ok=True
    )


def test_a_row_cut_off_within_its_first_number_has_no_time(tmp_path):
    recording = read(tmp_path, [row(1000, 1), row(2000, 2), "30"])
    assert (recording.sample_table.num_rows, recording.dropped) == (2, {"no time": 1})


@pytest.mark.parametrize("cell", ["(0.5, x)", "(0.5)", "0.5, 0.5", "(1_0, 2)"])
def test_a_damaged_point_has_its_place(cell, tmp_path):
    with pytest.raises(ParseError, match="is no pair of numbers") as caught:
        read(tmp_path, [row(1000, 1), row(2000, 2, cell)])
    assert (caught.value.line, caught.value.column) == (3, 3)


@pytest.mark.real_data
def test_the_rate_of_a_real_table_is_that_of_the_tracker(exports):
    # The truth's first and last time are of the system's clock, whose stamps are rounded to 10 ms,
    # which would be 100 Hz.
    recording = check_reader(tobii_sdk, exports / "tobii_other/emdat_tobii_sdk_4Ctest.csv")
    assert recording.effective_rate_hz == pytest.approx(90, abs=0.1)


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("tobii_sdk", tmp_path / "raw.csv"), monkeypatch)
    assert len(found.samples) > 200


def test_the_clocks_of_all_parts_are_compared(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    lines = [row(1_000_000 + 11_000 * i, 11_103 * i + 7) for i in range(60)]
    # A stretch in which the device has no time, longer than a part.
    lines[20:40] = [row(1_000_000 + 11_000 * i, "nan") for i in range(20, 40)]
    header = f"system_time_stamp;device_time_stamp;{POINTS};left_pupil_diameter"
    path.write_text("\n".join([header, *lines]) + "\n")
    found = same_in_parts(path, monkeypatch)
    assert any("rounded to whole ms" in note for note in found.notes)
    assert found.samples["t_ms"].iloc[-1] == pytest.approx(59 * 11.103)


def test_times_of_the_tracker_without_points_are_no_export(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("system_time_stamp;device_time_stamp\n1000;1\n2000;2\n")
    assert tobii_sdk.sniff(read_head(path)) == NO
