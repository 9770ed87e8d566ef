"""Files that older versions wrote are read, and give what they gave then: a promise to studies."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

import gazetrack
from gazetrack.tables import schema
from gazetrack.tables.own_tables import describe_table
from gazetrack.version import __version__

ROOT = Path(__file__).parent.parent
VERSIONS = sorted(path for path in (ROOT / "tests" / "golden" / "compat").iterdir())
EVERY = pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: folder.name)


@pytest.fixture(scope="module")
def golden():
    """Return the script that wrote the files, which says what they hold."""
    path = ROOT / "benchmarks" / "compatibility_golden.py"
    spec = importlib.util.spec_from_file_location("compatibility_golden", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def values(folder):
    return json.loads((folder / "values.json").read_text("utf-8"))


def test_the_first_version_is_among_them():
    assert "0.1.0" in {folder.name for folder in VERSIONS}


@EVERY
def test_tables_hold_what_they_held(folder, golden):
    told = values(folder)["tables"]
    assert len(told) >= 3
    for name, before in told.items():
        now = golden.values_of_table(folder / name)
        assert now["rows"] == before["rows"] > 0
        # A minor version adds columns, and neither renames nor changes one.
        assert now["columns"].items() >= before["columns"].items()
        assert now["meta"] == before["meta"]


@EVERY
def test_maps_hold_what_they_held(folder, golden):
    told = values(folder)["maps"]
    assert told
    assert golden.values_of_maps(folder / "maps.parquet") == told
    # Who looked came later: of these files nobody knows whether they are means.
    assert describe_table(folder / "maps.parquet")["observers"] is None


@EVERY
def test_a_network_gives_what_it_gave(folder, golden):
    told = values(folder)["network"]
    assert len(told) == 8
    # Libraries of other versions add up in another order.
    assert golden.output_of(folder / "best.safetensors") == pytest.approx(told, abs=2e-3)


@EVERY
def test_commands_take_older_tables(folder, tmp_path):
    (outcome,) = gazetrack.render([folder / "raw.fixations.parquet"], out=tmp_path / "maps")
    assert outcome.status == "ok"
    (converted,) = gazetrack.convert(folder / "raw.samples.parquet", out=tmp_path / "again")
    assert converted.rows_out == values(folder)["tables"]["raw.fixations.parquet"]["rows"]
    looked_at = gazetrack.quality(folder / "raw.samples.parquet")
    assert len(looked_at) > 0


def test_the_page_tells_the_versions_of_today():
    page = (ROOT / "docs" / "compatibility.md").read_text("utf-8")
    assert f"schema version {schema.VERSION}" in page
    from gradtrack_model.weights.checkpoint import FORMAT

    assert FORMAT in page
    assert re.search(rf"gazetrack {re.escape(__version__.rpartition('.')[0])}\b", page)
