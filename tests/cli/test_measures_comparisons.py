"""gazetrack measures --scanpaths and --saliency: what they write and print, and exit codes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.fixation_tables import write_fixations


@pytest.fixture
def folder(tmp_path):
    """Three recordings of one image of 80 x 60 pixels."""
    for seed, name in enumerate(("ada", "ben", "cyd")):
        random = np.random.default_rng(seed)
        columns = {"x_px": random.random(6) * 80, "y_px": random.random(6) * 60}
        columns |= {"index": np.arange(6), "recording": name}
        write_fixations(tmp_path / f"{name}.fixations.parquet", ["cat.png"] * 6, **columns)
    (tmp_path / "maps").mkdir()
    values = np.random.default_rng(9).integers(0, 256, (60, 80), np.uint8)
    Image.fromarray(values).save(tmp_path / "maps" / "cat.png")
    return tmp_path


def test_scanpaths_and_the_squares_beside_them(run, folder):
    result = run("gazetrack measures --scanpaths multimatch,dtw -o out/paths.parquet")
    assert result.code == 0, result.err
    assert "ada.fixations.parquet: 6 fixations, 6 in scanpaths" in result.out
    assert "multimatch shape, mean over stimuli" in result.out
    assert "wrote out/paths.parquet (21 rows)" in result.out
    found = pd.read_parquet(folder / "out/paths.parquet")
    assert len(found) == 3 * (5 + 2)
    assert found["n_fixations_a"].tolist() == [6] * 21
    meta = json.loads(pq.read_schema(folder / "out/paths.parquet").metadata[b"gazetrack"])
    assert meta["scanpaths"]["methods"] == ["multimatch", "dtw"]
    assert meta["scanpaths"]["grid"] == [12, 8]
    square = pd.read_parquet(folder / "out/paths.matrix.parquet")
    own = square[(square["method"] == "dtw") & (square["measure"] == "distance")]
    own = own.astype({"recording": str, "other": str})
    cells = own.pivot_table(index="recording", columns="other", values="value")
    assert cells.index.tolist() == cells.columns.tolist() == ["ada", "ben", "cyd"]
    assert np.diag(cells).tolist() == [0, 0, 0]
    assert (cells.to_numpy() == cells.to_numpy().T).all()


def test_a_reference_settings_and_csv(run, folder):
    command = "gazetrack measures --scanpaths scanmatch --reference ben -o paths.csv"
    assert run(f"{command} --set grid=5x4 --set bin_ms=0").code == 0
    coarse = pd.read_csv(folder / "paths.csv")
    assert coarse["recording_a"].tolist() == ["ben", "ben"]
    assert run(command).code == 0
    assert pd.read_csv(folder / "paths.csv")["value"].tolist() != coarse["value"].tolist()


def test_letters_are_areas_of_interest(run, folder):
    (folder / "aois.json").write_text(
        json.dumps(
            {
                "format": "gazetrack-aois",
                "version": 1,
                "unit": "px",
                "space": "image",
                "stimuli": [
                    {
                        "stimulus": "cat.png",
                        "aois": [
                            {
                                "name": "all",
                                "shape": "rectangle",
                                "x_px": 0,
                                "y_px": 0,
                                "width_px": 80,
                                "height_px": 60,
                            }
                        ],
                    }
                ],
            }
        )
    )
    command = "gazetrack measures --scanpaths levenshtein --json"
    assert {row["value"] for row in json.loads(run(command).out)} != {0, 1}
    rows = json.loads(run(f"{command} --letters aois.json").out)
    assert {row["measure"]: row["value"] for row in rows} == {"distance": 0, "similarity": 1}


def test_several_processes_write_the_same(run, folder):
    command = "gazetrack measures --scanpaths all -q"
    assert run(f"{command} -o one.parquet").code == 0
    assert run(f"{command} -o two.parquet --jobs 2").code == 0
    assert (folder / "one.parquet").read_bytes() == (folder / "two.parquet").read_bytes()


def test_saliency_beside_a_centre_bias(run, folder):
    result = run("gazetrack measures --saliency maps -o scores.parquet")
    assert result.code == 0, result.err
    assert "mean" in result.out
    assert "centre_bias" in result.out
    found = pd.read_parquet(folder / "scores.parquet")
    assert found["scored"].tolist() == ["map", "centre_bias"]
    assert found["n_fixations"].tolist() == [18, 18]
    meta = json.loads(pq.read_schema(folder / "scores.parquet").metadata[b"gazetrack"])
    assert meta["saliency"]["maps"] == "maps"
    assert run("gazetrack measures --saliency maps --by recording -o scores.csv").code == 0
    assert pd.read_csv(folder / "scores.csv")["recording"].tolist() == [
        name for name in ("ada", "ben", "cyd") for _ in range(2)
    ]


def test_maps_that_gazetrack_drew(run, folder):
    assert run("gazetrack render -q").code == 0
    result = run("gazetrack measures --saliency maps/maps.parquet --json")
    assert result.code == 0, result.err
    drawn, centre = json.loads(result.out)
    # Drawn from these very fixations.
    assert drawn["nss"] > centre["nss"]


def test_a_bad_table_leaves_the_others_alone(run, folder):
    (folder / "dan.fixations.parquet").write_bytes(b"PAR1 nonsense")
    names = "ada.fixations.parquet ben.fixations.parquet dan.fixations.parquet"
    result = run(f"gazetrack measures {names} --scanpaths dtw -o paths.csv")
    assert result.code == 1
    assert "dan.fixations.parquet" in result.err
    assert len(pd.read_csv(folder / "paths.csv")) == 2
    result = run(f"gazetrack measures {names} --saliency maps -o scores.csv")
    assert result.code == 1
    assert pd.read_csv(folder / "scores.csv")["n_fixations"].tolist() == [12, 12]


def test_outputs_replace_no_input_and_are_in_the_report(run, folder):
    for name, kind in (("a.csv", "--scanpaths dtw"), ("b.csv", "--saliency maps")):
        before = (folder / "ada.fixations.parquet").read_bytes()
        result = run(f"gazetrack measures {kind} -o ada.fixations.parquet --force")
        assert result.code in (2, 3)
        assert (folder / "ada.fixations.parquet").read_bytes() == before
        result = run(f"gazetrack measures {kind} -o {name} --report report.jsonl -q")
        assert result.code == 0, result.err
        lines = (folder / "report.jsonl").read_text().splitlines()
        outputs = [one for line in lines for one in json.loads(line)["outputs"]]
        assert outputs[0]["path"] == name
        assert len(outputs[0]["sha256"]) == 64


def test_one_scanpath_alone_writes_empty_tables(run, folder):
    result = run("gazetrack measures ada.fixations.parquet --scanpaths dtw -o out.parquet")
    assert result.code == 0, result.err
    assert "no two scanpaths on one stimulus" in result.out
    assert len(pd.read_parquet(folder / "out.parquet")) == 0
    assert len(pd.read_parquet(folder / "out.matrix.parquet")) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("--scanpaths multimach", 2, "did you mean 'multimatch'?"),
        ("--scanpaths dtw --reference eve", 2, "no scanpath of the reference 'eve'"),
        ("--scanpaths dtw --set gird=3x3", 2, "did you mean 'grid'?"),
        ("--scanpaths dtw --set grid=3", 2, "give COLUMNSxROWS"),
        ("--scanpaths dtw --set line=x", 2, "give a number"),
        ("--scanpaths dtw --saliency maps", 2, "several kinds of measures"),
        ("--scanpaths dtw --margin 3", 2, "--margin is about another kind of measures"),
        ("--saliency maps --reference ada", 2, "--reference is about another kind"),
        ("--saliency nowhere", 1, "nowhere: no such folder"),
        ("", 2, "nothing to measure"),
    ],
)
def test_what_is_refused(run, folder, arguments, code, message):
    result = run(f"gazetrack measures {arguments} -o out.parquet")
    assert result.code == code
    assert message in " ".join(result.err.split())
    assert not (folder / "out.parquet").exists()


def test_saliency_of_gaze_on_a_screen_says_how_to_place_it(run, folder):
    lost = {"image_width_px": np.nan, "image_height_px": np.nan}
    write_fixations(folder / "eve.fixations.parquet", ["cat.png"] * 2, recording="eve", **lost)
    result = run("gazetrack measures eve.fixations.parquet --saliency maps -o out.parquet")
    assert result.code == 1
    assert "--placement" in result.err
    placed = "--placement centre -o out.parquet"
    assert run(f"gazetrack measures eve.fixations.parquet --saliency maps {placed}").code == 0


@pytest.mark.parametrize("line", ["--saliency maps --seed -1", "--scanpaths mannan --set seed=-1"])
def test_a_seed_below_0_is_refused(run, folder, line):
    result = run(f"gazetrack measures {line}")
    assert result.code == 2
    assert "seed" in result.err
