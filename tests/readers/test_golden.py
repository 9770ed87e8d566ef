import json

import pytest

import gazetrack
from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions
from gazetrack.readers.text import cells
from gazetrack.tables import spill
from tests.contracts import check_reader
from tests.golden_facts import facts
from tests.places import GOLDEN

CASES = sorted(path for name in registry.BUILTIN for path in (GOLDEN / name).glob("*/input.*"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_golden_files_read_as_written_down(path):
    columns = path.parent / "columns.json"
    options = ReadOptions(columns=json.loads(columns.read_text())) if columns.exists() else None
    recording = check_reader(registry.get(path.parts[-3]), path, options)
    assert facts(recording) == json.loads(
        (path.parent / "expected.json").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parts[-3]}/{path.parts[-2]}")
def test_golden_files_read_the_same_in_parts_of_few_rows(path, monkeypatch):
    columns = path.parent / "columns.json"
    given = json.loads(columns.read_text()) if columns.exists() else None
    name = path.parts[-3]
    whole = gazetrack.read(path, format=name, columns=given)
    monkeypatch.setattr(cells, "PART_ROWS", 3)
    monkeypatch.setattr(cells, "BLOCK_BYTES", 200)
    monkeypatch.setattr(spill, "SPILL_ROWS", 10)
    monkeypatch.setattr(spill, "EVENT_ROWS", 3)
    monkeypatch.setattr(spill, "_BATCH_ROWS", 4)
    parts = gazetrack.read(path, format=name, columns=given)
    assert parts.samples.equals(whole.samples)
    assert parts.events.equals(whole.events)
    assert parts.facts() == whole.facts()
