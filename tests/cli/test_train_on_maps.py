"""From an export to a run: what `gazetrack render` writes is what `gradtrack-train` learns from."""

from __future__ import annotations

import json

import pytest

from gazetrack.simulate.example import write_example

SMALL = (
    "--preset tiny --steps 2 --image-size 32 --batch-size 2 --set val_every=2 "
    "--set tensorboard=false"
)


@pytest.fixture
def folder(tmp_path, run):
    """A simulated folder with converted fixations."""
    write_example(tmp_path, n_images=4, size=(48, 64))
    assert run("gazetrack convert reader-1.asc reader-2.tsv -q").code == 0
    return tmp_path


def first_line(result):
    assert result.code == 0, result.err
    return result.err.splitlines()[0]


def recorded_kind(folder):
    facts = json.loads((folder / "runs/gradtrack/best.json").read_text("utf-8"))
    return facts["config"]["maps"]["kind"]


def test_the_maps_of_the_folder_train(folder, run):
    assert run("gazetrack render --kind hull --crf -q").code == 0
    expected = (
        "trains on the maps of maps/maps.parquet (kind hull, refined by a CRF): "
        "they fit 2 fixation tables, as their digests say"
    )
    for action in ("", "check ", "nnunet "):
        assert first_line(run(f"gradtrack-train {action}{SMALL}")) == expected
    assert recorded_kind(folder) == "hull"


def test_either_source_can_be_chosen(folder, run):
    assert run("gazetrack render --kind hull -q").code == 0
    (folder / "reader-1.fixations.parquet").unlink()
    refused = run(f"gradtrack-train {SMALL}")
    assert refused.code == 4
    assert "maps/maps.parquet" in refused.err
    assert "reader-2.fixations.parquet" in refused.err
    assert "--maps maps or --fixations ." in refused.err
    by_tables = first_line(run(f"gradtrack-train {SMALL} --fixations ."))
    assert by_tables.endswith("rendered as density maps: given as such")
    assert recorded_kind(folder) == "density"
    by_maps = first_line(run(f"gradtrack-train {SMALL} --maps maps --force"))
    assert by_maps == "trains on the maps of maps/maps.parquet (kind hull): given as such"
    assert recorded_kind(folder) == "hull"


def test_a_comparison_says_it_of_each_method(folder, run):
    assert run("gazetrack render --kind hull -q").code == 0
    compared = run(f"gradtrack-compare --methods full,heatmap,gradtrack {SMALL}")
    assert compared.code == 0, compared.err
    lines = compared.err.splitlines()
    assert lines[0] == "full trains on masks, and no gaze: the method is full"
    assert lines[1].startswith("heatmap trains on 2 fixation tables, rendered as heatmap maps: ")
    assert lines[2].startswith("gradtrack trains on the maps of maps/maps.parquet (kind hull)")


def test_without_any_gaze_it_says_how_to_make_some(folder, run):
    for table in folder.glob("*.fixations.parquet"):
        table.unlink()
    refused = run(f"gradtrack-train {SMALL}")
    assert refused.code == 2
    assert "no gaze (looked for *.fixations.parquet, maps/maps.parquet" in refused.err
    assert "gazetrack convert EXPORT" in refused.err
    assert "gazetrack render" in refused.err
