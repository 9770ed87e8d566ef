"""The figures on the page about reliability: those that `benchmarks/robustness.py` wrote."""

from __future__ import annotations

import json
import sys
import textwrap

from tests.places import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import robustness

FIGURES = ROOT / "benchmarks" / "results" / "robustness.json"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->\n"


def reliability_page(figures=FIGURES):
    """The page as it is, with the figures of a JSON file between its two marks."""
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    before, rest = text.split(BEGIN)
    found = json.loads(figures.read_text("utf-8"))
    return before + BEGIN + _table(found) + END + rest.split(END)[1]


def _table(found):
    lines = [_stamp(found), "", "| | what | floor | measured | |", "|---|---|---|---|---|"]
    for row in robustness.by_goal(found["rows"]):
        met = "**missed**" if row["met"] is False else robustness.mark(row)
        where = f" ({row['commit']}, {row['date']})" if "commit" in row else ""
        cells = (row["goal"], row["what"], row["floor"], row["figure"] + where, met)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n\n"


def _stamp(found):
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    words = (
        f"Written on {found['date']} with {versions}; {found['system']}. Behind each figure stand "
        "the commit and the date of its own measurement."
    )
    return textwrap.fill(words, 120, break_on_hyphens=False)
