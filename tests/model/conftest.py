"""A small data set with gaze, and a run trained on it."""

from __future__ import annotations

import pytest
import torch

from gradtrack_model.config import load_config
from gradtrack_model.data import discover, load_data
from gradtrack_model.train import train
from tests.model.synthetic import TINY, write_data


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def data_folder(tmp_path):
    return write_data(tmp_path / "data")


@pytest.fixture
def config():
    return load_config("tiny", overrides=TINY)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("trained"))
    config = load_config("tiny", overrides=TINY)
    train(config, load_data(discover(folder), config), folder / "runs" / "gradtrack")
    return folder
