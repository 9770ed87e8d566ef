import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.events.fixations import fixation_table
from gazetrack.readers import registry
from gazetrack.readers.base import Level, ReadOptions, read_head
from gazetrack.readers.tobii import studio as tobii_studio

HEADER = [
    *(
        "Timestamp",
        "Number",
        "GazePointX",
        "GazePointY",
        "ValidityLeft",
        "ValidityRight",
        "Event",
        "EventKey",
    ),
    "FixationIndex",
]


def head_of(tmp_path, lines):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_head(path)


def table(*rows, header=HEADER):
    return ["\t".join(map(str, row)) for row in (header, *rows)]


def read(tmp_path, lines):
    return tobii_studio.read(head_of(tmp_path, lines), ReadOptions())


@pytest.mark.parametrize(
    ("left", "right", "lost"), [(0, 1, False), (4, 0, False), (2, 3, True), (4, 4, True)]
)
def test_gaze_is_missing_when_neither_eye_was_found(left, right, lost, tmp_path):
    recording = read(tmp_path, table((100, 1, 5, 6, left, right, "", "", "")))
    assert np.isnan(recording.sample_table["x_px"][0].as_py()) == lost


def test_minus_one_is_missing_only_in_both_coordinates(tmp_path):
    rows = [
        (100 + i, i, x, y, 0, 0, "", "", "")
        for i, (x, y) in enumerate([(-1, -1), (-1, 7), (-2, 7)])
    ]
    assert read(tmp_path, table(*rows)).sample_table.to_pandas()["x_px"].tolist() == pytest.approx(
        [np.nan, -1, -2], nan_ok=True
    )


def test_times_count_from_the_first_sample(tmp_path):
    rows = [(40, "", "", "", "", "", "KeyPress", 4, ""), (100, 1, 5, 6, 0, 0, "", "", "")]
    recording = read(tmp_path, table(*rows))
    assert (recording.origin_ms, recording.sample_table["t_ms"].to_pylist()) == (100, [0])
    assert recording.event_table["onset_ms"].to_pylist() == [-60]


def test_a_bad_cell_below_a_preamble_is_named_by_line_and_column(tmp_path):
    lines = [
        "Data properties:",
        "",
        "Recording: R",
        "",
        *table((100, 1, 5, 6, 0, 0, "", "", ""), (110, 2, "?", 6)),
    ]
    lines[-1] += "\t" * 5
    with pytest.raises(ParseError, match="GazePointX") as error:
        read(tmp_path, lines)
    assert (error.value.line, error.value.column) == (7, 3)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (["Timestamp", "Event", "EventKey", "Data1"], "Event-Data export"),
    ],
)
def test_other_exports_of_studio_are_named_and_refused(header, reason, tmp_path):
    head = head_of(tmp_path, table([1] * len(header), header=header))
    verdict = tobii_studio.sniff(head)
    assert verdict.level == Level.NO
    assert reason in verdict.reason
    with pytest.raises(ParseError, match=reason):
        tobii_studio.read(head, ReadOptions())


def test_positions_must_be_pixels(tmp_path):
    with pytest.raises(ParseError, match="positions in 'Millimetres'"):
        read(
            tmp_path, ["Coordinate unit: Millimetres", "", *table((100, 1, 5, 6, 0, 0, "", "", ""))]
        )


def test_events_alone_are_no_recording(tmp_path):
    with pytest.raises(ParseError, match="holds no gaze: no samples"):
        read(tmp_path, table((100, "", "", "", "", "", "KeyPress", 4, "")))


@pytest.mark.parametrize("size", ["0 x 1024", "wide"])
def test_an_unusable_screen_is_noted(size, tmp_path):
    recording = read(
        tmp_path, [f"Recording resolution:\t{size}", *table((100, 1, 5, 6, 0, 0, "", "", ""))]
    )
    assert recording.screen is None
    assert "resolution is not usable" in recording.notes[-1]


def test_a_table_of_another_maker_is_not_taken(tmp_path):
    head = head_of(tmp_path, table((1, 2, 3), header=["Timestamp", "GazePointX", "GazePointY"]))
    assert tobii_studio.sniff(head).level == Level.NO
    assert "tobii_studio" in registry.names()


def fixations_on_media(places, stimulus="a.png", numbers=(1, 1, 2, 2)):
    """Fixations of 100 ms at (100, 50) of a medium, each seen at (145, 83) of the screen."""
    header = [
        *HEADER,
        "FixationDuration",
        "MappedFixationPointX",
        "MappedFixationPointY",
        "MediaPosX",
        "MediaPosY",
    ]
    header.append("StimuliName")
    rows = [
        (100 + 50 * i, i, 145, 83, 0, 0, "", "", number, 100, 100, 50, *place, stimulus)
        for i, (number, place) in enumerate(zip(numbers, places, strict=True))
    ]
    return table(*rows, header=header)


@pytest.mark.parametrize("place", [("nan", 30), ("nan", "nan"), (40, "")])
def test_a_medium_without_its_place_moves_no_fixation(place, tmp_path):
    head = head_of(tmp_path, fixations_on_media([place] * 4))
    recording = tobii_studio.read(head, ReadOptions())
    table, _ = fixation_table(recording)
    assert table["x_px"].to_pylist() == [145, 145]
    assert table["y_px"].to_pylist() == [83, 83]
    assert (
        "2 fixations on a medium whose place is missing: at the mean of their samples"
        in recording.notes
    )


def test_where_the_medium_lay_or_nothing_was_shown_is_no_guess(tmp_path):
    placed = read(tmp_path, fixations_on_media([(40, 30)] * 4))
    assert placed.event_table["x_px"].to_pylist() == [140, 140]
    nothing_shown = read(tmp_path, fixations_on_media([("", "")] * 4, stimulus=""))
    assert nothing_shown.event_table["x_px"].to_pylist() == [100, 100]
    assert not any("place is missing" in note for note in placed.notes + nothing_shown.notes)


def test_no_fixation_is_lost_where_their_index_starts_again(tmp_path):
    recording = read(tmp_path, fixations_on_media([(40, 30)] * 6, numbers=[1, 2, 3, 1, 2, 3]))
    assert recording.event_table["onset_ms"].to_pylist() == [0, 50, 100, 150, 200, 250]
    assert (
        "the fixation index starts again 1 times: the same number is another fixation"
        in recording.notes
    )


def test_a_file_without_the_header_of_studio_is_refused(tmp_path):
    with pytest.raises(ParseError, match="no header line of Tobii Studio") as caught:
        read(tmp_path, ["a\tb", "1\t2"])
    assert "All-Data or Fixation-Data" in caught.value.hint
