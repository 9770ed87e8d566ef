"""Gazepoint: the area that each row of a fixation names, part by part."""

import pytest

from gazetrack.errors import ParseError
from gazetrack.measures.aoi_files.gazepoint_rows import aoi_rows
from gazetrack.readers.head import read_head
from gazetrack.readers.text import cells

HEADER = "MEDIA_ID,MEDIA_NAME,CNT,TIME(x),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,AOI"


def write(path, *rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n")
    return read_head(path)


@pytest.mark.parametrize("rows_a_part", [1000, 2])
def test_showings_are_numbered_and_rows_without_a_time_left_out(tmp_path, monkeypatch, rows_a_part):
    monkeypatch.setattr(cells, "PART_ROWS", rows_a_part)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 60 if rows_a_part == 2 else 1 << 20)
    head = write(
        tmp_path / "a.csv",
        "0,a,0,0.00,.5,.5,0.00,.02,1,1,lung",
        "0,a,1,0.02,.5,.5,0.00,.04,1,1,",
        "0,a,2,,.5,.5,0.00,.04,1,1,lung",
        "1,b,0,0.00,.5,.5,0.00,.02,1,1,heart",
        "0,a,0,0.00,.5,.5,0.00,.02,1,1,lung",
    )
    assert list(aoi_rows(head)) == [
        ("1", 1, "a", "lung"),
        ("1", 1, "a", ""),
        ("2", 1, "b", "heart"),
        ("3", 1, "a", "lung"),
    ]


@pytest.mark.parametrize("rows_a_part", [1000, 2])
def test_rows_of_a_saccade_are_not_credited_to_the_fixation_before(
    tmp_path, monkeypatch, rows_a_part
):
    monkeypatch.setattr(cells, "PART_ROWS", rows_a_part)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 60 if rows_a_part == 2 else 1 << 20)
    head = write(
        tmp_path / "a.csv",
        "0,a,0,0.00,.2,.5,0.00,.02,1,1,left",
        "0,a,1,0.02,.2,.5,0.00,.04,1,1,left",
        "0,a,2,0.04,.6,.5,0.00,.04,1,0,middle",
        "0,a,3,0.06,.8,.5,0.06,.02,1,0,right",
        "0,a,4,0.08,.8,.5,0.06,.04,2,1,right",
        "0,a,5,0.10,.8,.5,0.06,.04,3,0,right",
    )
    assert list(aoi_rows(head)) == [
        ("1", 1, "a", "left"),
        ("1", 1, "a", "left"),
        ("1", 2, "a", "right"),
    ]


def test_a_column_that_is_missing(tmp_path):
    head = write(tmp_path / "a.csv", "0,a,0", header="MEDIA_ID,MEDIA_NAME,AOI")
    with pytest.raises(ParseError, match="TIME"):
        list(aoi_rows(head))
