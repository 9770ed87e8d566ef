import numpy as np
import pytest

from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.eyelink import report as eyelink_report
from gazetrack.tables.plausible import checked

REPORT = "RECORDING_SESSION_LABEL\tCURRENT_FIX_X\tCURRENT_FIX_Y\tCURRENT_FIX_DURATION"


def write(tmp_path, text):
    path = tmp_path / "a.xls"
    path.write_text(text)
    return read_head(path)


def test_trials_begin_where_onsets_fall_back(tmp_path):
    starts = [("a", 5), ("a", 9), ("a", 3), ("b", 1), ("a", 7), ("b", 0)]
    rows = "".join(f"{name}\t1\t1\t2\t{start}\n" for name, start in starts)
    recording = eyelink_report.read(
        write(tmp_path, f"{REPORT}\tCURRENT_FIX_START\n{rows}"), ReadOptions()
    )
    assert recording.fixation_table["trial"].to_pylist() == ["1", "1", "2", "1", "2", "2"]


def test_without_onsets_fixations_are_laid_end_to_end(tmp_path):
    rows = "s\t1\t1\t200\ns\t1\t1\t100\nt\t1\t1\t50\n"
    recording = eyelink_report.read(write(tmp_path, f"{REPORT}\n{rows}"), ReadOptions())
    assert recording.fixation_table["onset_ms"].to_pylist() == [0, 200, 0]
    assert "CURRENT_FIX_START" in recording.notes[0]


def test_rows_that_make_a_trial_of_nearly_each_are_asked_about(tmp_path):
    rows = "".join(f"1\t1\t2\t{start}\n" for start in (900, 700, 500, 300))
    columns = REPORT.removeprefix("RECORDING_SESSION_LABEL\t")
    head = write(tmp_path, f"{columns}\tCURRENT_FIX_START\n{rows}")
    recording = eyelink_report.read(head, ReadOptions())
    assert recording.fixation_table["trial"].to_pylist() == ["1", "2", "3", "4"]
    assert set(recording.fixation_table["recording"].to_pylist()) == {"a"}  # the name of the file
    assert "4 trials of 4 fixations: are the rows in the order of time?" in recording.notes


def test_required_columns(tmp_path):
    head = write(tmp_path, "CURRENT_FIX_X\tCURRENT_FIX_Y\n1\t2\n")
    verdict = eyelink_report.sniff(head)
    assert verdict.level == Level.NO
    assert "CURRENT_FIX_DURATION" in verdict.reason


def test_the_image_size_decides_between_report_and_fractions(tmp_path):
    columns = (
        "IMAGE,CURRENT_FIX_INDEX,CURRENT_FIX_X,CURRENT_FIX_Y,"
        "CURRENT_FIX_DURATION,CURRENT_FIX_PUPIL,CURRENT_FIX_START"
    )
    row = "a.jpg,1,0.5,0.5,100,900,0"
    assert registry.detect(write(tmp_path, f"{columns}\n{row}\n")).name == "eyelink_report"
    assert (
        registry.detect(write(tmp_path, f"{columns},IMAGE_HEIGHT,IMAGE_WIDTH\n{row},10,10\n")).name
        == "gazemedseg"
    )


def test_a_report_without_positions_gives_fixations_without_positions(tmp_path):
    names = "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tCURRENT_FIX_START\tCURRENT_FIX_DURATION"
    text = f"{names}\tCURRENT_FIX_PUPIL\n"
    head = write(tmp_path, text + "a\t1\t0\t200\t900\na\t1\t250\t100\t0\na\t1\t400\t.\t900\n")
    assert registry.detect(head).name == "eyelink_report"
    recording = checked(eyelink_report.read(head, ReadOptions()))
    assert recording.fixation_table["duration_ms"].to_pylist() == [200, 100]
    assert recording.fixation_table["pupil"].to_pylist() == pytest.approx(
        [900, np.nan], nan_ok=True
    )
    assert np.isnan(recording.fixation_table["x_px"]).all()
    assert recording.dropped == {"no duration": 1}
    assert recording.no_positions
    assert (
        "the report has no CURRENT_FIX_X and CURRENT_FIX_Y: fixations without positions"
        in recording.notes
    )


def test_a_report_with_positions_needs_them(tmp_path):
    recording = eyelink_report.read(
        write(tmp_path, f"{REPORT}\ns\t1\t1\t200\ns\t.\t.\t100\n"), ReadOptions()
    )
    assert recording.dropped == {"no position": 1}
