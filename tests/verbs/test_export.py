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
