"""Events that a tool labelled."""

import pytest

import gazetrack

HEADER = "onset\tduration\tlabel\tstart_x\tstart_y\tend_x\tend_y"


def read(tmp_path, *rows):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join([HEADER, *("\t".join(map(str, row)) for row in rows)]) + "\n")
    return gazetrack.read(path)


def test_a_fixation_lies_between_its_start_and_its_end(tmp_path):
    recording = read(
        tmp_path, (0, 0.2, "FIXA", 100, 50, 110, 52), (0.3, 0.2, "FIXA", 200, 50, 210, 52)
    )
    assert recording.event_table["x_px"].to_pylist() == [105, 205]
    assert recording.notes == ()


@pytest.mark.parametrize("end", [("", 52), (110, ""), ("", "")])
def test_a_fixation_without_its_end_lies_where_it_begins_in_both_directions_and_is_counted(
    end, tmp_path
):
    recording = read(
        tmp_path, (0, 0.2, "FIXA", 100, 50, *end), (0.3, 0.2, "FIXA", 200, 50, 210, 52)
    )
    assert recording.event_table["x_px"].to_pylist() == [100, 205]
    assert recording.event_table["y_px"].to_pylist() == [50, 51]
    assert "1 fixations without an end: they lie where they begin" in recording.notes


def test_a_column_of_ends_that_is_empty_is_named(tmp_path):
    recording = read(tmp_path, *((0.3 * i, 0.2, "FIXA", 100 * i, 50, "", 52) for i in range(3)))
    assert "columns without a value in any of 3 rows: end_x" in recording.notes
    assert "3 fixations without an end: they lie where they begin" in recording.notes


def test_labels_of_others_are_events_without_a_kind_and_named(tmp_path):
    recording = read(tmp_path, (0, 0.2, "FIXA", 1, 2, 1, 2), (0.3, 0.2, "ODD", 1, 2, 1, 2))
    assert recording.event_table["kind"].to_pylist() == ["fixation", "unclassified"]
    assert "labels taken as unclassified: odd" in recording.notes
