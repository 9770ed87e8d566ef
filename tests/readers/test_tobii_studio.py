import numpy as np
import pytest

from gazetrack.errors import ParseError
from gazetrack.readers import registry, tobii_studio
from gazetrack.readers.base import Level, ReadOptions, read_head

HEADER = [
    *("Timestamp", "Number", "GazePointX", "GazePointY", "ValidityLeft", "ValidityRight", "Event", "EventKey"),
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


@pytest.mark.parametrize(("left", "right", "lost"), [(0, 1, False), (4, 0, False), (2, 3, True), (4, 4, True)])
def test_gaze_is_missing_when_neither_eye_was_found(left, right, lost, tmp_path):
    recording = read(tmp_path, table((100, 1, 5, 6, left, right, "", "", "")))
    assert np.isnan(recording.samples["x_px"][0].as_py()) == lost


def test_minus_one_is_missing_only_in_both_coordinates(tmp_path):
    rows = [(100 + i, i, x, y, 0, 0, "", "", "") for i, (x, y) in enumerate([(-1, -1), (-1, 7), (-2, 7)])]
    assert read(tmp_path, table(*rows)).samples.to_pandas()["x_px"].tolist() == pytest.approx(
        [np.nan, -1, -2], nan_ok=True
    )


def test_times_count_from_the_first_sample(tmp_path):
    rows = [(40, "", "", "", "", "", "KeyPress", 4, ""), (100, 1, 5, 6, 0, 0, "", "", "")]
    recording = read(tmp_path, table(*rows))
    assert (recording.origin_ms, recording.samples["t_ms"].to_pylist()) == (100, [0])
    assert recording.events["onset_ms"].to_pylist() == [-60]


def test_a_bad_cell_below_a_preamble_is_named_by_line_and_column(tmp_path):
    lines = ["Data properties:", "", "Recording: R", "", *table((100, 1, 5, 6, 0, 0, "", "", ""), (110, 2, "?", 6))]
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
        read(tmp_path, ["Coordinate unit: Millimetres", "", *table((100, 1, 5, 6, 0, 0, "", "", ""))])


def test_events_alone_are_no_recording(tmp_path):
    with pytest.raises(ParseError, match="holds no gaze: no samples"):
        read(tmp_path, table((100, "", "", "", "", "", "KeyPress", 4, "")))


@pytest.mark.parametrize("size", ["0 x 1024", "wide"])
def test_an_unusable_screen_is_noted(size, tmp_path):
    recording = read(tmp_path, [f"Recording resolution:\t{size}", *table((100, 1, 5, 6, 0, 0, "", "", ""))])
    assert recording.screen is None
    assert "resolution is not usable" in recording.notes[-1]


def test_a_table_of_another_maker_is_not_taken(tmp_path):
    head = head_of(tmp_path, table((1, 2, 3), header=["Timestamp", "GazePointX", "GazePointY"]))
    assert tobii_studio.sniff(head).level == Level.NO
    assert "tobii_studio" in registry.names()
