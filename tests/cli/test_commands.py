"""The commands on good input."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

GAZE = "x,y,t\n" + "".join(
    f"{[100, 400, 250][i // 70 % 3] + i % 2},{200 + i % 2},{i * 4}\n" for i in range(420)
)


@pytest.fixture
def export(tmp_path):
    (tmp_path / "raw.csv").write_text(GAZE)
    return tmp_path


def test_convert_says_what_it_found_and_writes_the_table(run, export):
    result = run("gazetrack convert raw.csv --samples --events --screen 1000x600,500x300mm,600mm")
    assert result.code == 0, result.err
    assert "generic" in result.out
    assert "420 samples" in result.out
    frame = pd.read_parquet(export / "raw.fixations.parquet")
    assert len(frame) == 6
    assert frame["x_px"].to_numpy() == pytest.approx([100.5, 400.5, 250.5] * 2, abs=3)
    meta = json.loads(pq.read_schema(export / "raw.fixations.parquet").metadata[b"gazetrack"])
    assert meta["detector"]["name"] == "auto"
    assert meta["source"]["file"] == "raw.csv"
    assert len(pd.read_parquet(export / "raw.samples.parquet")) == 420
    assert len(pd.read_parquet(export / "raw.events.parquet")) == 0


def test_convert_twice_gives_the_same_bytes(run, export):
    run("gazetrack convert raw.csv")
    before = (export / "raw.fixations.parquet").read_bytes()
    assert run("gazetrack convert raw.csv").code == 0
    assert (export / "raw.fixations.parquet").read_bytes() == before


def test_convert_json_is_json(run, export):
    value = json.loads(run("gazetrack convert raw.csv --json").out)
    assert value["rows_in"] == 420
    assert value["found"]["samples"] == 420


def test_info(run, export):
    assert "generic" in run("gazetrack info raw.csv").out
    facts = json.loads(run("gazetrack info raw.csv --json").out)[0]
    assert facts["samples"] == 420
    assert facts["effective_rate_hz"] == pytest.approx(250)
    assert list(export.iterdir()) == [export / "raw.csv"]


def test_formats(run):
    from gazetrack.readers import registry

    result = run("gazetrack formats")
    assert all(name in result.out for name in registry.names())
    assert {f["name"] for f in json.loads(run("gazetrack formats --json").out)} == set(
        registry.names()
    )


def test_fixations_carry_the_detector_and_its_parameters(run, export):
    assert run("gazetrack fixations raw.csv --detector ivt --set min_duration_ms=300").code == 0
    path = export / "raw.ivt.fixations.parquet"
    assert len(pd.read_parquet(path)) == 0
    meta = json.loads(pq.read_schema(path).metadata[b"gazetrack"])
    assert meta["detector"]["min_duration_ms"] == 300


def test_render_and_plot_with_nothing_named(run, export):
    (export / "images").mkdir()
    Image.new("RGB", (80, 60), (90, 40, 40)).save(export / "images" / "p.png")
    rows = "".join(
        f"p.jpg,{i + 1},{0.2 + 0.1 * (i % 5)},0.5,300,1,{i * 310},60.0,80.0\n" for i in range(8)
    )
    fix = ",".join(
        f"CURRENT_FIX_{name}" for name in ("INDEX", "X", "Y", "DURATION", "PUPIL", "START")
    )
    header = f"IMAGE,{fix},IMAGE_HEIGHT,IMAGE_WIDTH\n"
    (export / "gaze.csv").write_text(header + rows)
    assert run("gazetrack convert gaze.csv").code == 0
    result = run("gazetrack render --levels 4 --png")
    assert result.code == 0, result.err
    assert "maps/maps.parquet" in result.out
    row = pd.read_parquet(export / "maps" / "maps.parquet").iloc[0]
    maps = np.frombuffer(row.maps, np.uint8).reshape(row.levels, row.height, row.width)
    assert maps.shape == (4, 60, 80)
    assert maps[-1, 30, 16:49].min() >= 128  # the gaze, along the middle row
    assert maps[-1, :10].max() < 128
    assert len(list((export / "maps" / "png").iterdir())) == 4
    result = run("gazetrack plot")
    assert result.code == 0, result.err
    assert len(list((export / "plots").iterdir())) == 1


def test_version_and_help(run):
    from gazetrack.version import __version__

    assert __version__ in run("gazetrack --version").out
    assert "convert" in run("gazetrack --help").out
