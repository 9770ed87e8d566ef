"""Several methods trained on one data set, in one call."""

from __future__ import annotations

import json

import pytest

import gradtrack_model
from gazetrack.errors import ConfigError


def test_compare_trains_each_method_and_writes_a_table(study, tmp_path, settings):
    found = gradtrack_model.compare(
        study, ["heatmap", "full"], preset="tiny", settings=settings, out=tmp_path / "c"
    )
    assert [line["method"] for line in found.lines] == ["heatmap", "full"]
    assert not found.failed
    assert (
        json.loads((tmp_path / "c" / "comparison.json").read_text("utf-8"))["reference"]
        == "heatmap"
    )


def test_one_table_one_method_and_one_seed_need_no_list(study, tmp_path, settings):
    table = study / "reader-1.fixations.parquet"
    seen = []
    gradtrack_model.train(
        study,
        "tiny",
        settings=settings,
        out=tmp_path / "run",
        fixations=str(table),
        loaded=seen.append,
    )
    assert seen[0].gaze.fixations == (table,)
    found = gradtrack_model.compare(
        study, "gradtrack", seeds=3, preset="tiny", settings=settings, out=tmp_path / "compared"
    )
    assert [line["method"] for line in found.lines] == ["gradtrack"]
    with pytest.raises(ConfigError, match="nothing to compare"):
        gradtrack_model.compare(study, [], preset="tiny", out=tmp_path / "none")
