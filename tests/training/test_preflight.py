"""What a run will take is said before it is begun."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from gazetrack_cli import train as cli
from gradtrack_model.data.loading import load_data
from gradtrack_model.data.sources import discover
from gradtrack_model.training.preflight import plan


def test_a_dry_run_writes_nothing(data_folder, config):
    before = sorted(data_folder.rglob("*"))
    planned = plan(config, load_data(discover(data_folder), config))
    assert (planned["training_images"], planned["epochs"], planned["validations"]) == (5, 4.8, 2)
    assert planned["expected_seconds"] == pytest.approx(
        config.steps * planned["step_seconds"], abs=0.1
    )
    arguments = [
        "--data",
        str(data_folder),
        "--preset",
        "tiny",
        "--image-size",
        "64",
        "--dry-run",
        "-q",
    ]
    ran = CliRunner().invoke(cli.command, arguments, standalone_mode=False)
    assert ran.return_value == 0
    assert "expected seconds" in ran.stdout
    assert sorted(data_folder.rglob("*")) == before
