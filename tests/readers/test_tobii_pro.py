import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import tobii_pro
from gazetrack.readers.base import NO, ReadOptions, read_head

HEADER = "Recording timestamp\tRecording name\tGaze point X\tGaze point Y\tEye movement type\tEye movement type index"


def read(tmp_path, header, rows):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join([header, *("\t".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return tobii_pro.read(read_head(path), ReadOptions())


@pytest.mark.parametrize(
    ("unit", "step", "times"),
    [("", 17, [0, 17]), ("", 16667, [0, 16.667]), (" [ms]", 1000, [0, 1000]), (" [μs]", 17, [0, 0.017])],
)
def test_time_units(unit, step, times, tmp_path):
    header = HEADER.replace("timestamp", f"timestamp{unit}")
    recording = read(tmp_path, header, [(0, "r", 1, 2, "", ""), (step, "r", 1, 2, "", "")])
    assert recording.samples["t_ms"].to_pylist() == pytest.approx(times)
    assert bool(recording.notes) == (unit != " [ms]")


@pytest.mark.parametrize("by_name", [True, False])
def test_raw_filter_has_no_fixations(by_name, tmp_path):
    header = HEADER + ("\tRecording Fixation filter name" if by_name else "")
    rows = [(17 * i, "r", 1, 2, "Fixation", i + 1, *(["Raw"] if by_name else [])) for i in range(12)]
    recording = read(tmp_path, header, rows)
    assert recording.events.num_rows == 0
    assert "filter Raw" in recording.notes[-1]


def test_durations_and_positions_come_from_samples_when_not_exported(tmp_path):
    rows = [(10 * i, "r", i, 2 * i, "Fixation", 1) for i in range(3)]
    (event,) = read(tmp_path, HEADER, rows).events.to_pylist()
    assert (event["onset_ms"], event["duration_ms"], event["x_px"], event["y_px"]) == (0, 30, 1, 2)


def test_numbers_of_events_may_restart_in_each_recording(tmp_path):
    rows = [(10 * i, name, 5, 5, "Fixation", 1) for name in "ab" for i in range(3)]
    events = read(tmp_path, HEADER, rows).events.to_pylist()
    assert [(event["recording"], event["index"]) for event in events] == [("a", 1), ("b", 1)]


def test_events_without_numbers_are_runs_of_one_type(tmp_path):
    header = HEADER.rsplit("\t", 1)[0]
    kinds = ["Fixation", "Fixation", "Saccade", "Fixation"]
    events = read(tmp_path, header, [(10 * i, "a", 5, 5, kind) for i, kind in enumerate(kinds)]).events.to_pylist()
    assert [(event["kind"], event["index"]) for event in events] == [("fixation", 1), ("saccade", 1), ("fixation", 2)]


def test_metrics_exports_are_not_this_format(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("Recording\tParticipant\tTOI\tTotal_duration_of_fixations\nR\tP\tT\t5\n")
    assert tobii_pro.sniff(read_head(path)) == NO
    with pytest.raises(ParseError, match="Recording timestamp"):
        tobii_pro.read(read_head(path), ReadOptions())


def test_without_rows_of_the_eye_tracker(tmp_path):
    with pytest.raises(ParseError, match="no rows of the eye tracker"):
        read(tmp_path, HEADER + "\tSensor", [(0, "r", "", "", "", "", "Mouse")])
