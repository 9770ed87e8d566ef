"""Exports with AOI hits are told apart by the names of their columns."""

from __future__ import annotations

import pytest

from gazetrack.errors import InputError
from gazetrack.measures.aoi_files.hits import read_aoi_hits


def test_each_vendor_is_known_by_its_columns(tmp_path):
    path = tmp_path / "export.tsv"
    path.write_text(
        "Eye movement type\tEye movement type index\tAOI hit [cat - eye]\nFixation\t1\t1\n"
    )
    assert read_aoi_hits(path).source["format"] == "tobii-hits"
    path.write_text(
        "CURRENT_FIX_DURATION\tCURRENT_FIX_INTEREST_AREA_LABEL\n200\teye\n", encoding="utf-8"
    )
    assert read_aoi_hits(path).source["format"] == "dataviewer-hits"
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match="has no columns of AOI hits") as error:
        read_aoi_hits(path)
    assert "BeGaze" in str(error.value)


def test_an_event_table_of_smi_is_refused_under_its_own_name(tmp_path):
    path = tmp_path / "events.txt"
    path.write_text(
        "IDF Event Detector\nTable Header for Fixations:\n"
        "Event Type,Trial,Number,Start,End,Duration,Location X,Location Y,AOI hit\n"
        "Fixation L,1,1,1000,2000,1000,5.0,5.0,-\n"
    )
    with pytest.raises(InputError, match="SMI's IDF Event Detector") as error:
        read_aoi_hits(path)
    assert "Pro Lab" not in str(error.value)
