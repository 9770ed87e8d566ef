"""AOI hits of a Tobii Pro Lab data export."""

from __future__ import annotations

import pandas as pd
import pytest

import gazetrack
from gazetrack.errors import InputError, ParseError
from gazetrack.measures.aoi_files.tobii_hits import aoi_hits_of

HEADER = ["Recording name", "Eye movement type", "Eye movement type index"]
AREAS = ["AOI hit [four - blocks - A]", "AOI hit [four - blocks - B]", "AOI hit [dog - A]"]


def write(path, *rows, header=(*HEADER, *AREAS), encoding="utf-8-sig"):
    lines = ["\t".join(row) for row in (header, *rows)]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_fixation_lay_where_one_of_its_samples_did(tmp_path, encoding):
    rows = [
        ("r1", "Fixation", "7", "0", "1", ""),
        ("r1", "Fixation", "7", "1", "1", ""),
        ("r1", "Saccade", "3", "1", "1", ""),
        ("r1", "Fixation", "8", "", "", "1"),
        ("r2", "Fixation", "7", "0", "0", ""),
        ("r2", "EyesNotFound", "", "", "", ""),
    ]
    found = aoi_hits_of(write(tmp_path / "raw.tsv", *rows, encoding=encoding))
    assert found.of("four - blocks").names == ("A", "B")
    assert found.of("dog").names == ("A",)
    assert found.hits == {"r1": {7: {"A", "B"}, 8: {"A"}}, "r2": {7: frozenset()}}
    assert found.source["format"] == "tobii-hits"


def test_exports_that_hold_none(tmp_path):
    with pytest.raises(InputError, match="has no columns of AOI hits"):
        aoi_hits_of(write(tmp_path / "raw.tsv", header=HEADER))
    with pytest.raises(ParseError, match="has no column Eye movement type index"):
        aoi_hits_of(write(tmp_path / "raw.tsv", header=[*HEADER[:2], *AREAS]))
    with pytest.raises(ParseError, match=":2: has 'x' as the number"):
        aoi_hits_of(write(tmp_path / "raw.tsv", ("r", "Fixation", "x", "1", "1", "1")))
    with pytest.raises(InputError, match="cannot be read"):
        aoi_hits_of(tmp_path / "none.tsv")


@pytest.mark.real_data
def test_a_real_export_as_its_own_rows_have_it(data_dir, tmp_path):
    path = data_dir / "exports" / "tobii_pro_lab" / "andersson_transition_test_Data_Export.tsv"
    gazetrack.convert(path, out=tmp_path)
    found = gazetrack.measure_aois(tmp_path, aoi_hits_of(path)).set_index("aoi")
    rows = pd.read_csv(path, sep="\t", encoding="utf-8-sig")
    rows = rows[rows["Eye movement type"] == "Fixation"]
    for name in "ABCD":
        of_fixation = rows.groupby("Eye movement type index")[f"AOI hit [four blocks - {name}]"]
        assert found["fixations"][name] == (of_fixation.max() == 1).sum()
