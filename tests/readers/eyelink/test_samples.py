"""Sample reports of Data Viewer are the same whatever part of the file a row is in."""

import numpy as np
import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import ParseError, UnknownFormat
from gazetrack.readers.text import cells
from tests.places import GOLDEN

HEADER = (
    "RECORDING_SESSION_LABEL\tTRIAL_INDEX\tTIMESTAMP\tLEFT_GAZE_X\tLEFT_GAZE_Y\tLEFT_PUPIL_SIZE\t"
    "AVERAGE_GAZE_X\tAVERAGE_GAZE_Y\tAVERAGE_PUPIL_SIZE\tIMAGE\n"
)


def row(session, t, left, average, image="a.png"):
    return f"{session}\t1\t{t}\t{left}\t{left}\t{left}\t{average}\t{average}\t{average}\t{image}\n"


@pytest.fixture(params=[1, 2, 1000])
def part_rows(request, monkeypatch):
    monkeypatch.setattr(cells, "PART_ROWS", request.param)
    # A block a row: parts are made of whole blocks.
    monkeypatch.setattr(cells, "BLOCK_BYTES", 120 * request.param)


def written(tmp_path, *rows):
    path = tmp_path / "report.txt"
    path.write_text(HEADER + "".join(rows))
    return path


@pytest.mark.usefixtures("part_rows")
@pytest.mark.parametrize("case", ["average", "binocular"])
def test_golden_reports_in_parts(case, monkeypatch):
    path = GOLDEN / "eyelink_samples" / case / "input.txt"
    found = gazetrack.read(path)
    monkeypatch.undo()
    whole = gazetrack.read(path)
    pd.testing.assert_frame_equal(found.samples, whole.samples)
    assert (found.eyes, found.origin_ms, found.dropped) == (
        whole.eyes,
        whole.origin_ms,
        whole.dropped,
    )


@pytest.mark.usefixtures("part_rows")
def test_sessions_count_from_their_own_first_sample(tmp_path):
    rows = [row("s2", 500 + 4 * i, 100 + i, ".") for i in range(4)]
    rows += [row("s1", 90 + 4 * i, 200 + i, ".", "b.png") for i in range(3)]
    rows.append(row("s1", ".", 1, "."))
    recording = gazetrack.read(written(tmp_path, *rows))
    samples = recording.samples
    assert samples["t_ms"].to_list() == [0, 4, 8, 12, 0, 4, 8]
    assert samples["recording"].to_list() == ["s2"] * 4 + ["s1"] * 3
    assert samples["stimulus"].to_list() == ["a.png"] * 4 + ["b.png"] * 3
    assert recording.origin_ms == 500
    assert recording.dropped == {"no time": 1}


@pytest.mark.usefixtures("part_rows")
def test_the_average_counts_only_where_no_eye_is_seen_anywhere(tmp_path):
    rows = [row("s", 4 * i, ".", 300 + i) for i in range(6)]
    average = gazetrack.read(written(tmp_path, *rows))
    assert average.eyes == "combined"
    assert average.samples["x_px"].to_list() == [300, 301, 302, 303, 304, 305]
    assert average.samples["right_pupil"].to_list() == average.samples["left_pupil"].to_list()

    rows[5] = row("s", 20, 111, 305)
    left = gazetrack.read(written(tmp_path, *rows))
    assert left.eyes == "left"
    assert np.isnan(left.samples["x_px"].to_numpy()[:5]).all()
    assert left.samples["x_px"].to_numpy()[5] == 111


@pytest.mark.usefixtures("part_rows")
def test_a_clock_that_begins_again_is_refused_with_its_line(tmp_path):
    rows = [row("s", 5000 + 4 * (i % 5), 100 + i, ".") for i in range(10)]
    with pytest.raises(ParseError, match="a second recording begins") as caught:
        gazetrack.read(written(tmp_path, *rows))
    assert caught.value.line == 7


def test_a_header_alone_is_no_recording(tmp_path):
    with pytest.raises(ParseError, match="a header and no rows"):
        gazetrack.read(written(tmp_path))


def test_a_report_of_areas_is_told_as_such(tmp_path):
    path = tmp_path / "areas.txt"
    path.write_text("RECORDING_SESSION_LABEL\tIA_ID\tIA_DWELL_TIME\ns1\t1\t200\n")
    with pytest.raises(UnknownFormat, match="an interest area report of Data Viewer") as caught:
        gazetrack.read(path)
    assert "give the fixation or sample report" in str(caught.value)
