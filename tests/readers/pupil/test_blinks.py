import pytest

from gazetrack.errors import ParseError
from gazetrack.readers.base import read_head
from gazetrack.readers.pupil.blinks import is_blinks, read_blinks

CORE = "id,start_timestamp,duration,end_timestamp,filter_response"
CLOUD = "recording id,blink id,start timestamp [ns],end timestamp [ns],duration [ms]"


def head_of(folder, *lines):
    path = folder / "blinks.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_head(path)


def test_seconds_of_pupil_player_count_from_the_first_blink(tmp_path):
    head = head_of(tmp_path, CORE, "1,2.5,0.125,2.625,0.5", "2,3.5,0.25,3.75,0.5")
    assert is_blinks(head, "pupil_core")
    assert not is_blinks(head, "pupil_cloud")
    recording = read_blinks(head, "pupil_core")
    assert recording.event_table["onset_ms"].to_pylist() == [0, 1000]
    assert recording.event_table["duration_ms"].to_pylist() == [125, 250]
    assert recording.event_table["index"].to_pylist() == [1, 2]
    assert (recording.origin_ms, recording.start_ns) == (2500, None)


def test_nanoseconds_of_pupil_cloud_stay_exact(tmp_path):
    start = 1_700_000_000_000_000_001
    rows = (f"r,1,{start},{start + 5},125", f"r,2,{start + 3},{start + 9},250")
    head = head_of(tmp_path, CLOUD, *rows)
    assert is_blinks(head, "pupil_cloud")
    recording = read_blinks(head, "pupil_cloud")
    assert recording.start_ns == start
    assert recording.event_table["onset_ms"].to_pylist() == [0, 3e-6]
    assert recording.event_table["duration_ms"].to_pylist() == [125, 250]


def test_nanoseconds_that_a_spreadsheet_rounded_are_refused(tmp_path):
    head = head_of(tmp_path, CLOUD, "r,1,1.7E+18,1.7E+18,125")
    with pytest.raises(ParseError, match="no whole number") as caught:
        read_blinks(head, "pupil_cloud")
    assert caught.value.column == 3


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [(CORE, "1,,0.1,2.6,0.5", "pupil_core"), (CLOUD, "r,1,,5,100", "pupil_cloud")],
)
def test_blinks_without_an_onset_are_counted(header, row, name, tmp_path):
    recording = read_blinks(head_of(tmp_path, header, row), name)
    assert recording.event_table.num_rows == 0
    assert (recording.dropped, recording.rows_in) == ({"no onset": 1}, 1)


def test_other_formats_have_no_blinks_of_their_own(tmp_path):
    assert not is_blinks(head_of(tmp_path, CORE), "smi")
