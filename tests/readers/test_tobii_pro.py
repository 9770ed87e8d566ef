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


def test_one_missing_number_does_not_merge_fixations(tmp_path):
    rows = [(10 * i, "r", 100 * (i // 3), 5, "Fixation", 1 + i // 3) for i in range(9)]
    rows[4] = (*rows[4][:5], "")
    recording = read(tmp_path, HEADER, rows)
    assert [event["index"] for event in recording.events.to_pylist()] == [1, 2, 3]
    assert [event["onset_ms"] for event in recording.events.to_pylist()] == [0, 30, 60]
    assert any("1 samples without an eye movement index" in note for note in recording.notes)


def test_a_movement_without_any_number_stays_one_of_its_own(tmp_path):
    kinds = [("Fixation", 1), ("Fixation", 1), ("Saccade", 1), ("Fixation", ""), ("Fixation", ""), ("Saccade", 2)]
    recording = read(tmp_path, HEADER, [(10 * i, "r", 5, 5, *kind) for i, kind in enumerate(kinds)])
    found = [(event["kind"], event["onset_ms"], event["index"]) for event in recording.events.to_pylist()]
    assert found == [("fixation", 0, 1), ("saccade", 20, 1), ("fixation", 30, 2), ("saccade", 50, 2)]


DURATIONS = HEADER + "\tGaze event duration"


def test_a_fixation_cut_by_the_start_of_an_excerpt_begins_before_it(tmp_path):
    rows = [(10 * i, "r", 5, 5, "Fixation", 7, 90) for i in range(3)]
    rows += [(10 * i, "r", 5, 5, "Saccade", 3, 20) for i in (3, 4)]
    rows += [(10 * i, "r", 5, 5, "Fixation", 8, 30) for i in (5, 6, 7)]
    recording = read(tmp_path, DURATIONS, rows)
    found = [(event["onset_ms"], event["duration_ms"]) for event in recording.events.to_pylist()]
    assert found == [(-60, 90), (30, 20), (50, 30)]
    assert "begin before their first sample" in recording.notes[-1]


def test_a_duration_that_cannot_be_true_gives_way_to_the_samples(tmp_path):
    rows = [(10 * i, "r", 5, 5, "Fixation", 1 + i // 2, 900 if i // 2 == 1 else 20) for i in range(6)]
    recording = read(tmp_path, DURATIONS, rows)
    found = [(event["onset_ms"], event["duration_ms"]) for event in recording.events.to_pylist()]
    assert found == [(0, 20), (20, 20), (40, 20)]
    assert "last as long as their samples" in recording.notes[-1]


def test_minus_one_is_missing(tmp_path):
    header = HEADER + "\tGaze event duration\tPupil left\tPupil right\tFixation point x\tFixation point y"
    rows = [
        (0, "r", -1, -1, "Fixation", 1, -1, "-1.00", 4, -1, -1),
        (10, "r", -1, 20, "Fixation", 1, -1, 3, "-1.00", -1, -1),
    ]
    recording = read(tmp_path, header, rows)
    nan = float("nan")
    assert recording.samples["x_px"].to_pylist() == pytest.approx([nan, -1], nan_ok=True)  # alone, beside the screen
    assert recording.samples["left_pupil"].to_pylist() == pytest.approx([nan, 3], nan_ok=True)
    assert recording.samples["right_pupil"].to_pylist() == pytest.approx([4, nan], nan_ok=True)
    (event,) = recording.events.to_pylist()
    assert [event[name] for name in ("duration_ms", "x_px", "y_px", "pupil")] == [20, -1, 20, 3.5]
