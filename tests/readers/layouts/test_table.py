"""Tables of public data sets, read by their layouts."""

import numpy as np
import pytest

import gazetrack
from gazetrack.errors import ConfigError, ParseError, UnknownFormat
from gazetrack.readers import registry
from gazetrack.readers.base import NO, ReadOptions, read_head
from gazetrack.readers.layouts.known import LAYOUTS
from tests.public_tables import BY_LAYOUT, TABLES

RECOGNISED = [table for table in TABLES if LAYOUTS[table.layout].mark]


@pytest.fixture
def written(tmp_path):
    def write(name):
        table = BY_LAYOUT[name]
        path = tmp_path / table.file
        path.write_text(table.text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("table", RECOGNISED, ids=lambda table: table.layout)
def test_an_unmistakable_header_is_recognised_and_read_as_by_its_name(table, written):
    path = written(table.layout)
    found = registry.detect(read_head(path))
    assert found.name == "public_dataset"
    assert f"layout {table.layout}" in found.verdict.reason
    by_itself = gazetrack.read(path)
    named = gazetrack.read(path, format=table.layout)
    assert by_itself.facts() == named.facts()
    assert by_itself.samples.equals(named.samples)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.layout)
def test_screen_rate_and_tracker_are_those_of_the_study(table, written):
    layout = LAYOUTS[table.layout]
    recording = gazetrack.read(written(table.layout), format=table.layout)
    assert recording.format == "public_dataset"
    assert (recording.rate_hz, recording.tracker) == (layout.rate_hz, layout.tracker)
    if not layout.directions:
        assert recording.screen == layout.screen
    if layout.rate_hz:
        assert recording.effective_rate_hz == pytest.approx(layout.rate_hz, rel=1e-3)
    assert f"layout {layout.name}: {layout.title}" in recording.notes
    assert all(f"unsure: {text}" in recording.notes for text in layout.unsure)


def test_degrees_become_pixels_of_the_screen_and_back(written):
    recording = gazetrack.read(written("gazebase"))
    samples = recording.samples
    assert recording.eyes == "left"
    right, down = recording.screen.degrees(
        samples.x_px.to_numpy(float), samples.y_px.to_numpy(float)
    )
    # The table counts upwards, and its seventh row has no gaze.
    assert right[[0, 6]] == pytest.approx([-16, -14.5], abs=1e-4)
    assert down[[0, 6]] == pytest.approx([-5.5, -4.75], abs=1e-4)
    assert np.flatnonzero(samples.x_px.isna()).tolist() == [7]
    assert samples.left_pupil[0] == 3000
    assert samples.right_pupil.isna().all()
    assert recording.participants == {"S_1001_S1_FXS": "001"}


def test_degrees_without_a_screen_are_directions(written):
    recording = gazetrack.read(written("gazebase_vr"))
    assert recording.directions
    samples = recording.samples
    for eye, expected in {
        "": (0.5, -5.0),
        "left_": (3.5, -4.25),
        "right_": (-2.0, -5.25),
    }.items():
        x, y = samples[f"{eye}x_px"].to_numpy(float), samples[f"{eye}y_px"].to_numpy(float)
        right, down = recording.screen.degrees(x[:1], y[:1])
        assert (right[0], -down[0]) == pytest.approx(expected, abs=1e-3)


def test_trials_with_clocks_of_their_own(written):
    recording = gazetrack.read(written("judo1000"))
    assert recording.time_origin == "trial"
    samples = recording.samples
    assert samples.trial.astype(str).tolist() == ["1"] * 10 + ["2"] * 10
    assert samples.t_ms.tolist() == [*range(10), *range(10)]
    # One eye's loss leaves the other's gaze.
    assert samples.x_px[3] == samples.right_x_px[3] == 613


def test_trials_and_stimuli_of_two_columns(written):
    samples = gazetrack.read(written("sb_sat")).samples
    assert set(samples.stimulus) == {"dickens"}
    assert set(samples.trial) == {"1", "2"}


def test_numbers_of_samples_become_milliseconds(written):
    samples = gazetrack.read(written("hbn"), format="hbn").samples
    assert samples.t_ms[:3].tolist() == pytest.approx([0, 1000 / 120, 2000 / 120])


def test_whole_milliseconds_at_2000_hz_are_told_apart(written):
    recording = gazetrack.read(written("emtec"))
    assert recording.samples.t_ms[:5].tolist() == [0, 0.5, 1, 1.5, 2]
    assert recording.eyes == "right"
    assert (recording.samples.right_pupil == 407).all()


def test_a_table_without_header_and_times(written):
    recording = gazetrack.read(written("gaze_on_faces"), format="gaze_on_faces")
    assert recording.rows_in == 20
    assert recording.samples.x_px[:2].tolist() == [600.5, 601.5]
    assert recording.samples.t_ms[:3].tolist() == pytest.approx([0, 1000 / 60, 2000 / 60])


