"""The tables of comparisons hold what the functions return, with units and meanings."""

from __future__ import annotations

import numpy as np
import pytest

import gazetrack
from gazetrack.measures.saliency import SCORES
from gazetrack.tables.comparisons import SALIENCY, SCANPATH_MATRIX, SCANPATHS
from gazetrack.tables.schema import conform
from tests.measures.paths import random_track


@pytest.fixture
def paths():
    return [random_track(6, seed, recording=str(seed)) for seed in range(2)]


def test_scanpaths(paths):
    found = gazetrack.compare_scanpaths(paths)
    assert list(found.columns) == SCANPATHS.names
    table = conform({name: found[name] for name in found}, SCANPATHS)
    assert table.schema == SCANPATHS
    assert np.array_equal(table["value"].to_numpy(), found["value"], equal_nan=True)


@pytest.mark.parametrize("by", ["stimulus", "recording"])
def test_saliency(paths, by):
    found = gazetrack.score_saliency({"cat": np.ones((60, 80))}, paths, by=by)
    assert [name for name in SALIENCY.names if name in found] == list(found.columns)
    assert set(SCORES) < set(SALIENCY.names)
    assert conform({name: found[name] for name in found}, SALIENCY).schema == SALIENCY


@pytest.mark.parametrize("schema", [SCANPATHS, SCANPATH_MATRIX, SALIENCY])
def test_every_column_has_a_meaning_and_the_unit_of_its_name(schema):
    for field in schema:
        assert len(field.metadata[b"meaning"]) > 8
        assert b"unit" in field.metadata
        assert not field.nullable
        if field.name.endswith("_px"):
            assert field.metadata[b"unit"] == b"px"
