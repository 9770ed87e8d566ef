"""One rule for the exit codes of all commands."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from PIL import Image

from gazetrack.errors import DataError, InputError, OutputError
from gazetrack_cli import exit_codes
from tests.places import ROOT

INPUT, OUTPUT, DATA = InputError("cut"), OutputError("full"), DataError("of another size")


@pytest.mark.parametrize(
    ("errors", "n_inputs", "expected"),
    [
        ([], 0, 0),
        ([], 3, 0),
        ([INPUT], 1, 1),
        ([OUTPUT], 1, 3),
        ([DATA], 1, 4),
        ([OUTPUT], 2, 1),
        ([OUTPUT, OUTPUT], 2, 1),
        ([DATA, OUTPUT], 5, 1),
    ],
)
def test_a_single_input_has_its_errors_code_and_several_have_one(errors, n_inputs, expected):
    assert exit_codes.of_inputs(errors, n_inputs) == expected


def test_a_signal_has_the_code_that_shells_give_it():
    assert (exit_codes.of_signal(2), exit_codes.of_signal(15)) == (130, 143)


def test_the_codes_are_named_in_one_place():
    """Numbers elsewhere would be a second rule."""
    for path in sorted(set((ROOT / "cli").glob("*.py")) - {ROOT / "cli" / "exit_codes.py"}):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            given = node.value if isinstance(node, ast.Return) else None
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "sys.exit":
                given = node.args[0]
            numbers = []
            if isinstance(given, ast.Constant | ast.IfExp | ast.BinOp):
                constants = [one for one in ast.walk(given) if isinstance(one, ast.Constant)]
                numbers = [one.value for one in constants if type(one.value) is int and one.value]
            assert not numbers, f"{path.name}:{node.lineno}: {ast.unparse(node)}"


def test_predictions_follow_the_rule(run, tmp_path):
    pytest.importorskip("torch")
    images = tmp_path / "images"
    images.mkdir()
    Image.fromarray(np.full((40, 40), 40_000, np.uint16)).save(images / "deep.png")
    alone = run(f"gradtrack-predict {images} --weights kvasir-lite -o alone")
    assert alone.code == DataError.exit_code
    Image.new("RGB", (40, 40)).save(images / "fine.png")
    both = run(f"gradtrack-predict {images} --weights kvasir-lite -o both")
    assert both.code == exit_codes.SOME_FAILED
    assert (tmp_path / "both" / "fine.png").exists()


def test_predictions_replace_no_mask_that_was_drawn(run, tmp_path):
    pytest.importorskip("torch")
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
        Image.new("RGB" if folder == "images" else "L", (40, 40)).save(tmp_path / folder / "a.png")
    drawn = (tmp_path / "masks" / "a.png").read_bytes()
    refused = run("gradtrack-predict images --weights kvasir-lite -o masks")
    assert refused.code == exit_codes.OUTPUT
    assert "masks/a.png: exists and was not made by gradtrack-predict" in refused.err
    assert (tmp_path / "masks" / "a.png").read_bytes() == drawn
    assert run("gradtrack-predict images --weights kvasir-lite -o masks --force").code == 0
    assert run("gradtrack-predict images --weights kvasir-lite -o masks").code == 0  # ours now
