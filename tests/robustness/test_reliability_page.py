"""The page says what was measured, and of what was not that it was not."""

import json

from tests.reliability_page import reliability_page


def test_figures_and_what_was_not_measured(tmp_path):
    row = {"goal": "G8", "figure": "1 of 3", "met": False, "how": "", "by": "made_up"}
    few = {"goal": "G7", "figure": "0; 9 of 9", "met": None, "how": "", "by": "made_up"}
    few |= {"failures": 0, "cases": 9, "asked": 500, "commit": "c0ffee", "date": "2026-01-01"}
    facts = {"date": "2026-01-02", "system": "Linux", "versions": {"numpy": "9.9"}}
    path = tmp_path / "r.json"
    path.write_text(
        json.dumps(facts | {"rows": [row | {"commit": "c0ffee", "date": "2026-01-01"}, few]})
    )
    page = reliability_page(path)
    assert "Written on 2026-01-02 with numpy 9.9; Linux." in page
    (line,) = [line for line in page.splitlines() if line.startswith("| G8 ")]
    assert line.endswith("| 1 of 3 (c0ffee, 2026-01-01) | **missed** |")
    (line,) = [line for line in page.splitlines() if line.startswith("| G7 ")]
    assert line.endswith("| no failure, but too few cases: 9 of 500 |")
    assert page.count("| not measured |  |") == 19
    assert page.startswith("# Reliability")
    assert "## What is not promised" in page
