import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.smi import idf as smi

HEADER = "Time\tType\tTrial\tL POR X [px]\tL POR Y [px]\tL Event Info"
EVENTS = [
    "[BeGaze]",
    "",
    "Table Header for Fixations:",
    "Event Type,Trial,Number,Start,End,Duration,Location X,Location Y",
]


def head_of(tmp_path, lines, encoding="utf-8"):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return read_head(path)


def read(tmp_path, lines, encoding="utf-8"):
    return smi.read(head_of(tmp_path, lines, encoding), ReadOptions())


def samples(n, info="-"):
    return [f"{1000 * i}\tSMP\t1\t{i + 1}\t2\t{info}" for i in range(n)]


def test_an_eye_is_lost_at_zero_in_both_coordinates_only(tmp_path):
    rows = ["0\tSMP\t1\t0.00\t0.00\t-", "1000\tSMP\t1\t0.00\t5.00\t-"]
    assert read(tmp_path, [HEADER, *rows]).sample_table["x_px"].to_pylist() == pytest.approx(
        [np.nan, 0], nan_ok=True
    )


def test_times_are_milliseconds_from_the_first_sample(tmp_path):
    recording = read(
        tmp_path,
        [HEADER, "7000\tMSG\t1\t# Message: go", "8500\tSMP\t1\t1\t2\t-", "9500\tSMP\t1\t1\t2\t-"],
    )
    assert (recording.origin_ms, recording.sample_table["t_ms"].to_pylist()) == (8.5, [0, 1])
    assert recording.event_table.select(["onset_ms", "text"]).to_pylist() == [
        {"onset_ms": -1.5, "text": "go"}
    ]


@pytest.mark.parametrize("n", [2, 40_000])
def test_messages_do_not_move_the_lines_of_errors(n, tmp_path):
    rows = [
        "0\tMSG\t1\thello",
        *samples(n),
        "9\tMSG\t1\t# Message: end",
        "99000\tSMP\t1\tbad\t2\t-",
    ]
    with pytest.raises(ParseError, match="'bad' in column 'L POR X") as error:
        read(tmp_path, ["## [BeGaze]", "", HEADER, *rows])
    assert (error.value.line, error.value.column) == (n + 6, 4)


def test_a_short_sample_has_no_gaze_and_is_counted(tmp_path):
    head = head_of(tmp_path, [HEADER, *samples(1), "1000\tSMP\t1\t5"])
    recording = smi.read(head, ReadOptions())
    assert (recording.rows_in, recording.loss) == (2, 0.5)
    assert head.reading.mended == {"shorter than the header: the missing cells taken as empty": 1}
    assert list(head.reading.lines.values()) == [3]


def test_messages_in_another_encoding(tmp_path):
    recording = read(
        tmp_path, ["## [BeGaze]", HEADER, *samples(3), "9\tMSG\t1\t# Message: Größe"], "utf-16"
    )
    assert recording.event_table["text"].to_pylist() == ["Größe"]


def test_runs_of_event_info_end_with_their_trial(tmp_path):
    rows = [*samples(2, "Fixation"), "2000\tSMP\t2\t3\t2\tFixation"]
    events = read(tmp_path, [HEADER, *rows]).event_table.to_pylist()
    assert [(event["trial"], event["onset_ms"], event["duration_ms"]) for event in events] == [
        ("1", 0, 2),
        ("2", 2, 1),
    ]


def test_without_points_of_regard(tmp_path):
    head = head_of(tmp_path, ["Time\tType\tTrial\tL Raw X [px]", "1\tSMP\t1\t5"])
    verdict = smi.sniff(head)
    assert (verdict.level, "without points of regard" in verdict.reason) == (Level.NO, True)
    with pytest.raises(ParseError, match="without points of regard"):
        smi.read(head, ReadOptions())


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ([HEADER, "1\tMSG\t1\t# Message: a"], "no samples"),
        (EVENTS, "no events"),
        (["Time,x"], "no header line of SMI"),
        ([*EVENTS, "Blink L,1,1,5,6,1"], "no table header for Blinks"),
        (
            [*EVENTS, "Fixation L,1,1,5,6"],
            "a row with 5 cells, the table header for Fixations has 8",
        ),
        ([*EVENTS, "Fixation L,1,1,5,6,1,here,2"], "'here' in column 'Location X' is not a number"),
        (["## Calibration Area:\t0\t0", HEADER, "1\tMSG\t1\tx"], "no samples"),
    ],
)
def test_what_is_wrong_is_said(lines, what, tmp_path):
    with pytest.raises(ParseError, match=what):
        read(tmp_path, lines)


def test_an_unusable_calibration_area_is_no_screen(tmp_path):
    recording = read(tmp_path, ["## Calibration Area:\t0\t0", HEADER, *samples(2)])
    assert recording.screen is None
    assert "calibration area is not usable" in recording.notes[0]


def test_movements_that_name_no_eye_are_of_both(tmp_path):
    recording = read(tmp_path, [*EVENTS, "Fixation,1,1,5000,7000,2000,30,40"])
    assert recording.eyes == "combined"
    (event,) = recording.event_table.to_pylist()
    assert (event["eye"], event["duration_ms"], event["x_px"]) == ("both", 2.0, 30.0)


def test_a_column_of_events_that_is_there_twice_is_named_with_its_line(tmp_path):
    lines = [*EVENTS[:-1], EVENTS[-1] + ",Start", "Fixation L,1,1,5,6,1,2,3,4"]
    with pytest.raises(ParseError, match="column 'Start' is there twice") as caught:
        read(tmp_path, lines)
    assert caught.value.line == 4
