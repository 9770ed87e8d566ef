import numpy as np
import pandas as pd
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import registry, vr_headset
from gazetrack.readers.base import Level, ReadOptions, read_head
from tests.parts import grown, same_in_parts
from tests.real_exports import read_export

REAL_VIVE = "vr_headset/eyedentify3d_HTC_Vive_Pro_TESTNA01_2D_Fist3.csv"
REAL_PICO = "vr_headset/eyedentify3d_Pico_Neo_3_Pro_boxing_2D.csv"

VIVE = "time(100ns);eye_valid_L;eye_valid_R;" + ";".join(
    f"gaze_direct_{e}.{a}" for e in "LR" for a in "xyz"
)
PICO = "Video Name\tTimeline\t" + "\t".join(f"Combine Eye Gaze Vector. {a}" for a in "xyz")
START = 638342794000115346


def read(tmp_path, *lines):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return vr_headset.read(read_head(path), ReadOptions())


def vive(time, left="0;0;1", right="0;0;1", valid=31):
    return f"{time};{valid};{valid};{left};{right}"


def test_times_of_100_ns_keep_every_digit(tmp_path):
    recording = read(tmp_path, VIVE, vive(START), vive(START + 1), vive(""), vive(START + 79_771))
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 1e-4, 7.9771], abs=1e-12)
    assert recording.dropped == {"no time": 1}


@pytest.mark.parametrize("time", ["soon", "638.5", "-5", "9" * 30])
def test_a_damaged_time_has_its_line(time, tmp_path):
    with pytest.raises(ParseError, match="no whole number of 100 ns") as caught:
        read(tmp_path, VIVE, vive(START), vive(time))
    assert caught.value.line == 3


def test_seconds_may_have_a_decimal_comma(tmp_path):
    recording = read(tmp_path, PICO, "v\t0,02\t0\t0\t1", "v\t0,04\t0,5\t0\t1", "v\t\t0\t0\t1")
    assert recording.sample_table["t_ms"].to_pylist() == pytest.approx([0, 20])
    assert (recording.origin_ms, recording.dropped) == (pytest.approx(20), {"no time": 1})


def test_a_damaged_second_has_its_place(tmp_path):
    with pytest.raises(ParseError, match="Timeline") as caught:
        read(tmp_path, PICO, "v\t0.02\t0\t0\t1", "v\t??\t0\t0\t1")
    assert (caught.value.line, caught.value.column) == (3, 2)


def test_right_of_the_wearer_is_right_and_up_is_up_in_both_products(tmp_path):
    # 45 degrees to the right and up: a metre away on a plane a metre before the eyes, at 1 px per
    # mm.
    of_vive = read(tmp_path, VIVE, vive(START, "-0.5;0.5;0.5", "-0.5;0.5;0.5")).sample_table
    of_pico = read(tmp_path, PICO, "v\t0\t0.5\t0.5\t0.5").sample_table
    for samples in (of_vive, of_pico):
        assert (samples["x_px"].to_pylist(), samples["y_px"].to_pylist()) == ([3000], [1000])


def test_degrees_come_out_right(tmp_path):
    recording = read(tmp_path, PICO, f"v\t0\t{np.sin(np.radians(1))}\t0\t{np.cos(np.radians(1))}")
    x = recording.sample_table["x_px"].to_numpy()[0] - recording.screen.width_px / 2
    assert x == pytest.approx(recording.screen.px_per_deg, rel=1e-6)


@pytest.mark.parametrize(
    "line", [vive(START, valid=29), vive(START, "0;0;0", "0;0;0"), vive(START, "0;0;-1", "1;0;0")]
)
def test_no_direction_no_gaze(line, tmp_path):
    samples = read(tmp_path, VIVE, line).sample_table
    assert np.isnan(samples["x_px"].to_numpy()).all()


def test_the_other_eye_is_taken_when_one_is_lost(tmp_path):
    samples = read(tmp_path, VIVE, vive(START, left="0;0;0", right="0;0;1")).sample_table
    assert (np.isnan(samples["left_x_px"].to_numpy()).all(), samples["x_px"].to_pylist()) == (
        True,
        [2000],
    )


def test_a_log_without_directions_is_not_claimed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time(100ns);frame\n1;2\n")
    assert vr_headset.sniff(read_head(path)).level == Level.NO
    path.write_text(f"{PICO}\nv\t0\t0\t0\t1\n")
    assert registry.detect(read_head(path)).name == "vr_headset"


@pytest.mark.real_data
def test_a_real_vive_keeps_every_digit_of_its_clock(exports, truth):
    recording = read_export(exports / REAL_VIVE)
    table = pd.read_csv(exports / REAL_VIVE, sep=";")
    ticks = table["time(100ns)"].to_numpy()
    np.testing.assert_allclose(
        recording.sample_table["t_ms"].to_numpy(), (ticks - ticks[0]) / 1e4, rtol=0, atol=1e-9
    )
    assert recording.origin_ms == pytest.approx(truth[REAL_VIVE]["first_t_ms"], rel=1e-15)
    valid = (table[["eye_valid_L", "eye_valid_R"]].to_numpy() & 2).any(axis=1)
    assert recording.loss == pytest.approx(1 - valid.mean(), abs=2e-3)
    # Both eyes look at the same place, as far as a metre's plane can tell: their mean angles differ
    # by a few degrees.
    samples = recording.sample_table.to_pandas()
    apart = (samples["left_x_px"] - samples["right_x_px"]).median() / recording.screen.px_per_deg
    assert abs(apart) < 5


@pytest.mark.real_data
def test_a_real_pico_names_its_video(exports, truth):
    recording = read_export(exports / REAL_PICO)
    assert recording.origin_ms == truth[REAL_PICO]["first_t_ms"]
    assert recording.sample_table["stimulus"].to_pylist()[0] == "Boxe_EPreN4_2D_Testing_N1_S8_D"
    assert recording.effective_rate_hz == pytest.approx(50, rel=0.02)


def test_a_long_export_is_the_same_in_parts(tmp_path, monkeypatch):
    found = same_in_parts(grown("vr_headset", tmp_path / "raw.csv"), monkeypatch)
    assert len(found.samples) > 200
