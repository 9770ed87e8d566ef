"""A small data set with gaze, and a network that was trained on it."""

from __future__ import annotations

import pytest

import gazetrack
import gradtrack_model

SETTINGS = {"steps": 4, "image_size": 32, "batch_size": 2, "val_every": 2, "tensorboard": False}


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    example = gazetrack.write_example(folder, n_images=8, size=(40, 56))
    gazetrack.convert(example.exports)
    return folder


@pytest.fixture(scope="session")
def settings():
    return SETTINGS


@pytest.fixture(scope="session")
def run(study):
    return gradtrack_model.train(study, "tiny", settings=SETTINGS)
