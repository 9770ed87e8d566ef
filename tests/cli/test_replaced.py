"""Tables are not replaced by those of another origin; commands take one table of the same gaze."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from gazetrack.simulate.example import write_example
from gazetrack.tables.schema import FIXATIONS, conform
from gazetrack.tables.store import origin_of, read_meta, write_table

GAZE = "x,y,t\n" + "".join(
    f"{[100, 400, 250][i // 70 % 3] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(420)
)


@pytest.fixture
def study(tmp_path):
    """An EyeLink recording of a few images, with the tracker's own fixations."""
    write_example(tmp_path, n_images=8, size=(48, 64))
    for path in tmp_path.glob("*.tsv"):
        path.unlink()
    (export,) = tmp_path.glob("*.asc")
    export.rename(tmp_path / "x.asc")
    return tmp_path


def test_detected_fixations_do_not_replace_the_trackers_own(run, study):
    assert run("gazetrack convert x.asc").code == 0
    own = (study / "x.fixations.parquet").read_bytes()
    result = run("gazetrack fixations x.asc")
    assert result.code == 0, result.err
    assert (study / "x.fixations.parquet").read_bytes() == own
    assert origin_of(read_meta(study / "x.auto.fixations.parquet")) == "fixations detected by auto"
    compared = run("gazetrack compare x.fixations.parquet x.auto.fixations.parquet")
    assert compared.code == 0, compared.err


def test_a_table_of_another_origin_is_replaced_with_force_alone(run, study):
    """A table of detected fixations by an earlier version has the name of the export's own."""
    assert run("gazetrack fixations x.asc").code == 0
    detected = (study / "x.auto.fixations.parquet").rename(study / "x.fixations.parquet")
    before = detected.read_bytes()
    result = run("gazetrack convert x.asc")
    assert result.code == 3
    assert "holds fixations detected by auto of x.asc, not the export's own fixations" in result.err
    assert "--force" in result.err
    assert detected.read_bytes() == before
    assert run("gazetrack convert x.asc --force").code == 0
    assert origin_of(read_meta(detected)) == "the export's own fixations"
    assert run("gazetrack convert x.asc").code == 0  # the same origin once more


def test_the_samples_of_an_export_lead_to_its_own_table(run, study):
    assert run("gazetrack convert x.asc --samples -q").code == 0
    assert run("gazetrack fixations x.asc -q").code == 0
    result = run("gazetrack fixations x.samples.parquet -q")
    assert result.code == 0, result.err


def test_all_tables_of_a_folder_are_one_a_recording(run, study):
    run("gazetrack convert x.asc -q")
    run("gazetrack fixations x.asc -q")
    run("gazetrack fixations x.asc -q --detector idt")
    result = run("gazetrack render --levels 1")
    assert result.code == 0, result.err
    assert "took x.fixations.parquet (the export's own fixations)" in result.err
    assert "left out x.auto.fixations.parquet (fixations detected by auto)" in result.err
    maps = pd.read_parquet(study / "maps" / "maps.parquet")
    n_images = (
        pd.read_parquet(study / "x.fixations.parquet").query("stimulus != ''")["stimulus"].nunique()
    )
    assert len(maps) == n_images
    plotted = run("gazetrack plot --limit 1")
    assert "left out x.idt.fixations.parquet" in plotted.err
    (study / "x.fixations.parquet").unlink()
    refused = run("gazetrack render --levels 1")
    assert refused.code == 2
    assert (
        "x.auto.fixations.parquet and x.idt.fixations.parquet hold the same recording, x"
        in refused.err
    )
    assert run("gazetrack render --levels 1 x.idt.fixations.parquet").code == 0


def test_training_takes_one_table_a_recording_and_says_so(study):
    from gradtrack_model.data.sources import discover

    write(study / "x.fixations.parquet", "x", {"source": {"file": "x.asc", "sha256": "1"}})
    detected = {"source": {"file": "x.asc", "sha256": "1"}, "detector": {"name": "auto"}}
    write(study / "x.auto.fixations.parquet", "x", detected)
    sources = discover(study, images=study / "images")
    assert [path.name for path in sources.fixations] == ["x.fixations.parquet"]
    assert "left out x.auto.fixations.parquet" in sources.notes[0]
    assert len(discover(study, fixations=list(study.glob("*.parquet"))).fixations) == 2


def write(path, recording, meta):
    columns = {"recording": np.array([recording], object), "stimulus": np.array(["p.png"], object)}
    write_table(
        path,
        conform(columns | {"onset_ms": np.zeros(1), "duration_ms": np.ones(1)}, FIXATIONS),
        meta,
    )
    return path


def test_folders_of_tables_serve_as_tables(run, study):
    run("gazetrack convert x.asc -q -o own")
    run("gazetrack fixations x.asc -q -o detected")
    for person in ("own", "detected"):
        write(study / person / "y.fixations.parquet", "y", {})
    value = json.loads(run("gazetrack compare own detected --json").out)
    assert {row["recording"] for row in value["rows"]} == {"x", "y"}
    alone = json.loads(
        run(
            "gazetrack compare own/x.fixations.parquet detected/x.auto.fixations.parquet --json"
        ).out
    )
    assert [row for row in value["rows"] if row["recording"] == "x"] == alone["rows"]
    (study / "own" / "y.fixations.parquet").unlink()
    assert run("gazetrack fixations x.asc -q -o own").code == 0
    by_folder = run("gazetrack render own --levels 1 -o a")
    assert by_folder.code == 0, by_folder.err
    assert "left out x.auto.fixations.parquet" in by_folder.err
    assert run("gazetrack render own/x.fixations.parquet --levels 1 -o b").code == 0
    assert (study / "a" / "maps.parquet").read_bytes() == (
        study / "b" / "maps.parquet"
    ).read_bytes()
    assert run("gazetrack plot own --limit 1").code == 0
    assert (
        "is named twice"
        in run("gazetrack render own/x.fixations.parquet own/x.fixations.parquet").err
    )
