import json

import pytest

from gazetrack.readers import registry
from gazetrack.readers.base import ReadOptions
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
