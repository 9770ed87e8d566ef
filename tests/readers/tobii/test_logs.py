import pytest

import gazetrack
from gazetrack.errors import ParseError
from gazetrack.readers.base import ReadOptions, read_head
from gazetrack.readers.tobii import logs as tobii_logs
from tests.places import GOLDEN

HEADER = "TimeStamp\tGazePointXLeft\tGazePointYLeft\tGazePointXRight\tGazePointYRight\tEvent"


def read(tmp_path, *lines):
    path = tmp_path / "a.tsv"
    path.write_text("\n".join(["pygaze initiation report start", *lines]) + "\n", encoding="utf-8")
    return tobii_logs.read(read_head(path), ReadOptions())


def rows(*times):
    return [f"{t}\t100\t200\t110\t210\t" for t in times]


@pytest.mark.parametrize("cut", ["30.0\t100\t20", "30.0\t100", "30.0", "30."])
def test_a_row_cut_off_is_counted_and_no_message(cut, tmp_path):
    recording = read(tmp_path, HEADER, *rows(10.0, 20.0), cut, *rows(40.0))
    assert (recording.sample_table.num_rows, recording.rows_in, recording.dropped) == (
        3,
        4,
        {"row cut off": 1},
    )
    assert recording.event_table.num_rows == 0


def test_messages_have_the_trial_of_their_samples_or_none(tmp_path):
    one = [HEADER, *rows(0.0, 10.0), "5.0\t\t\tgo"]
    assert read(tmp_path, *one).event_table["trial"].to_pylist() == [""]
    assert read(tmp_path, *one, "preamble: 2", *one).event_table["trial"].to_pylist() == ["1", "2"]
    # The clock begins anew within the first block: its samples are the trials 1 and 2, and the
    # block is neither.
    recording = read(tmp_path, HEADER, *rows(0.0, 10.0), *rows(0.0, 10.0), *one)
    assert recording.sample_table["trial"].to_pylist() == ["1", "1", "2", "2", "3", "3"]
    assert recording.event_table["trial"].to_pylist() == [""]


def test_a_log_that_a_spreadsheet_has_quoted_reads_the_same(tmp_path):

    from pandas.testing import assert_frame_equal

    path = next((GOLDEN / "tobii_logs" / "pygaze").glob("input.*"))
    lines = path.read_text("utf-8").splitlines()
    quoted = [
        "\t".join(f'"{cell}"' for cell in line.split("\t")) if "\t" in line else line
        for line in lines
    ]
    (tmp_path / path.name).write_text("\n".join(quoted) + "\n")
    plain, other = gazetrack.read(path), gazetrack.read(tmp_path / path.name)
    assert other.format == "tobii_logs"
    assert_frame_equal(other.sample_table.to_pandas(), plain.sample_table.to_pandas())


def test_times_in_no_order_are_refused_at_their_line(tmp_path):
    with pytest.raises(ParseError, match="backwards") as caught:
        read(tmp_path, HEADER, *rows(*(100.0 - 10 * i for i in range(10))))
    assert caught.value.line == 4  # below the preamble, the header, and the first row