def test_both_trackers_of_one_file(written):
    path = written("potsdam_binge_remote")
    eyelink = gazetrack.read(path).samples
    glasses = gazetrack.read(path, format="potsdam_binge_wearable").samples
    assert eyelink.right_x_px[0] == 991.5
    assert glasses.left_x_px[0] == 966.5
    assert eyelink.left_x_px.isna().all()
    assert glasses.right_x_px.isna().all()


def test_microseconds_fractions_and_an_eye_lost(written):
    samples = gazetrack.read(written("mcfw_gaze"), format="mcfw_gaze").samples
    assert samples.t_ms[1] == pytest.approx(8.333)
    assert (samples.left_x_px[0], samples.right_x_px[0]) == (480, 720)
    assert np.isnan(samples.left_x_px[2])
    assert samples.x_px[2] == 720


def test_the_marks_of_16_bits_are_missing(written):
    samples = gazetrack.read(written("pymovements_toy")).samples
    assert np.flatnonzero(samples.x_px.isna()).tolist() == [3]


def test_of_events_the_fixations_are_read_and_the_others_counted(written):
    recording = gazetrack.read(written("fake_news"))
    fixations = recording.fixation_table.to_pandas()
    assert fixations.onset_ms.tolist() == [1040, 1210]
    assert fixations.duration_ms.tolist() == [122, 215]
    assert fixations.x_px.tolist() == [665, 396]
    assert recording.rows_in == 4
    assert recording.dropped == {"eventType is not Fixation": 2}


@pytest.mark.parametrize("name", ["hbn", "potec", "gaze_on_faces"])
def test_a_header_that_could_be_anybodys_is_not_taken_for_a_data_sets(name, written):
    try:
        found = registry.detect(read_head(written(name))).name
    except UnknownFormat:
        found = ""
    assert found in ("", "generic")


def test_a_report_of_a_trackers_software_gets_the_screen(tmp_path):
    path = tmp_path / "18sat_fixfinal.csv"
    path.write_text(
        "RECORDING_SESSION_LABEL,TRIAL_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y,CURRENT_FIX_DURATION\n"
        "msd001,1,59.75,125.5,22\nmsd001,1,348.5,182,26\n"
    )
    recording = gazetrack.read(path, format="sb_sat_fixations")
    assert recording.format == "eyelink_report"
    assert recording.fixation_table["x_px"].to_pylist() == [59.75, 348.5]
    assert (recording.screen.width_px, recording.screen.width_mm) == (1024, None)
    assert recording.rate_hz is None


def test_a_report_with_decimal_commas_gets_the_screen(tmp_path):
    path = tmp_path / "FIX_report_P10.txt"
    names = "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tCURRENT_FIX_X\tCURRENT_FIX_Y"
    rows = "P10\t1\t759,75\t125,5\t220\nP10\t1\t848,5\t182,0\t260\n"
    path.write_bytes(f"{names}\tCURRENT_FIX_DURATION\n{rows}".encode("latin-1"))
    recording = gazetrack.read(path, format="copco_fixations")
    assert recording.fixation_table["x_px"].to_pylist() == [759.75, 848.5]
    assert recording.screen.distance_mm == 850


def test_the_users_screen_wins(written):
    given = gazetrack.Screen(1024, 768, 376, 282, 700)
    recording = gazetrack.read(written("sb_sat"), screen=given)
    assert recording.screen == given


def test_another_table_is_refused_by_its_columns(written):
    with pytest.raises(ParseError, match="no column trialId, x_right, y_right") as caught:
        gazetrack.read(written("sb_sat"), format="judo1000")
    assert "gazetrack dataset show judo1000" in caught.value.hint


def test_times_of_another_unit_are_refused(tmp_path):
    # The reader takes microseconds; these are milliseconds.
    path = tmp_path / "a.csv"
    rows = "".join(f"{4 * i},600,500,601,500\n" for i in range(20))
    path.write_text("time,gaze_x_left,gaze_y_left,gaze_x_right,gaze_y_right\n" + rows)
    with pytest.raises(ParseError, match="250 Hz") as caught:
        gazetrack.read(path, format="etdd70")
    assert "unit" in caught.value.hint


def test_columns_beside_a_layout_are_refused(written):
    with pytest.raises(ConfigError, match="leave"):
        gazetrack.read(written("sb_sat"), format="sb_sat", columns={"x": "x_left"})


def test_a_name_with_a_slip_gets_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'gazebase'"):
        registry.get("gazebaze")


def test_a_layout_is_a_reader_that_knows_its_own_tables(written, tmp_path):
    table = RECOGNISED[0]
    reader = registry.get(table.layout)
    head = read_head(written(table.layout))
    assert f"layout {table.layout}" in reader.sniff(head).reason
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    assert reader.sniff(read_head(other)) == NO
    with pytest.raises(ConfigError, match=f"the layout {table.layout} names the columns itself"):
        reader.read(head, ReadOptions(columns={"x": "a"}))


def test_a_table_of_no_known_columns_is_refused_with_the_names_of_layouts(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(ParseError, match="no table of a data set that is known") as caught:
        gazetrack.read(path, format="public_dataset")
    assert caught.value.line == 1
    assert next(iter(LAYOUTS)) in caught.value.hint
