"""`benchmarks/gpu/run.sh`: what waits for a GPU must not fail there as it was never tried."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import ROOT
from tests.synthetic import H, W, write_data


def gpu_list(out, *arguments):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", ROOT / "benchmarks" / "gpu" / "run.sh", *map(str, arguments)]
    return subprocess.run(
        command,
        env={**os.environ, "PATH": path, "OUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_step_times(tmp_path):
    net = [
        "--widths",
        "[8,8,8,8,8,8]",
        "--encoders",
        "basic",
        "--size",
        32,
        "--batch",
        2,
        "--steps",
        1,
    ]
    done = gpu_list(
        tmp_path,
        "step",
        *net,
        "--precisions",
        "fp32",
        "--compile",
        "no",
        "--cache",
        "host",
        "device",
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "step.json").read_text())["rows"]
    assert [row["cache"] for row in rows] == ["host", "device"]
    for row in rows:
        assert row["step_ms"] > 0
        assert row["ratio"] == pytest.approx(row["step_ms"] / row["floor_ms"])
        assert 0 <= row["waiting"] < 1
    assert done.stdout == (tmp_path / "step.txt").read_text()


@pytest.mark.slow
def test_training_from_scratch(tmp_path):
    data = write_data(tmp_path / "data", n=4)
    (data / "g.fixations.parquet").unlink()
    (data / "val.txt").write_text("im3\n")
    (data / "fit.txt").write_text("im0\nim1\nim2\n")
    with (data / "fixation.csv").open("w", newline="") as file:
        write = csv.writer(file).writerow
        names = ("INDEX", "X", "Y", "DURATION", "PUPIL", "START")
        of_fixations = [f"CURRENT_FIX_{name}" for name in names]
        write(["IMAGE", *of_fixations, "IMAGE_HEIGHT", "IMAGE_WIDTH"])
        for i in range(4):
            for k in range(5):
                write(
                    [
                        f"im{i}.png",
                        k + 1,
                        (20 + 7 * i + k) / W,
                        (20 + 4 * i) / H,
                        200,
                        1000,
                        250 * k,
                        H,
                        W,
                    ]
                )
    quick = ["--preset", "tiny", "--steps", 2, "--size", 32]
    done = gpu_list(tmp_path / "out", "train", data, *quick)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "kvasir" / "results.json").read_text())
    assert {key: value for key, value in found.items() if key != "rows"} == {
        "preset": "tiny", "size": 32, "steps": 2, "validation_images": 1
    }  # fmt: skip
    rows = found["rows"]
    assert sorted(row["row"] for row in rows) == ["full", "gazemedseg", "gradtrack"]
    assert all(0 <= row["dice"] <= 1 for row in rows)


def test_another_task(tmp_path):
    assert gpu_list(tmp_path, "all").returncode == 2
