"""A network for other programs: the ending of the name says which."""

from __future__ import annotations

import numpy as np
import pytest

import gradtrack_model
from gazetrack.errors import ConfigError


def test_a_name_without_an_ending_is_a_folder_that_predicts_the_same(study, run, tmp_path):
    folder = gradtrack_model.export(run.folder, tmp_path / "hub")
    assert folder == tmp_path / "hub"
    assert {path.name for path in folder.iterdir()} >= {"config.json", "model.safetensors"}
    ours = gradtrack_model.predict(folder, study / "images")
    theirs = gradtrack_model.predict(gradtrack_model.load_model(run.folder), study / "images")
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)


def test_an_ending_that_no_program_reads_is_refused(run, tmp_path):
    with pytest.raises(ConfigError):
        gradtrack_model.export(run.folder, tmp_path / "network.txt")
    assert not list(tmp_path.iterdir())


def test_a_folder_can_be_a_bundle_of_monai(run, tmp_path):
    folder = gradtrack_model.export(run.folder, tmp_path / "bundle", layout="monai")
    assert sorted(path.name for path in folder.iterdir()) == ["configs", "docs", "models"]


@pytest.mark.parametrize(
    ("out", "layout", "tracks", "message"),
    [
        ("a.onnx", "monai", False, "a file in the layout of monai: a.onnx - name a folder"),
        ("a.pt2", "huggingface", False, "a file in the layout of huggingface"),
        ("a", "monai", True, "a bundle with track maps - leave --tracks out"),
        ("a", "keras", False, "a layout 'keras' - use huggingface or monai"),
    ],
)
def test_what_a_layout_cannot_be_is_said(run, tmp_path, out, layout, tracks, message):
    with pytest.raises(ConfigError, match=message):
        gradtrack_model.export(run.folder, tmp_path / out, layout=layout, tracks=tracks)
    assert not list(tmp_path.iterdir())
