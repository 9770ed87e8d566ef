"""Whose export it is, by the columns that name areas."""

import pytest

from gazetrack.measures.aoi_files.named_rows import vendor_of
from gazetrack.readers.head import read_head


@pytest.mark.parametrize(
    ("header", "vendor"),
    [
        ("MEDIA_ID,TIME(x),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,FPOGV,AOI", "gazepoint"),
        ("StimulusName,FixationSeq,FixationAOI", "imotions"),
        ("Trial,Event Start Trial Time [ms],AOI Name", "begaze"),
        ("Index Left,AOI Name Left", "begaze"),
        ("Index Binocular,AOI Name Binocular", "begaze"),
        ("AOI Name Left", None),
        ("CNT,AOI", None),
    ],
)
def test_a_vendor_is_known_by_its_columns(tmp_path, header, vendor):
    path = tmp_path / "a.csv"
    path.write_text(header + "\n" + ",".join("1" * (header.count(",") + 1)) + "\n")
    found = vendor_of(read_head(path))
    assert (None if found is None else found.name) == vendor
