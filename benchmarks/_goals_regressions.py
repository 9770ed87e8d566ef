"""G20: the damaged exports that once failed are read or refused as they should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from _goals import Row, Settings

import gazetrack
from gazetrack.errors import GazetrackError
from tests.golden_facts import outcome
from tests.places import GOLDEN

if TYPE_CHECKING:
    from pathlib import Path


def rows(settings: Settings) -> list[Row]:
    """Read each of them once."""
    found = sorted((GOLDEN / "regressions").glob("*/about.json"))
    wrong = [about.parent.name for about in found if not _as_told(about)]
    settings.found.extend(f"regression {name}" for name in wrong)
    how = "each is read by tests/robustness/test_regressions.py, too"
    figure = f"{len(found)} exports, {len(wrong)} fail again"
    return [Row(goal="G20", figure=figure, met=bool(found) and not wrong, how=how)]


def _as_told(about: Path) -> bool:
    facts = json.loads(about.read_text("utf-8"))
    (path,) = about.parent.glob("input*")
    columns = facts.get("columns") or {}
    try:
        found = gazetrack.read(path, facts["format"] if columns else None, columns=columns)
    except GazetrackError as error:
        told = facts["format"] is None and facts["says"] in str(error)
        return told and _as_expected(about.parent)
    words = " ".join([*found.notes, *found.dropped])
    if found.format != facts["format"] or facts["says"] not in words:
        return False
    return _as_expected(about.parent)


def _as_expected(folder: Path) -> bool:
    """Whether the numbers, or the code and place of the error, are those that are written down."""
    return bool(outcome(folder) == json.loads((folder / "expected.json").read_text("utf-8")))
